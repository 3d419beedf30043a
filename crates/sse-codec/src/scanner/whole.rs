//! The fast path: lines that lie whole in the chunk.

use core::ops::Range;

use super::{At, Block, Found, Interest, Place, Scan, Scanner, Spans, admit::Admit};
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
    pub(super) fn scan_lines(&mut self, input: &[u8], mut pos: usize, interest: Interest) -> Result<Scan, DecodeError> {
        let mut spans = Spans::default();
        while let Some(&first) = input.get(pos) {
            if first == b'\n' || first == b'\r' {
                pos = self.past_line_end(input, pos);
                let found = self.blank_line(input, &mut spans);
                if found != Found::Nothing {
                    return Ok(Scan { consumed: pos, found });
                }
                continue;
            }
            let Some(len) = line_end(&input[pos..]) else {
                self.spill(input, &mut spans);
                self.cut(&input[pos..], interest)?;
                pos = input.len();
                break;
            };
            let line = pos..pos + len;
            pos = self.past_line_end(input, line.end);
            let found = if first == b'd' {
                self.data_line(input, line, &mut spans)?
            } else {
                self.other_line(input, line, &mut spans, interest)?
            };
            if found != Found::Nothing {
                // Mid-block, and the chunk is the caller's again.
                self.spill(input, &mut spans);
                return Ok(Scan { consumed: pos, found });
            }
        }
        self.spill(input, &mut spans);
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

    /// A line that begins with `d`.
    #[inline]
    fn data_line(&mut self, input: &[u8], line: Range<usize>, spans: &mut Spans) -> Result<Found, DecodeError> {
        let (field, offset) = Field::of_line(&input[line.clone()]);
        let value = line.start + offset..line.end;
        let first = spans.data.is_none() && !self.has_data && self.block == Block::Open;
        if first && field == Field::Data && line.len() < self.limits.event {
            spans.data = Some(value);
            return Ok(Found::Nothing);
        }
        self.joined_data_line(input, line, field, value, spans)
    }

    /// A second `data` line, or one near a limit, or an unknown field.
    fn joined_data_line(
        &mut self,
        input: &[u8],
        line: Range<usize>,
        field: Field,
        value: Range<usize>,
        spans: &mut Spans,
    ) -> Result<Found, DecodeError> {
        let field = self.unless_skipped(field);
        let first = spans.data.is_none() && !self.has_data;
        let joined = match &spans.data {
            Some(span) => span.len() + 1,
            None if self.has_data => self.data.len() + 1,
            None => 0,
        };
        if self.admit(field, line.len(), value.len(), joined)? == Admit::Drop {
            *spans = Spans::default();
        } else if field == Field::Data && first {
            spans.data = Some(value);
        } else if field == Field::Data {
            self.spill_data(input, spans);
            self.push_data(b"\n");
            self.push_data(&input[value]);
        }
        Ok(Found::Nothing)
    }

    fn other_line(
        &mut self,
        input: &[u8],
        line: Range<usize>,
        spans: &mut Spans,
        interest: Interest,
    ) -> Result<Found, DecodeError> {
        let (field, offset) = Field::of_line(&input[line.clone()]);
        let field = self.noticed(self.unless_skipped(field), interest);
        let value = line.start + offset..line.end;
        if self.admit(field, line.len(), value.len(), 0)? == Admit::Drop {
            *spans = Spans::default();
            return Ok(Found::Nothing);
        }
        match field {
            Field::Event => spans.name = Some(value),
            Field::Id if memchr::memchr(0, &input[value.clone()]).is_none() => {
                spans.id = Some(value);
            }
            Field::Retry => return Ok(self.take_retry(retry_millis(&input[value]), interest)),
            Field::Comment => return Ok(Found::Comment(Place::Input(value))),
            // An `id` with NUL is ignored (WHATWG HTML 9.2.6).
            Field::Id | Field::Data | Field::Unknown => {}
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
    pub(super) fn spill(&mut self, input: &[u8], spans: &mut Spans) {
        self.spill_data(input, spans);
        if let Some(name) = spans.name.take() {
            self.counters.copied += name.len() as u64;
            self.name.clear();
            self.name.append(&input[name], self.limits.field);
        }
        if let Some(id) = spans.id.take() {
            self.counters.copied += id.len() as u64;
            self.id.clear();
            self.id.append(&input[id], self.limits.field);
            self.has_id = true;
        }
    }

    fn spill_data(&mut self, input: &[u8], spans: &mut Spans) {
        if let Some(data) = spans.data.take() {
            self.has_data = true;
            self.push_data(&input[data]);
        }
    }

    pub(super) fn push_data(&mut self, bytes: &[u8]) {
        self.counters.copied += bytes.len() as u64;
        self.data.append(bytes, self.limits.event);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use alloc::vec::Vec;
    use core::cell::Cell;

    use super::*;
    use crate::limits::Limits;

    std::thread_local! {
        pub(super) static SEARCHED: Cell<usize> = const { Cell::new(0) };
    }

    /// Bytes handed to the line search until `stream` is through, in chunks of `size`.
    fn searched(stream: &[u8], size: usize) -> usize {
        let mut scanner = Scanner::new(Limits::new());
        SEARCHED.set(0);
        for chunk in stream.chunks(size) {
            let mut pos = 0;
            loop {
                let scan = scanner.scan(&chunk[pos..], Interest::Events).unwrap();
                pos += scan.consumed;
                if scan.found == Found::Nothing {
                    break;
                }
            }
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
