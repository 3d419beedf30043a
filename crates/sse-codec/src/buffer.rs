//! A byte buffer that grows by doubling but never past its limit, and gives memory back.

use alloc::vec::Vec;

/// Capacity that a buffer keeps from one event to the next.
pub(crate) const KEEP: usize = 64 << 10;

/// The first allocation, so that one-byte chunks do not begin with a row of tiny ones.
const FIRST: usize = 256;

#[derive(Debug, Clone, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
}

impl Buffer {
    pub(crate) const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Appends. The caller has checked that the result fits `limit`.
    #[inline]
    pub(crate) fn append(&mut self, bytes: &[u8], limit: usize) {
        let need = self.bytes.len() + bytes.len();
        if need > self.bytes.capacity() {
            self.grow(need, limit);
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends one byte if there is room for it.
    #[inline]
    pub(crate) fn push(&mut self, byte: u8) -> bool {
        let has_room = self.bytes.len() < self.bytes.capacity();
        if has_room {
            self.bytes.push(byte);
        }
        has_room
    }

    #[cold]
    fn grow(&mut self, need: usize, limit: usize) {
        let target = self.bytes.capacity().saturating_mul(2).max(FIRST).min(limit).max(need);
        self.bytes.reserve_exact(target - self.bytes.len());
    }

    /// Empties the buffer; a large one gives its memory back.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        if self.bytes.capacity() > KEEP {
            self.bytes = Vec::new();
        }
    }

    /// Empties the buffer and hands over what it held.
    #[cfg(feature = "bytes")]
    pub(crate) fn take(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.bytes)
    }
}
