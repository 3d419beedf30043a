//! What a client said, or what is known of it.

use std::fmt;

use bytes::Bytes;

/// What a client sent: a request's body, or a WebSocket message. A recording need not hold it, because a replay does
/// not look at it; to tell whether two requests were the same, its digest is enough.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// The bytes, secrets redacted.
    Kept(Bytes),
    /// The bytes are not in the recording.
    Withheld {
        /// How many bytes there were.
        length: u64,
        /// Their SHA-256.
        sha256: [u8; 32],
    },
}

impl Content {
    /// The bytes, where the recording holds them.
    pub fn bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Kept(bytes) => Some(bytes),
            Self::Withheld { .. } => None,
        }
    }

    /// How many bytes there were.
    pub fn length(&self) -> u64 {
        match self {
            Self::Kept(bytes) => bytes.len() as u64,
            Self::Withheld { length, .. } => *length,
        }
    }
}

/// Nothing.
impl Default for Content {
    fn default() -> Self {
        Self::Kept(Bytes::new())
    }
}

/// Leaves out the bytes (their length is shown).
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Kept(_) => "Kept",
            Self::Withheld { .. } => "Withheld",
        };
        f.debug_struct(name).field("length", &self.length()).finish_non_exhaustive()
    }
}
