//! A message in fragments (RFC 6455, section 5.4).

use bytes::{Bytes, BytesMut};

use crate::error::ErrorKind;

/// The payloads of the fragments so far.
#[derive(Debug)]
pub(crate) struct Assembly {
    pub(crate) kind: DataKind,
    data: BytesMut,
    fragments: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataKind {
    Text,
    Binary,
}

impl Assembly {
    pub(crate) fn new(kind: DataKind) -> Self {
        Self { kind, data: BytesMut::new(), fragments: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.data.len()
    }

    pub(crate) fn begin_fragment(&mut self, limit: usize) -> Result<(), ErrorKind> {
        self.fragments += 1;
        if self.fragments > limit { Err(ErrorKind::TooManyFragments { limit }) } else { Ok(()) }
    }

    /// Appends to a message that is known to stay within `limit` bytes.
    pub(crate) fn push(&mut self, payload: &[u8], limit: usize) {
        let needed = self.data.len() + payload.len();
        if needed > self.data.capacity() {
            let doubled = self.data.capacity().saturating_mul(2).min(limit);
            grow(&mut self.data, doubled.max(needed));
        }
        self.data.extend_from_slice(payload);
    }

    pub(crate) fn finish(self) -> Bytes {
        self.data.freeze()
    }
}

/// Gives the buffer exactly this capacity. Its own way of growing doubles, also past the end of what will come.
pub(crate) fn grow(buffer: &mut BytesMut, capacity: usize) {
    let mut larger = BytesMut::with_capacity(capacity);
    larger.extend_from_slice(buffer);
    *buffer = larger;
}
