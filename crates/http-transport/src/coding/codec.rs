//! One coding as a state machine.

use super::error::DecodeError;
use super::name::Coding;

/// What one call did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    /// Bytes of the input that are done with.
    pub(super) consumed: usize,
    /// Bytes at the beginning of the output.
    pub(super) produced: usize,
}

impl Progress {
    pub(super) const NONE: Self = Self { consumed: 0, produced: 0 };
}

/// Undoes one coding.
pub(super) trait Codec: Send {
    /// Decodes from `input` to `output`, and stops when one of them is used up or earlier. A full output means that
    /// more may follow without any input.
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, DecodeError>;

    /// Whether the input may end here.
    fn is_whole(&self) -> bool;
}

/// The codec of a coding, if it is built in.
pub(super) fn of(coding: Coding) -> Option<Box<dyn Codec>> {
    match coding {
        #[cfg(feature = "gzip")]
        Coding::Gzip => Some(Box::new(super::gzip::Gzip::new())),
        #[cfg(feature = "gzip")]
        Coding::Deflate => Some(Box::new(super::deflate::Deflate::new())),
        #[cfg(feature = "zstd")]
        Coding::Zstd => Some(Box::new(super::zstd::Zstd::new()?)),
        #[cfg(feature = "brotli")]
        Coding::Brotli => Some(Box::new(super::brotli::Brotli::new())),
        #[allow(unreachable_patterns)]
        _ => None,
    }
}
