//! The fast path: lines that lie whole in the chunk.

use super::{At, Block, Found, Interest, Scan, Scanner, Span, Spans, admit::Admit};
use crate::{
    error::DecodeError,
    field::{Field, retry_millis},
};

/// Below this length setting up the vectorised search costs more than it saves.
const SEARCH_FROM: usize = 16;

/// The first LF or CR.
#[inline]
pub(super) fn line_end(bytes: &[u8]) -> Option<usize> {
    #[cfg(test)]
    tests::SEARCHED.with(|searched| searched.set(searched.get() + bytes.len()));
    if bytes.len() < SEARCH_FROM {
        bytes.iter().position(|&byte| byte == b'\n' || byte == b'\r')
    } else {
        memchr::memchr2(b'\n', b'\r', bytes)
    }
}

impl Scanner {
    /// Reads lines from `pos`, which is at a line start.
    #[allow(clippy::inline_always)]
    #[inline(always)] // as `scan`
    pub(super) fn scan_lines(&mut self, input: &[u8], mut pos: usize, interest: Interest) -> Result<Scan, DecodeError> {
        let mut spans = Spans::default();
        while let Some(&first) = input.get(pos) {
            if first == b'\n' || first == b'\r' {
                pos = self.past_line_end(input, pos);
                let found = self.blank_line(input, spans);
                if found != Found::Nothing {
                    return Ok(Scan { consumed: pos, found });
                }
                spans = Spans::default();
                continue;
            }
            let Some(len) = line_end(&input[pos..]) else {
                self.spill(input, spans);
                self.cut(&input[pos..], interest)?;
                return Ok(Scan { consumed: input.len(), found: Found::Nothing });
            };
            let line = Span { start: pos, end: pos + len };
            pos = self.past_line_end(input, line.end);
            if let Some(value) = after_name(input, line, b"data:") {
                if spans.data.is_none() && !self.has_data && self.block == Block::Open && len < self.limits.event {
                    spans.data = Some(value);
                    continue;
                }
            } else if let Some(value) = after_name(input, line, b"event:") {
                if self.block == Block::Open && len <= self.limits.field {
                    spans.name = Some(value);
                    continue;
                }
            }
            // A copy, so that the spans can stay in registers.
            let mut noted = spans;
            let found = self.other_line(input, line, &mut noted, interest)?;
            spans = noted;
            if found != Found::Nothing {
                // Mid-block, and the chunk is the caller's again.
                self.spill(input, spans);
                return Ok(Scan { consumed: pos, found });
            }
        }
        self.spill(input, spans);
        Ok(Scan { consumed: pos, found: Found::Nothing })
    }

    /// The position after the line end at `end`. A CR counts at once; an LF that belongs to it may be yet to come.
    #[inline]
    pub(super) fn past_line_end(&mut self, input: &[u8], end: usize) -> usize {
        if input[end] == b'\n' {
            return end + 1;
        }
        match input.get(end + 1) {
            Some(b'\n') => end + 2,
            Some(_) => end + 1,
            None => {
                self.at = At::AfterCr;
                end + 1
            }
        }
    }

    /// Any line, with all that can be about it: a second `data` line, a rare field, a limit, a block that is skipped.
    #[inline(never)]
    fn other_line(
        &mut self,
        input: &[u8],
        line: Span,
        spans: &mut Spans,
        interest: Interest,
    ) -> Result<Found, DecodeError> {
        let (field, offset) = Field::of_line(&input[line.range()]);
        let field = self.noticed(self.unless_skipped(field), interest);
        let value = Span { start: line.start + offset, end: line.end };
        let joined = match spans.data {
            Some(span) => span.len() + 1,
            None if self.has_data => self.data.len() + 1,
            None => 0,
        };
        if self.admit(field, line.len(), value.len(), joined)? == Admit::Drop {
            *spans = Spans::default();
            return Ok(Found::Nothing);
        }
        match field {
            Field::Data if joined == 0 => spans.data = Some(value),
            Field::Data => {
                self.spill_data(input, spans);
                self.push_data(b"\n");
                self.push_data(&input[value.range()]);
            }
            Field::Event => spans.name = Some(value),
            Field::Id if memchr::memchr(0, &input[value.range()]).is_none() => spans.id = Some(value),
            Field::Retry => return Ok(self.take_retry(retry_millis(&input[value.range()]), interest)),
            Field::Comment => return Ok(Found::Comment(Some(value))),
            // An `id` with NUL is ignored (WHATWG HTML 9.2.6).
            Field::Id | Field::Unknown => {}
        }
        Ok(Found::Nothing)
    }

    /// Counts a comment; it stays one only if somebody reads it.
    pub(super) fn noticed(&mut self, field: Field, interest: Interest) -> Field {
        if field != Field::Comment {
            return field;
        }
        self.counters.comments += 1;
        match interest {
            Interest::Events => Field::Unknown,
            Interest::Items => Field::Comment,
        }
    }

    pub(super) fn unless_skipped(&self, field: Field) -> Field {
        match field {
            Field::Data | Field::Event | Field::Id if self.block == Block::Skipped => Field::Unknown,
            field => field,
        }
    }

    /// Copies what the block has in this chunk.
    #[inline(never)]
    pub(super) fn spill(&mut self, input: &[u8], mut spans: Spans) {
        self.spill_data(input, &mut spans);
        if let Some(name) = spans.name {
            self.counters.copied += name.len() as u64;
            self.name.clear();
            self.name.append(&input[name.range()], self.limits.field);
        }
        if let Some(id) = spans.id {
            self.counters.copied += id.len() as u64;
            self.id.clear();
            self.id.append(&input[id.range()], self.limits.field);
            self.has_id = true;
        }
    }

    fn spill_data(&mut self, input: &[u8], spans: &mut Spans) {
        if let Some(data) = spans.data.take() {
            self.has_data = true;
            self.push_data(&input[data.range()]);
        }
    }

    #[inline]
    pub(super) fn push_data(&mut self, bytes: &[u8]) {
        self.counters.copied += bytes.len() as u64;
        self.data.append(bytes, self.limits.event);
    }
}

/// The value of a line that begins with `name`, colon included. A name that the compiler knows is compared fast.
#[inline]
fn after_name<const LEN: usize>(input: &[u8], line: Span, name: &[u8; LEN]) -> Option<Span> {
    let rest = input[line.range()].strip_prefix(name)?;
    let space = usize::from(rest.first() == Some(&b' '));
    Some(Span { start: line.start + LEN + space, end: line.end })
}

#[cfg(test)]
mod tests {
    extern crate std;

    use alloc::vec::Vec;
    use core::cell::Cell;

    use crate::decoder::Decoder;

    std::thread_local! {
        pub(super) static SEARCHED: Cell<usize> = const { Cell::new(0) };
    }

    /// Bytes handed to the line search until `stream` is through, in chunks of `size`.
    fn searched(stream: &[u8], size: usize) -> usize {
        let mut decoder = Decoder::new();
        SEARCHED.set(0);
        for chunk in stream.chunks(size) {
            let mut feed = decoder.feed(chunk);
            while feed.next().unwrap().is_some() {}
        }
        SEARCHED.get()
    }

    #[test]
    fn a_long_line_is_searched_once_however_it_is_cut() {
        let mut stream = Vec::from(*b"data: ");
        stream.resize(1 << 20, b'x');
        stream.extend_from_slice(b"\n\n");
        for size in [1, 7, 64, 1400, 1 << 16, 1 << 22] {
            assert!(searched(&stream, size) <= stream.len(), "chunks of {size}");
        }
    }
}
