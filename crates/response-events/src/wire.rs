//! Which protocol a request and its stream speak.

use std::{error::Error, fmt, str::FromStr};

use serde::Serialize;

/// The API whose request and event format is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Wire {
    /// The Responses API (`POST /responses`).
    #[default]
    Responses,
    /// The Chat Completions API (`POST /chat/completions`).
    Chat,
}

impl Wire {
    /// The path of the endpoint below the base URL, with its leading slash.
    pub fn path(self) -> &'static str {
        match self {
            Self::Responses => "/responses",
            Self::Chat => "/chat/completions",
        }
    }

    /// The short name: `responses` or `chat`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Responses => "responses",
            Self::Chat => "chat",
        }
    }
}

impl fmt::Display for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Wire {
    type Err = InvalidWire;

    /// Reads the short name. Errors with anything else.
    fn from_str(name: &str) -> Result<Self, InvalidWire> {
        [Self::Responses, Self::Chat].into_iter().find(|wire| wire.as_str() == name).ok_or(InvalidWire(()))
    }
}

/// A name that is not that of a [`Wire`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidWire(());

impl fmt::Display for InvalidWire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a wire is `responses` or `chat`")
    }
}

impl Error for InvalidWire {}

/// The transport that carries one attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TransportKind {
    /// HTTP with a `text/event-stream` answer.
    #[default]
    Sse,
    /// A WebSocket.
    #[serde(rename = "ws")]
    WebSocket,
}

impl TransportKind {
    /// The short name: `sse` or `ws`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sse => "sse",
            Self::WebSocket => "ws",
        }
    }
}

impl fmt::Display for TransportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wire_is_read_by_the_name_that_it_shows() {
        for wire in [Wire::Responses, Wire::Chat] {
            assert_eq!(wire.to_string().parse(), Ok(wire));
        }
        assert_eq!("Chat".parse::<Wire>(), Err(InvalidWire(())));
    }
}
