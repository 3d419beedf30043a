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

/// A piece of the input. Copied freely, which a `Range` cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    pub(crate) const fn len(self) -> usize {
        self.end - self.start
    }

    pub(crate) const fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// What was found. A field without a span is in the scanner's buffer for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// The input is used up.
    Nothing,
    Event {
        data: Option<Span>,
        name: Option<Span>,
    },
    Comment(Option<Span>),
    Retry(Duration),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Scan {
    /// Bytes of the input that are done with.
    pub(crate) consumed: usize,
    pub(crate) found: Found,
}

/// Where in the stream the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// At the very beginning, with this many bytes of a byte order mark seen.
    Mark(u8),
    LineStart,
    /// At a line start after a CR: one LF still belongs to that line end. Kept over empty chunks.
    AfterCr,
    /// In a cut line of which `partial` has all bytes so far: the start of a field name.
    Name,
    /// Right after the colon of a cut line: one space may follow that is not part of the value.
    Colon(Field),
    /// In the value of a cut line. That of a `data` line goes straight into the data buffer.
    Value(Field),
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

/// Fields of the current block that lie in the current chunk.
#[derive(Debug, Clone, Copy, Default)]
struct Spans {
    data: Option<Span>,
    name: Option<Span>,
    id: Option<Span>,
}

#[derive(Debug, Clone)]
pub(crate) struct Scanner {
    limits: Limits,
    at: At,
    /// Bytes of the cut line so far, unless it is a `data` line, and how many of them stand before its value.
    line_len: usize,
    prefix_len: usize,
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

    /// Reads on from `from` until something of interest is found or the input is used up.
    ///
    /// Inlined into each way in: what it answers would otherwise be copied from memory to memory for every event.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub(crate) fn scan(&mut self, input: &[u8], from: usize, interest: Interest) -> Result<Scan, DecodeError> {
        if self.block == Block::HandedOut {
            self.open_block();
        }
        let mut pos = from;
        if self.at != At::LineStart {
            let resumed = self.resume(input, pos, interest)?;
            // A tiny chunk is used up here more often than not.
            if resumed.found != Found::Nothing || resumed.consumed == input.len() {
                self.counters.bytes += (resumed.consumed - from) as u64;
                return Ok(resumed);
            }
            pos = resumed.consumed;
        }
        let scan = self.scan_lines(input, pos, interest)?;
        self.counters.bytes += (scan.consumed - from) as u64;
        Ok(scan)
    }

    /// Forgets the block that was handed out.
    fn open_block(&mut self) {
        self.block = Block::Open;
        self.data.clear();
        self.name.clear();
    }

    /// A blank line: takes the id over and dispatches, if there was a `data` field (WHATWG HTML 9.2.6).
    #[inline]
    fn blank_line(&mut self, input: &[u8], spans: Spans) -> Found {
        if self.block != Block::Open || self.has_id || spans.id.is_some() {
            self.settle(input, spans.id);
        }
        if spans.data.is_none() && !self.has_data {
            self.name.clear();
            return Found::Nothing;
        }
        if self.has_data || self.name.len() > 0 {
            self.block = Block::HandedOut;
            self.has_data = false;
        }
        self.counters.events += 1;
        Found::Event { data: spans.data, name: spans.name }
    }

    /// What a blank line means for the id, and for a block that is skipped, which has no fields.
    #[cold]
    fn settle(&mut self, input: &[u8], id: Option<Span>) {
        if self.block == Block::Skipped {
            self.block = Block::Open;
            self.counters.skipped += 1;
        }
        if let Some(id) = id {
            self.commit_id(&input[id.range()]);
        } else if self.has_id {
            let id = core::mem::take(&mut self.id);
            self.commit_id(id.as_slice());
            self.id = id;
        }
        self.has_id = false;
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

    /// The data of the open block, outside of its lines of data. At the end of a chunk they are in the buffer.
    pub(crate) fn pending_data(&self) -> Option<&[u8]> {
        (self.has_data && !self.in_data()).then(|| self.data.as_slice())
    }

    /// The data of the open block, inside a line of it.
    pub(crate) fn partial_data(&self) -> Option<&[u8]> {
        (self.has_data && self.in_data()).then(|| self.data.as_slice())
    }

    fn in_data(&self) -> bool {
        match self.at {
            At::Mark(_) | At::LineStart | At::AfterCr => false,
            // What begins as the name does may become it.
            At::Name => b"data".starts_with(self.partial.as_slice()),
            At::Colon(field) | At::Value(field) => field == Field::Data,
        }
    }

    /// Ends the line and the block as line feeds in the stream would. What is found is in the buffers.
    pub(crate) fn flush(&mut self) -> Result<Found, DecodeError> {
        let line_ends: &[u8] = match self.at {
            At::Mark(0) | At::LineStart | At::AfterCr => {
                // The line feed is not the second half of a line end.
                self.at = At::LineStart;
                b"\n"
            }
            At::Mark(_) | At::Name | At::Colon(_) | At::Value(_) => b"\n\n",
        };
        let bytes = self.counters.bytes;
        let scan = self.scan(line_ends, 0, Interest::Events);
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
            At::Name | At::Colon(_) | At::Value(_) => self.partial.len(),
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
