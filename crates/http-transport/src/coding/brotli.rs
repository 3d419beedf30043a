//! Brotli (RFC 7932).

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::codec::{Codec, Progress};
use super::error::DecodeError;
use super::name::Coding;

/// One stream, with a window of at most 16 MiB; the "large windows" that the library knows, too, are no part of HTTP.
pub(super) struct Brotli {
    state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
    is_whole: bool,
}

impl Brotli {
    pub(super) fn new() -> Self {
        let [a, b, c] = [StandardAlloc::default(), StandardAlloc::default(), StandardAlloc::default()];
        Self { state: Box::new(BrotliState::new_strict(a, b, c)), is_whole: false }
    }
}

impl Codec for Brotli {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, DecodeError> {
        let corrupt = |reason| Err(DecodeError::Corrupt { coding: Coding::Brotli, reason });
        if self.is_whole {
            return if input.is_empty() { Ok(Progress::NONE) } else { corrupt("something follows its end") };
        }
        let (mut left, mut consumed) = (input.len(), 0);
        let (mut room, mut produced, mut total) = (output.len(), 0, 0);
        match BrotliDecompressStream(
            &mut left,
            &mut consumed,
            input,
            &mut room,
            &mut produced,
            output,
            &mut total,
            &mut self.state,
        ) {
            BrotliResult::ResultFailure => return corrupt("it cannot be decoded"),
            BrotliResult::ResultSuccess => self.is_whole = true,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
        }
        Ok(Progress { consumed, produced })
    }

    fn is_whole(&self) -> bool {
        self.is_whole
    }
}
