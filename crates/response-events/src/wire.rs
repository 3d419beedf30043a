//! Which protocol a request and its stream speak.

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
