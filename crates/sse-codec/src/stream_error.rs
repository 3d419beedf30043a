use core::{error::Error, fmt};

use crate::error::DecodeError;

/// Why a stream of events ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamError<E> {
    /// The bytes passed a limit of the decoder.
    Decode(DecodeError),
    /// The source of the bytes failed.
    Source(E),
}

impl<E> fmt::Display for StreamError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Decode(_) => "event stream cannot be decoded",
            Self::Source(_) => "source of the event stream failed",
        })
    }
}

impl<E: Error + 'static> Error for StreamError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(match self {
            Self::Decode(error) => error,
            Self::Source(error) => error,
        })
    }
}
