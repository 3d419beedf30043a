//! Deflate in its zlib wrapper (RFC 1950), and without it.

use flate2::{Decompress, FlushDecompress, Status};

use super::codec::{Codec, Progress};
use super::error::DecodeError;
use super::name::Coding;

/// RFC 9110, section 8.4.1.2: the coding is the wrapped form, and some servers send the bare one.
pub(super) struct Deflate {
    /// `None` before the first byte, which tells them apart.
    inflate: Option<Inflate>,
}

impl Deflate {
    pub(super) fn new() -> Self {
        Self { inflate: None }
    }
}

impl Codec for Deflate {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, DecodeError> {
        let Some(first) = input.first() else {
            return self.inflate.as_mut().map_or(Ok(Progress::NONE), |inflate| inflate.decode(input, output));
        };
        // A wrapper begins with method 8 and a window of at most 32 KiB. In bare data that would be a stored block with
        // padding that is not zero, which no compressor writes.
        let wrapper = if first & 0x8f == 8 { Wrapper::Zlib } else { Wrapper::None };
        let inflate = self.inflate.get_or_insert_with(|| Inflate::new(Coding::Deflate, wrapper));
        if inflate.is_whole() {
            return Err(DecodeError::Corrupt { coding: Coding::Deflate, reason: "something follows its end" });
        }
        inflate.decode(input, output)
    }

    fn is_whole(&self) -> bool {
        self.inflate.as_ref().is_some_and(Inflate::is_whole)
    }
}

/// What is around the compressed data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrapper {
    None,
    /// Its checksum is compared, too.
    Zlib,
}

/// Compressed data (RFC 1951) up to its end.
pub(super) struct Inflate {
    coding: Coding,
    state: Decompress,
    is_whole: bool,
}

impl Inflate {
    pub(super) fn new(coding: Coding, wrapper: Wrapper) -> Self {
        Self { coding, state: Decompress::new(wrapper == Wrapper::Zlib), is_whole: false }
    }

    pub(super) fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, DecodeError> {
        if self.is_whole {
            return Ok(Progress::NONE);
        }
        let (total_in, total_out) = (self.state.total_in(), self.state.total_out());
        let status = self.state.decompress(input, output, FlushDecompress::None);
        match status {
            Ok(Status::StreamEnd) => self.is_whole = true,
            Ok(Status::Ok | Status::BufError) => {}
            Err(_) => return Err(DecodeError::Corrupt { coding: self.coding, reason: "it cannot be decoded" }),
        }
        let consumed = self.state.total_in() - total_in;
        let produced = self.state.total_out() - total_out;
        Ok(Progress { consumed: consumed as usize, produced: produced as usize })
    }

    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }
}
