//! How much of an answer is collected: one rule for both wires.

use std::io;

use serde::Serialize;

/// Items of one answer; none has a hundredth of them. A search through so few is as good as an index.
pub(crate) const MAX_ITEMS: usize = 10_000;

/// The bytes of an answer that are collected, unless the options say otherwise: twice the usual limit of an event, so
/// that an answer whose every item fits into an event is not refused for their number soon.
pub(crate) const DEFAULT_MAX_BYTES: usize = 64 << 20;

/// What is kept of an answer until its end, here or by those who collect its items. Counted when it is there: it goes
/// over a limit by one payload at most, of which no items are opened beyond it.
#[derive(Debug)]
pub(crate) struct Collected {
    items: usize,
    /// As the service sent them.
    bytes: usize,
    max_bytes: usize,
}

impl Collected {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { items: 0, bytes: 0, max_bytes }
    }

    pub(crate) fn add_items(&mut self, items: usize) {
        self.items = self.items.saturating_add(items);
    }

    pub(crate) fn add_bytes(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Whether there is too much of anything: for good.
    pub(crate) fn is_excessive(&self) -> bool {
        self.items > MAX_ITEMS || self.bytes > self.max_bytes
    }

    /// What there is too much of, once there is.
    pub(crate) fn excess(&self) -> Option<String> {
        if self.items > MAX_ITEMS {
            return Some(format!("the answer has more than {MAX_ITEMS} items"));
        }
        let max_bytes = self.max_bytes;
        (self.bytes > max_bytes).then(|| format!("the answer is larger than the limit of {max_bytes} bytes"))
    }
}

/// The length of a value as JSON text.
pub(crate) fn json_len(value: &impl Serialize) -> usize {
    struct Count(usize);

    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut count = Count(0);
    // Counting does not fail, and a value has no keys that are no text.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}
