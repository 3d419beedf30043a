//! How the bytes of an input become what a property needs.

/// The first line of an input steers: each of its bytes is a number, the place of a letter in the alphabet (`a` is 1,
/// a blank or `@` is 0). What is behind the line is read. An input without a line end is all read.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a> {
    steering: &'a [u8],
    /// What is read.
    pub(crate) body: &'a [u8],
}

impl<'a> Input<'a> {
    pub(crate) fn of(data: &'a [u8]) -> Self {
        match data.iter().position(|byte| *byte == b'\n') {
            Some(end) => Self { steering: &data[..end], body: &data[end + 1..] },
            None => Self { steering: &[], body: data },
        }
    }

    /// The same steering for other bytes.
    pub(crate) fn with_body(self, body: &'a [u8]) -> Self {
        Self { body, ..self }
    }

    /// The number at a place of the steering line, from 0 to 31; 0 behind its end.
    pub(crate) fn number(&self, at: usize) -> usize {
        self.steering.get(at).map_or(0, |byte| number(*byte))
    }

    /// The body in chunks, whose lengths are the numbers from a place of the steering line on, again and again. Without
    /// a number that is not zero it is one chunk.
    pub(crate) fn chunks(&self, from: usize) -> Vec<&'a [u8]> {
        let lengths = self.steering.get(from..).unwrap_or_default();
        if lengths.iter().all(|byte| number(*byte) == 0) {
            return vec![self.body];
        }
        let mut chunks = Vec::new();
        let mut rest = self.body;
        for length in lengths.iter().cycle().map(|byte| number(*byte)) {
            if rest.is_empty() {
                break;
            }
            let (chunk, behind) = rest.split_at(length.min(rest.len()));
            chunks.push(chunk);
            rest = behind;
        }
        chunks
    }

    /// The body in every way in which it is to give the same: whole, as steered, and byte by byte.
    pub(crate) fn chunkings(&self, from: usize) -> [Vec<&'a [u8]>; 3] {
        [vec![self.body], self.chunks(from), self.body.chunks(1).collect()]
    }
}

fn number(byte: u8) -> usize {
    usize::from(byte & 0x1f)
}
