//! How much room a read is given.

const SMALLEST: usize = 4 << 10;
const LARGEST: usize = 128 << 10;

/// Doubles when a read fills it, halves after two reads of less than a quarter: a quiet connection holds 4 KiB.
#[derive(Debug)]
pub(crate) struct ReadSize {
    size: usize,
    small_reads: u8,
}

impl ReadSize {
    pub(crate) fn new() -> Self {
        Self { size: SMALLEST, small_reads: 0 }
    }

    pub(crate) fn get(&self) -> usize {
        self.size
    }

    /// Learns from a read of `read` bytes that had `room` bytes.
    pub(crate) fn record(&mut self, read: usize, room: usize) {
        if read >= room.min(self.size) {
            self.size = (self.size * 2).min(LARGEST);
            self.small_reads = 0;
        } else if read >= self.size / 4 {
            self.small_reads = 0;
        } else if self.small_reads == 0 {
            self.small_reads = 1;
        } else {
            self.size = (self.size / 2).max(SMALLEST);
            self.small_reads = 0;
        }
    }
}
