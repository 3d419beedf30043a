//! Gzip (RFC 1952).

use flate2::Crc;

use super::codec::{Codec, Progress};
use super::deflate::{Inflate, Wrapper};
use super::error::DecodeError;
use super::gzip_header::Header;
use super::name::Coding;

/// Members one behind another; behind them zeros, with which some writers fill a block, and nothing else.
pub(super) struct Gzip {
    part: Part,
}

enum Part {
    Header(Header),
    Data(Member),
    Trailer(Trailer),
    /// A member has ended.
    Between,
    Padding,
}

struct Member {
    inflate: Inflate,
    crc: Crc,
}

/// Checksum and length of the data, four bytes each.
struct Trailer {
    expected: [u8; 8],
    seen: usize,
}

impl Gzip {
    pub(super) fn new() -> Self {
        Self { part: Part::Header(Header::new()) }
    }

    /// Takes one byte of what is not compressed.
    fn take(&mut self, byte: u8) -> Result<(), &'static str> {
        match (&mut self.part, byte) {
            (Part::Header(header), byte) => {
                header.take(byte)?;
                if header.is_whole() {
                    let inflate = Inflate::new(Coding::Gzip, Wrapper::None);
                    self.part = Part::Data(Member { inflate, crc: Crc::new() });
                }
            }
            (Part::Trailer(trailer), byte) => {
                if trailer.expected[trailer.seen] != byte {
                    return Err("its checksum is wrong");
                }
                trailer.seen += 1;
                if trailer.seen == trailer.expected.len() {
                    self.part = Part::Between;
                }
            }
            (Part::Between | Part::Padding, 0) => self.part = Part::Padding,
            (Part::Between, 0x1f) => {
                let mut header = Header::new();
                header.take(byte)?;
                self.part = Part::Header(header);
            }
            (Part::Between | Part::Padding, _) => return Err("something follows its end"),
            (Part::Data(_), _) => {}
        }
        Ok(())
    }
}

impl Codec for Gzip {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, DecodeError> {
        let mut consumed = 0;
        loop {
            if let Part::Data(member) = &mut self.part {
                let progress = member.inflate.decode(&input[consumed..], output)?;
                member.crc.update(&output[..progress.produced]);
                consumed += progress.consumed;
                let has_ended = member.inflate.is_whole();
                if has_ended {
                    self.part = Part::Trailer(Trailer::of(&member.crc));
                }
                if progress.produced > 0 || !has_ended {
                    return Ok(Progress { consumed, produced: progress.produced });
                }
                continue;
            }
            let Some(byte) = input.get(consumed) else {
                return Ok(Progress { consumed, produced: 0 });
            };
            self.take(*byte).map_err(|reason| DecodeError::Corrupt { coding: Coding::Gzip, reason })?;
            consumed += 1;
        }
    }

    fn is_whole(&self) -> bool {
        matches!(self.part, Part::Between | Part::Padding)
    }
}

impl Trailer {
    fn of(crc: &Crc) -> Self {
        let mut expected = [0; 8];
        expected[..4].copy_from_slice(&crc.sum().to_le_bytes());
        // The length is modulo 2^32, and so is the count.
        expected[4..].copy_from_slice(&crc.amount().to_le_bytes());
        Self { expected, seen: 0 }
    }
}
