use bytes::Bytes;

use crate::{decoder::Decoder, error::DecodeError, owned::OwnedEvent};

/// A chunk being read, from [`Decoder::feed_bytes`]: an iterator over its events, which ends after an error.
///
/// Dropped early, it keeps the unread rest in the decoder as a [`Feed`](crate::Feed) does.
#[derive(Debug)]
pub struct FeedBytes<'d> {
    decoder: &'d mut Decoder,
    chunk: Bytes,
    ended: bool,
}

impl Decoder {
    /// Takes a chunk and gives its events one by one, as slices of it where they lie in it whole.
    #[inline]
    pub fn feed_bytes(&mut self, chunk: Bytes) -> FeedBytes<'_> {
        FeedBytes { decoder: self, chunk, ended: false }
    }
}

impl FeedBytes<'_> {
    /// The part of the chunk that was not read yet.
    pub const fn remaining(&self) -> &Bytes {
        &self.chunk
    }

    /// Drops the unread part of the chunk instead of keeping it, when nothing after the last event matters.
    pub fn discard(mut self) {
        self.chunk = Bytes::new();
    }
}

impl Iterator for FeedBytes<'_> {
    type Item = Result<OwnedEvent, DecodeError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.decoder.next_owned(&mut self.chunk).transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

impl core::iter::FusedIterator for FeedBytes<'_> {}

impl Drop for FeedBytes<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.chunk.is_empty() {
            self.decoder.keep_unread(&self.chunk);
        }
    }
}
