//! Which of the service's endpoints a request goes to.

use response_events::{EncodeError, Request, Wire};

/// An endpoint, and the form of its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// A streamed answer.
    Stream(Wire),
    /// `POST /responses/compact`, which answers with one document.
    Compact,
}

impl Endpoint {
    /// All that there are.
    pub(crate) const ALL: [Self; 3] = [Self::Stream(Wire::Responses), Self::Stream(Wire::Chat), Self::Compact];

    pub(crate) fn of(wire: Wire) -> Self {
        Self::Stream(wire)
    }

    /// The wire whose documents and events come back.
    pub(crate) fn wire(self) -> Wire {
        match self {
            Self::Stream(wire) => wire,
            Self::Compact => Wire::Responses,
        }
    }

    /// The path below the base URL.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Stream(wire) => wire.path(),
            Self::Compact => "/responses/compact",
        }
    }

    /// What the client is ready to read.
    pub(crate) fn accept(self) -> &'static str {
        match self {
            Self::Stream(_) => "text/event-stream",
            Self::Compact => "application/json",
        }
    }

    pub(crate) fn encode(self, request: &Request) -> Result<Vec<u8>, EncodeError> {
        match self {
            Self::Stream(wire) => request.encode(wire),
            Self::Compact => request.encode_compact(),
        }
    }
}
