//! What was said on a WebSocket.

use std::fmt;
use std::time::Duration;

use super::content::Content;

/// A message of a WebSocket, put together from its fragments, or a control frame.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedFrame {
    /// When it was complete, since the request.
    pub at: Duration,
    /// Who sent it.
    pub from: Peer,
    /// What it is.
    pub kind: FrameKind,
    /// Its payload, without masking; that of a Close is its code, two bytes, and its reason (RFC 6455 §5.5.1).
    pub content: Content,
}

impl RecordedFrame {
    /// A frame with all that is known of it.
    pub fn new(at: Duration, from: Peer, kind: FrameKind, content: Content) -> Self {
        Self { at, from, kind, content }
    }

    /// The code of a Close that has one.
    pub fn close_code(&self) -> Option<u16> {
        match (self.kind, self.content.bytes().map(AsRef::as_ref)) {
            (FrameKind::Close, Some([high, low, ..])) => Some(u16::from_be_bytes([*high, *low])),
            _ => None,
        }
    }
}

/// A side of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Peer {
    /// Who asked.
    Client,
    /// Who answered.
    Server,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}

/// What a frame is (RFC 6455 §11.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FrameKind {
    /// A text message.
    Text,
    /// A binary message.
    Binary,
    /// A ping.
    Ping,
    /// A pong.
    Pong,
    /// A Close.
    Close,
}

impl FrameKind {
    pub(super) const ALL: [Self; 5] = [Self::Text, Self::Binary, Self::Ping, Self::Pong, Self::Close];
}

impl fmt::Display for FrameKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Ping => "ping",
            Self::Pong => "pong",
            Self::Close => "close",
        })
    }
}
