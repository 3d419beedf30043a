//! The state machine: chunks in, at most one finding a call out.
//!
//! Fields of the current block stay spans of the chunk as long as they can and are copied ("spilled") only at the end
//! of the chunk, or when a second `data` line has to be joined. A finding says where its bytes are; borrowing them is
//! left to the caller, who also has the chunk.

mod admit;
mod cut;
mod whole;

use alloc::string::String;
use core::{ops::Range, time::Duration};

use crate::{buffer::Buffer, counters::Counters, end::End, error::DecodeError, field::Field, limits::Limits, text};

/// What the caller wants to be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interest {
    Events,
    Items,
}

/// Where the bytes of a field are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the input of this call.
    Input(Range<usize>),
    /// In the scanner's buffer for that field.
    Buffer,
}

impl Place {
    fn of(span: Option<Range<usize>>) -> Self {
        span.map_or(Self::Buffer, Self::Input)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// The input is used up.
    Nothing,
    Event {
        data: Place,
        name: Place,
    },
    Comment(Place),
    Retry(Duration),
}

#[derive(Debug)]
pub(crate) struct Scan {
    /// Bytes of the input that are done with.
    pub(crate) consumed: usize,
    pub(crate) found: Found,
}

/// Where in the stream the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// At the very beginning, with this many bytes of a byte order mark seen.
    Mark(usize),
    LineStart,
    /// At a line start after a CR: one LF still belongs to that line end. Kept over empty chunks.
    AfterCr,
    /// In a cut line of which `partial` has all bytes so far: the start of a field name.
    Name,
    /// In the value of a cut line.
    Value {
        field: Field,
        space: Space,
    },
}

/// What becomes of the fields of the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Open,
    /// The buffers hold what was handed out last; they are emptied before the next byte is read.
    HandedOut,
    /// The block passed a limit: its fields are dropped up to the blank line.
    Skipped,
}

/// The one space after a colon, which is not part of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Space {
    MayFollow,
    Passed,
}

