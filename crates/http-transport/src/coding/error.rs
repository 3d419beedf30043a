//! Why a body cannot be decoded.

use std::error::Error as StdError;
use std::fmt;

use super::name::Coding;

/// Why a coded body cannot be decoded (to its end).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The data is none of that coding.
    Corrupt {
        /// The coding that was to be undone.
        coding: Coding,
        /// What is wrong with it, in a few words.
        reason: &'static str,
    },
    /// The body ended inside the coded data.
    Truncated {
        /// The coding that was to be undone.
        coding: Coding,
    },
    /// The data asks for more memory than RFC 9659 lets it (zstd: a window of 8 MiB).
    WindowTooLarge {
        /// The coding that was to be undone.
        coding: Coding,
    },
    /// It expands beyond [`DecodeLimits::ratio`](super::DecodeLimits::ratio).
    Ratio {
        /// The limit: so many bytes for one.
        limit: u32,
    },
    /// It expands beyond [`DecodeLimits::bytes`](super::DecodeLimits::bytes).
    TooLong {
        /// The limit, in bytes.
        limit: u64,
    },
}

impl DecodeError {
    /// Whether it is a limit that was passed, and not the data that is wrong.
    pub fn is_limit(&self) -> bool {
        matches!(self, Self::WindowTooLarge { .. } | Self::Ratio { .. } | Self::TooLong { .. })
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt { coding, reason } => write!(f, "the {coding} data is corrupt ({reason})"),
            Self::Truncated { coding } => write!(f, "the {coding} data ends too early"),
            Self::WindowTooLarge { coding } => write!(f, "the {coding} data needs a window of more than 8 MiB"),
            Self::Ratio { limit } => write!(f, "it expands more than {limit} : 1"),
            Self::TooLong { limit } => write!(f, "it expands to more than the limit of {limit} bytes"),
        }
    }
}

impl StdError for DecodeError {}
