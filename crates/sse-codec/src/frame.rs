use alloc::vec::Vec;
use core::time::Duration;

use crate::{
    encode::{self, EncodeError},
    event::Event,
};

/// One block of an event stream to be written: an event, a comment, a reconnection time, or several of them.
///
/// ```
/// use sse_codec::Frame;
///
/// let mut out = Vec::new();
/// Frame::new().event("delta").data("two\nlines").encode(&mut out)?;
/// assert_eq!(out, b"event: delta\ndata: two\ndata: lines\n\n");
/// # Ok::<(), sse_codec::EncodeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Frame<'a> {
    pub(crate) comment: Option<&'a [u8]>,
    pub(crate) event: Option<&'a [u8]>,
    pub(crate) id: Option<&'a [u8]>,
    pub(crate) retry: Option<Duration>,
    pub(crate) data: Option<&'a [u8]>,
}

impl<'a> Frame<'a> {
    /// An empty block, which is written as nothing.
    pub const fn new() -> Self {
        Self { comment: None, event: None, id: None, retry: None, data: None }
    }

    /// The data. Any bytes; split at LF, CR and CRLF into lines, which a decoder joins by LF. Without data, also
    /// empty data, a reader dispatches no event.
    pub fn data(mut self, data: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        self.data = Some(data.as_ref());
        self
    }

    /// The event type. May not contain CR or LF; an empty one is the default, `message`, and is not written.
    pub const fn event(mut self, event: &'a str) -> Self {
        self.event = Some(event.as_bytes());
        self
    }

    /// The event id. May not contain CR, LF or NUL; an empty one makes readers forget the last id.
    pub const fn id(mut self, id: &'a str) -> Self {
        self.id = Some(id.as_bytes());
        self
    }

    /// The reconnection time, written in whole milliseconds.
    pub const fn retry(mut self, retry: Duration) -> Self {
        self.retry = Some(retry);
        self
    }

    /// A comment, one line for each of its lines.
    pub const fn comment(mut self, comment: &'a str) -> Self {
        self.comment = Some(comment.as_bytes());
        self
    }

    /// Appends the block with its blank line to `out`, which is unchanged after an error.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode::check(self)?;
        out.reserve(self.encoded_len());
        encode::write(self, &mut |bytes| out.extend_from_slice(bytes));
        Ok(())
    }

    /// Writes the block with its blank line to `out`, which is unchanged after an error.
    ///
    /// Fails with [`EncodeError::BufferFull`] if `out` cannot take all of it.
    #[cfg(feature = "bytes")]
    pub fn encode_buf(&self, out: &mut impl bytes::BufMut) -> Result<(), EncodeError> {
        encode::check(self)?;
        let needed = self.encoded_len();
        if out.remaining_mut() < needed {
            return Err(EncodeError::BufferFull { needed });
        }
        encode::write(self, &mut |bytes| out.put_slice(bytes));
        Ok(())
    }

    /// The number of bytes that encoding takes.
    pub fn encoded_len(&self) -> usize {
        let mut len = 0;
        encode::write(self, &mut |bytes| len += bytes.len());
        len
    }
}

/// A decoded event as a block that decodes to the same event.
impl<'a> From<Event<'a>> for Frame<'a> {
    fn from(event: Event<'a>) -> Self {
        Self {
            data: Some(event.data),
            event: Some(event.name),
            id: (!event.last_event_id.is_empty()).then_some(event.last_event_id.as_bytes()),
            ..Self::new()
        }
    }
}
