//! Zstandard (RFC 8878).

use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, compress_bound, get_error_name, zstd_sys::ZSTD_ErrorCode};

use super::codec::{Codec, Progress};
use super::error::DecodeError;
use super::name::Coding;

/// The window that a decoder of HTTP must offer, and need not exceed (RFC 9659, section 3): 8 MiB.
const WINDOW_LOG: u32 = 23;

/// Frames one behind another, skippable ones among them.
pub(super) struct Zstd {
    context: DCtx<'static>,
    /// The last frame has ended, and all of it was given.
    is_whole: bool,
}

impl Zstd {
    /// `None` without memory.
    pub(super) fn new() -> Option<Self> {
        let mut context = DCtx::try_create()?;
        context.set_parameter(DParameter::WindowLogMax(WINDOW_LOG)).ok()?;
        Some(Self { context, is_whole: false })
    }
}

impl Codec for Zstd {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, DecodeError> {
        if self.is_whole && input.is_empty() {
            // The library would take the call for the beginning of the next frame.
            return Ok(Progress::NONE);
        }
        let mut from = InBuffer::around(input);
        let mut to = OutBuffer::around(output);
        let missing = self.context.decompress_stream(&mut to, &mut from).map_err(refused)?;
        self.is_whole = missing == 0;
        Ok(Progress { consumed: from.pos(), produced: to.pos() })
    }

    fn is_whole(&self) -> bool {
        self.is_whole
    }
}

/// The library's error codes are negative numbers in an unsigned type.
fn refused(code: usize) -> DecodeError {
    if code.wrapping_neg() == ZSTD_ErrorCode::ZSTD_error_frameParameter_windowTooLarge as usize {
        DecodeError::WindowTooLarge { coding: Coding::Zstd }
    } else {
        DecodeError::Corrupt { coding: Coding::Zstd, reason: get_error_name(code) }
    }
}

/// The default of the library, too: nearly all that can be saved, at some 300 MB/s.
const LEVEL: i32 = 3;

/// One frame; `None` without memory.
pub(super) fn compress(data: &[u8]) -> Option<Vec<u8>> {
    let mut frame = Vec::with_capacity(compress_bound(data.len()));
    zstd_safe::compress(&mut frame, data, LEVEL).ok()?;
    frame.shrink_to_fit();
    Some(frame)
}