/// Fields of the current block that lie in the current chunk.
#[derive(Debug, Default)]
struct Spans {
    data: Option<Range<usize>>,
    name: Option<Range<usize>>,
    id: Option<Range<usize>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Scanner {
    limits: Limits,
    at: At,
    /// Bytes of the cut line so far, and how many of them stand before its value.
    line_len: usize,
    prefix_len: usize,
    /// Bytes of data before the cut `data` line, line feeds included.
    joined: usize,
    /// A cut line: the start of its name, or a value other than data.
    partial: Buffer,
    /// The spilled fields of the block. `data` is joined already, without the last line feed.
    data: Buffer,
    name: Buffer,
    id: Buffer,
    has_data: bool,
    has_id: bool,
    block: Block,
    last_event_id: String,
    retry: Option<Duration>,
    counters: Counters,
}

impl Scanner {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            at: At::Mark(0),
            line_len: 0,
            prefix_len: 0,
            joined: 0,
            partial: Buffer::new(),
            data: Buffer::new(),
            name: Buffer::new(),
            id: Buffer::new(),
            has_data: false,
            has_id: false,
            block: Block::Open,
            last_event_id: String::new(),
            retry: None,
            counters: Counters::default(),
        }
    }

    /// Reads on until something of interest is found or the input is used up.
    pub(crate) fn scan(&mut self, input: &[u8], interest: Interest) -> Result<Scan, DecodeError> {
        if self.block == Block::HandedOut {
            self.block = Block::Open;
            self.data.clear();
            self.name.clear();
        }
        let mut from = 0;
        if self.at != At::LineStart {
            let resumed = self.resume(input, interest)?;
            // A tiny chunk is used up here more often than not.
            if resumed.found != Found::Nothing || resumed.consumed == input.len() {
                return Ok(self.counted(resumed));
            }
            from = resumed.consumed;
        }
        let scan = self.scan_lines(input, from, interest)?;
        Ok(self.counted(scan))
    }

    fn counted(&mut self, scan: Scan) -> Scan {
        self.counters.bytes += scan.consumed as u64;
        scan
    }

    /// A blank line: takes the id over and dispatches, if there was a `data` field (WHATWG HTML 9.2.6).
    #[inline]
    fn blank_line(&mut self, input: &[u8], spans: &mut Spans) -> Found {
        if self.block == Block::Skipped {
            self.block = Block::Open;
            self.counters.skipped += 1;
            return Found::Nothing;
        }
        if let Some(id) = spans.id.take() {
            self.commit_id(&input[id]);
            self.has_id = false;
        } else if self.has_id {
            let id = core::mem::take(&mut self.id);
            self.commit_id(id.as_slice());
            self.id = id;
            self.has_id = false;
        }
        let name = spans.name.take();
        let data = spans.data.take();
        if data.is_none() && !self.has_data {
            self.name.clear();
            return Found::Nothing;
        }
        self.block = Block::HandedOut;
        self.has_data = false;
        self.counters.events += 1;
        Found::Event { data: Place::of(data), name: Place::of(name) }
    }

    fn commit_id(&mut self, id: &[u8]) {
        if id != self.last_event_id.as_bytes() {
            self.last_event_id.clear();
            self.last_event_id.push_str(&text::lossy(id));
        }
    }

    /// A `retry` field: takes effect at once, and also in a block that is skipped.
    fn take_retry(&mut self, millis: Option<u64>, interest: Interest) -> Found {
        let Some(millis) = millis else {
            return Found::Nothing;
        };
        let retry = Duration::from_millis(millis);
        self.retry = Some(retry);
        match interest {
            Interest::Events => Found::Nothing,
            Interest::Items => Found::Retry(retry),
        }
    }

    /// Forgets the block, the line and the position; keeps the id, the reconnection time and the counters.
    pub(crate) fn restart(&mut self) {
        self.at = At::Mark(0);
        self.drop_block();
        self.block = Block::Open;
    }

    fn drop_block(&mut self) {
        self.has_data = false;
        self.has_id = false;
        for buffer in [&mut self.data, &mut self.name, &mut self.id, &mut self.partial] {
            buffer.clear();
        }
    }

    pub(crate) fn end(&self) -> End {
        let at_line_start = matches!(self.at, At::Mark(0) | At::LineStart | At::AfterCr);
        let pending = match self.block {
            Block::Open => self.has_data || self.has_id || self.name.len() > 0,
            Block::HandedOut => false,
            Block::Skipped => true,
        };
        if at_line_start && !pending {
            return End::Clean;
        }
        End::Truncated { had_data: self.has_data || self.block == Block::Skipped, buffered: self.buffered() }
    }

    /// Ends the line and the block as line feeds in the stream would. What is found is in the buffers.
    pub(crate) fn flush(&mut self) -> Result<Found, DecodeError> {
        let line_ends: &[u8] = match self.at {
            At::Mark(0) | At::LineStart | At::AfterCr => {
                // The line feed is not the second half of a line end.
                self.at = At::LineStart;
                b"\n"
            }
            At::Mark(_) | At::Name | At::Value { .. } => b"\n\n",
        };
        let bytes = self.counters.bytes;
        let scan = self.scan(line_ends, Interest::Events);
        self.counters.bytes = bytes;
        Ok(scan?.found)
    }

    fn buffered(&self) -> usize {
        let block = match self.block {
            Block::HandedOut => 0,
            Block::Open | Block::Skipped => self.data.len() + self.name.len(),
        };
        let id = if self.has_id { self.id.len() } else { 0 };
        let partial = match self.at {
            At::Name | At::Value { .. } => self.partial.len(),
            At::Mark(_) | At::LineStart | At::AfterCr => 0,
        };
        block + id + partial
    }

    pub(crate) fn capacity(&self) -> usize {
        self.data.capacity()
            + self.name.capacity()
            + self.id.capacity()
            + self.partial.capacity()
            + self.last_event_id.capacity()
    }

    pub(crate) fn counters(&self) -> Counters {
        Counters { buffered: self.buffered(), ..self.counters }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn data(&self) -> &[u8] {
        self.data.as_slice()
    }

    #[cfg(feature = "bytes")]
    pub(crate) fn take_data(&mut self) -> alloc::vec::Vec<u8> {
        self.data.take()
    }

    pub(crate) fn name(&self) -> &[u8] {
        self.name.as_slice()
    }

    pub(crate) fn comment(&self) -> &[u8] {
        self.partial.as_slice()
    }

    pub(crate) fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    pub(crate) fn set_last_event_id(&mut self, id: String) {
        self.last_event_id = id;
    }

    pub(crate) fn retry(&self) -> Option<Duration> {
        self.retry
    }
}
