//! The chunked coding (RFC 9112 §7.1): undone for request bodies, applied to answers.

use bytes::{Buf, Bytes, BytesMut};
use httparse::{EMPTY_HEADER, Status};

use crate::head::{MAX_BODY, MAX_HEAD, body_too_large};
use crate::refusal::Refusal;

/// The chunk that ends a body.
pub(crate) const LAST_CHUNK: Bytes = Bytes::from_static(b"0\r\n\r\n");
/// The longest chunk-size line, extensions included.
const MAX_SIZE_LINE: usize = 4096;
const MAX_TRAILERS: usize = 64;

/// A chunk that announces all of `data` and carries its first `sent` bytes; a whole one is closed
/// by its CRLF.
pub(crate) fn chunk(data: &[u8], sent: usize) -> Bytes {
    let mut wire = format!("{:x}\r\n", data.len()).into_bytes();
    wire.extend(&data[..sent]);
    if sent == data.len() {
        wire.extend(b"\r\n");
    }
    wire.into()
}

/// Takes a chunked body off a buffer, whatever the pieces it arrives in.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    body: BytesMut,
    state: State,
}

#[derive(Debug, Clone, Copy, Default)]
enum State {
    #[default]
    Size,
    Data(usize),
    Trailers,
}

impl Decoder {
    /// Takes what `input` has of the body; the body when it is complete (trailers are dropped),
    /// `None` when more bytes are needed.
    pub(crate) fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, Refusal> {
        loop {
            match self.state {
                State::Size => match size_line(input)? {
                    None => return Ok(None),
                    Some(0) => self.state = State::Trailers,
                    Some(size) if size > (MAX_BODY - self.body.len()) as u64 => {
                        return Err(body_too_large());
                    }
                    Some(size) => self.state = State::Data(size as usize),
                },
                State::Data(0) => match input.get(..2) {
                    None => return Ok(None),
                    Some(b"\r\n") => {
                        input.advance(2);
                        self.state = State::Size;
                    }
                    Some(_) => {
                        return Err(Refusal::malformed("a chunk is longer than its size line says"));
                    }
                },
                State::Data(left) => {
                    if input.is_empty() {
                        return Ok(None);
                    }
                    let taken = input.split_to(left.min(input.len()));
                    self.body.extend_from_slice(&taken);
                    self.state = State::Data(left - taken.len());
                }
                State::Trailers => {
                    return Ok(trailers(input)?.map(|()| std::mem::take(&mut self.body).freeze()));
                }
            }
        }
    }
}

/// Takes a chunk-size line off `input`.
fn size_line(input: &mut BytesMut) -> Result<Option<u64>, Refusal> {
    let malformed = || Refusal::malformed("malformed chunk size");
    // The parser would take a line without a digit for a zero.
    if input.first().is_some_and(|byte| !byte.is_ascii_hexdigit()) {
        return Err(malformed());
    }
    match httparse::parse_chunk_size(input) {
        Ok(Status::Complete((length, size))) => {
            input.advance(length);
            Ok(Some(size))
        }
        Ok(Status::Partial) if input.len() < MAX_SIZE_LINE => Ok(None),
        Ok(Status::Partial) | Err(_) => Err(malformed()),
    }
}

/// Takes the trailer section and the empty line after it off `input`.
fn trailers(input: &mut BytesMut) -> Result<Option<()>, Refusal> {
    match httparse::parse_headers(input, &mut [EMPTY_HEADER; MAX_TRAILERS]) {
        Ok(Status::Complete((length, _))) => {
            input.advance(length);
            Ok(Some(()))
        }
        Ok(Status::Partial) if input.len() < MAX_HEAD => Ok(None),
        Ok(Status::Partial) => Err(Refusal::new(431, format!("the trailers are larger than {MAX_HEAD} bytes"))),
        Err(error) => Err(Refusal::malformed(format!("malformed trailers: {error}"))),
    }
}

#[cfg(test)]
mod tests;
