//! All codings of a body, undone one after another.

use std::fmt;

use bytes::Bytes;

use super::codec::{self, Codec, Progress};
use super::error::DecodeError;
use super::limits::DecodeLimits;
use super::name::Coding;

/// The largest piece that comes out at once.
const PIECE: usize = 16 * 1024;

/// Undoes the codings of a body: bytes in, bytes out, no I/O.
///
/// What was decoded comes out in pieces of at most 16 KiB as they are asked for; the rest stays compressed until then.
/// All that the data so far can give is given: where a server flushes its compressor, nothing is held back.
pub struct Decoder {
    /// The coding that was applied last, which has to be undone first, is the first.
    pub(super) stages: Vec<Stage>,
    work: Work,
}

/// What all stages share.
struct Work {
    limits: DecodeLimits,
    /// Bytes of the body that went through the first stage.
    received: u64,
    /// Where pieces are decoded to. They are copied out of it, so that a small one is small.
    room: Box<[u8]>,
}

pub(super) struct Stage {
    coding: Coding,
    codec: Box<dyn Codec>,
    input: Bytes,
    /// Bytes that went in and that came out.
    pub(super) consumed: u64,
    pub(super) produced: u64,
    /// The codec was stopped by a full output.
    has_more: bool,
}

impl Decoder {
    /// Undoes `codings`, which are in the order in which they were applied. `None` when one of them is not built in.
    pub fn new(codings: &[Coding], limits: DecodeLimits) -> Option<Self> {
        let stages = codings.iter().rev().map(|coding| Stage::new(*coding)).collect::<Option<_>>()?;
        Some(Self { stages, work: Work { limits, received: 0, room: vec![0; PIECE].into() } })
    }

    /// The next piece, or `None` when more input is needed; `input` is then empty. Errors are final.
    pub fn decode(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, DecodeError> {
        pull(&mut self.stages, &mut self.work, input)
    }

    /// The input has ended: errors with [`DecodeError::Truncated`] when it should not have. A body without a single
    /// byte is whole: servers name a coding also where there is nothing to encode.
    pub fn finish(&self) -> Result<(), DecodeError> {
        match self.stages.iter().find(|stage| stage.consumed > 0 && !stage.codec.is_whole()) {
            Some(stage) => Err(DecodeError::Truncated { coding: stage.coding }),
            None => Ok(()),
        }
    }
}

/// What the last of the stages gives; it asks those before it, and the first one takes `input`.
fn pull(stages: &mut [Stage], work: &mut Work, input: &mut Bytes) -> Result<Option<Bytes>, DecodeError> {
    let Some((last, before)) = stages.split_last_mut() else {
        return Ok(Some(std::mem::take(input)).filter(|input| !input.is_empty()));
    };
    loop {
        while last.has_more || !last.input.is_empty() {
            let progress = last.step(&mut work.room)?;
            if before.is_empty() {
                work.received += progress.consumed as u64;
            }
            // Every stage is judged: what expands and is thrown away by the next one is work, too.
            work.limits.check(last.produced, work.received)?;
            if progress.produced > 0 {
                return Ok(Some(Bytes::copy_from_slice(&work.room[..progress.produced])));
            }
        }
        match pull(before, work, input)? {
            Some(data) => last.input = data,
            None => return Ok(None),
        }
    }
}

impl Stage {
    fn new(coding: Coding) -> Option<Self> {
        let codec = codec::of(coding)?;
        Some(Self { coding, codec, input: Bytes::new(), consumed: 0, produced: 0, has_more: false })
    }

    fn step(&mut self, room: &mut [u8]) -> Result<Progress, DecodeError> {
        let progress = self.codec.decode(&self.input, room)?;
        if progress.consumed == 0 && progress.produced == 0 && !self.input.is_empty() {
            return Err(DecodeError::Corrupt { coding: self.coding, reason: "it leads nowhere" });
        }
        // Nothing of a chunk that is used up is kept alive.
        self.input = match self.input.len() - progress.consumed {
            0 => Bytes::new(),
            _ => self.input.slice(progress.consumed..),
        };
        self.consumed += progress.consumed as u64;
        self.produced += progress.produced as u64;
        self.has_more = progress.produced == room.len();
        Ok(progress)
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("codings", &self.stages.iter().rev().map(|stage| stage.coding).collect::<Vec<_>>())
            .field("received", &self.work.received)
            .field("limits", &self.work.limits)
            .finish_non_exhaustive()
    }
}
