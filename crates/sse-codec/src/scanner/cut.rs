//! Lines cut by the end of a chunk: entered at the cut, and resumed with the next chunk.

use core::mem;

use super::{At, Block, Found, Interest, Scan, Scanner, admit::Admit, whole::line_end};
use crate::{
    error::DecodeError,
    field::{Field, Prefix, retry_millis},
};

/// Room for the start of a name: the longest known one, rounded up.
const NAME_SPACE: usize = 8;

/// How much of a long piece is searched before it is copied: as much as the nearest cache still holds then.
const NEAR: usize = 8 << 10;

const BYTE_ORDER_MARK: &[u8; 3] = b"\xEF\xBB\xBF";

impl Scanner {
    /// Takes the non-empty start of a line whose end is not in the chunk.
    pub(super) fn cut(&mut self, start: &[u8], interest: Interest) -> Result<(), DecodeError> {
        if let Some(value) = start.strip_prefix(b"data: ") {
            // The usual case: the first line of data, far from any limit.
            if self.block == Block::Open && !self.has_data && value.len() < self.limits.event {
                self.has_data = true;
                self.at = At::Value(Field::Data);
                self.push_data(value);
                return Ok(());
            }
        }
        self.partial.clear();
        self.line_len = 0;
        match Prefix::of(start) {
            Prefix::Undecided => self.name_bytes(start, interest),
            Prefix::Value(field, from) => {
                self.begin_value(field, from, interest)?;
                self.value_bytes(&start[from..])
            }
        }
    }

    /// Takes what `input` has of a cut `data` line, up to the next line start. Answers how many bytes that is; none of
    /// them means that [`scan`](Self::scan) has to look.
    ///
    /// What tiny chunks are made of: all that it takes to read one is here, and small.
    #[inline]
    pub(crate) fn take_cut_data(&mut self, input: &[u8]) -> usize {
        if self.at != At::Value(Field::Data) {
            return 0;
        }
        if let [byte] = *input {
            let taken =
                byte != b'\n' && byte != b'\r' && self.data.len() + 1 < self.limits.event && self.data.push(byte);
            self.counters.copied += u64::from(taken);
            self.counters.bytes += u64::from(taken);
            return usize::from(taken);
        }
        self.take_cut_piece(input)
    }

    #[inline(never)]
    fn take_cut_piece(&mut self, input: &[u8]) -> usize {
        let mut taken = 0;
        while taken < input.len() {
            let rest = &input[taken..];
            let near = &rest[..rest.len().min(NEAR)];
            let end = line_end(near);
            let piece = end.map_or(near, |end| &near[..end]);
            if self.data.len() + piece.len() >= self.limits.event {
                break;
            }
            self.push_data(piece);
            taken += piece.len();
            if end.is_some() {
                taken = self.end_line(input, taken);
                break;
            }
        }
        self.counters.bytes += taken as u64;
        taken
    }

    /// Reads on from `pos`, which is not a plain line start, up to the next one or the end of the input.
    #[inline(never)]
    pub(super) fn resume(&mut self, input: &[u8], mut pos: usize, interest: Interest) -> Result<Scan, DecodeError> {
        while let Some(&first) = input.get(pos) {
            match self.at {
                At::Mark(seen) => {
                    if first == BYTE_ORDER_MARK[usize::from(seen)] {
                        pos += 1;
                        self.at = if seen == 2 { At::LineStart } else { At::Mark(seen + 1) };
                    } else if seen == 0 {
                        self.at = At::LineStart;
                    } else {
                        // Not a mark after all, but the start of a field name that nobody knows.
                        self.begin_value(Field::Unknown, usize::from(seen), interest)?;
                    }
                }
                At::AfterCr => {
                    pos += usize::from(first == b'\n');
                    self.at = At::LineStart;
                }
                At::LineStart => break,
                At::Name if matches!(first, b'\n' | b'\r') => {
                    pos = self.end_line(input, pos);
                    let found = self.end_name(interest)?;
                    return Ok(Scan { consumed: pos, found });
                }
                At::Name => {
                    self.name_bytes(&input[pos..=pos], interest)?;
                    pos += 1;
                }
                At::Colon(_) | At::Value(_) => {
                    let end = line_end(&input[pos..]);
                    let stop = end.map_or(input.len(), |len| pos + len);
                    self.value_bytes(&input[pos..stop])?;
                    pos = stop;
                    if end.is_some() {
                        let found = self.end_value(interest);
                        pos = self.end_line(input, pos);
                        return Ok(Scan { consumed: pos, found });
                    }
                }
            }
        }
        Ok(Scan { consumed: pos, found: Found::Nothing })
    }

    #[inline]
    fn end_line(&mut self, input: &[u8], end: usize) -> usize {
        self.at = At::LineStart;
        self.past_line_end(input, end)
    }

