use crate::{
    decoder::{Decoded, DecodedItem, Decoder},
    error::DecodeError,
    event::{Event, Item},
};

/// A chunk being read, from [`Decoder::feed`]. Lends one event at a time.
///
/// Nothing is lost when a feed is dropped before `next` returned `None`: the decoder copies the unread rest and the
/// next feed reads it first (`feed(&[])` will do). A reader that stops early on every chunk fills memory that way, so
/// more than one such rest counts against [`Limits::max_event_bytes`](crate::Limits::max_event_bytes).
#[derive(Debug)]
pub struct Feed<'d> {
    decoder: &'d mut Decoder,
    chunk: &'d [u8],
}

impl<'d> Feed<'d> {
    #[inline]
    pub(crate) fn new(decoder: &'d mut Decoder, chunk: &'d [u8]) -> Self {
        Self { decoder, chunk }
    }

    /// The next event, or `None` when the chunk is used up. Not an [`Iterator`]: the event borrows from the feed.
    ///
    /// Fails when a limit is passed; the rest of the chunk is lost then.
    #[allow(clippy::should_implement_trait)]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Event<'_>>, DecodeError> {
        let Decoded { consumed, event } = self.decoder.decode(self.chunk)?;
        self.chunk = &self.chunk[consumed..];
        Ok(event)
    }

    /// The next event, comment or reconnection time, or `None` when the chunk is used up.
    pub fn next_item(&mut self) -> Result<Option<Item<'_>>, DecodeError> {
        let DecodedItem { consumed, item } = self.decoder.decode_item(self.chunk)?;
        self.chunk = &self.chunk[consumed..];
        Ok(item)
    }

    /// The part of the chunk that was not read yet.
    pub fn remaining(&self) -> &[u8] {
        self.chunk
    }

    /// Drops the unread part of the chunk instead of keeping it, when nothing after the last event matters.
    pub fn discard(mut self) {
        self.chunk = &[];
    }
}

impl Drop for Feed<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.chunk.is_empty() {
            self.decoder.keep_unread(self.chunk);
        }
    }
}