    /// Takes bytes of a field name, of which it has been seen that no line end is among them.
    fn name_bytes(&mut self, bytes: &[u8], interest: Interest) -> Result<(), DecodeError> {
        self.at = At::Name;
        self.line_len += bytes.len();
        self.partial.append(bytes, NAME_SPACE);
        match Prefix::of(self.partial.as_slice()) {
            Prefix::Undecided => Ok(()),
            Prefix::Value(field, _) => {
                self.begin_value(field, self.line_len, interest)?;
                self.value_bytes(b"")
            }
        }
    }

    /// The colon has come, or the name is unknown: `from` bytes of the line lie before what follows.
    fn begin_value(&mut self, field: Field, from: usize, interest: Interest) -> Result<(), DecodeError> {
        let field = self.noticed(self.unless_skipped(field), interest);
        self.line_len = from;
        self.prefix_len = from;
        self.partial.clear();
        let field = match field {
            Field::Data => self.begin_data()?,
            field => field,
        };
        self.at = At::Colon(field);
        Ok(())
    }

    /// One more `data` line: from here on its bytes go straight into the data buffer.
    fn begin_data(&mut self) -> Result<Field, DecodeError> {
        let joined = if self.has_data { self.data.len() + 1 } else { 0 };
        if self.admit(Field::Data, 0, 0, joined)? == Admit::Drop {
            return Ok(Field::Unknown);
        }
        if self.has_data {
            self.push_data(b"\n");
        }
        self.has_data = true;
        Ok(Field::Data)
    }

    /// Takes bytes of a value, without its line end.
    fn value_bytes(&mut self, mut bytes: &[u8]) -> Result<(), DecodeError> {
        let field = match self.at {
            At::Colon(field) => {
                let Some(&first) = bytes.first() else {
                    return self.take_value_bytes(field, bytes);
                };
                self.at = At::Value(field);
                if first == b' ' {
                    bytes = &bytes[1..];
                    self.line_len += 1;
                    self.prefix_len += 1;
                }
                field
            }
            At::Value(field) => field,
            At::Mark(_) | At::LineStart | At::AfterCr | At::Name => return Ok(()),
        };
        self.take_value_bytes(field, bytes)
    }

    fn take_value_bytes(&mut self, field: Field, bytes: &[u8]) -> Result<(), DecodeError> {
        self.line_len = self.line_len.saturating_add(bytes.len());
        let (value_len, joined) = match field {
            // The buffer has the lines before this one, and this one so far.
            Field::Data => (bytes.len(), self.data.len()),
            _ => (self.line_len - self.prefix_len, 0),
        };
        if self.admit(field, self.line_len, value_len, joined)? == Admit::Drop {
            self.at = At::Value(Field::Unknown);
            return Ok(());
        }
        match field {
            Field::Data => self.push_data(bytes),
            Field::Event | Field::Id | Field::Retry | Field::Comment => {
                self.counters.copied += bytes.len() as u64;
                self.partial.append(bytes, self.limits.field);
            }
            Field::Unknown => {}
        }
        Ok(())
    }

    /// The line ended inside its name: a field without a colon, so with an empty value.
    fn end_name(&mut self, interest: Interest) -> Result<Found, DecodeError> {
        let (field, _) = Field::of_line(self.partial.as_slice());
        self.partial.clear();
        match self.unless_skipped(field) {
            Field::Data => {
                self.begin_data()?;
                Ok(Found::Nothing)
            }
            field if self.admit(field, self.line_len, 0, 0)? == Admit::Drop => Ok(Found::Nothing),
            field => Ok(self.take_value(field, interest)),
        }
    }

    /// The line of a value ended.
    fn end_value(&mut self, interest: Interest) -> Found {
        match self.at {
            At::Colon(field) | At::Value(field) => self.take_value(field, interest),
            At::Mark(_) | At::LineStart | At::AfterCr | At::Name => Found::Nothing,
        }
    }

    /// Takes a whole value, which is in `partial` unless it is data.
    fn take_value(&mut self, field: Field, interest: Interest) -> Found {
        match field {
            Field::Event => mem::swap(&mut self.name, &mut self.partial),
            // An `id` with NUL is ignored (WHATWG HTML 9.2.6).
            Field::Id if memchr::memchr(0, self.partial.as_slice()).is_none() => {
                mem::swap(&mut self.id, &mut self.partial);
                self.has_id = true;
            }
            Field::Retry => {
                let retry = retry_millis(self.partial.as_slice());
                return self.take_retry(retry, interest);
            }
            Field::Comment => return Found::Comment(None),
            Field::Id | Field::Data | Field::Unknown => {}
        }
        Found::Nothing
    }
}
