/// What a [`Decoder`](crate::Decoder) may hold in memory, and what happens beyond.
///
/// Limits depend on the content of the stream only, never on how it is cut into chunks: an event that is too large
/// is refused even when it lies whole in one chunk.
///
/// ```
/// use sse_codec::{Limits, Overflow};
///
/// let limits = Limits::new().max_event_bytes(1 << 20).on_overflow(Overflow::SkipEvent);
/// assert_eq!(limits.get_max_event_bytes(), 1 << 20);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    pub(crate) event: usize,
    pub(crate) line: usize,
    pub(crate) field: usize,
    pub(crate) overflow: Overflow,
}

/// What happens to an event that passes one of the [`Limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Overflow {
    /// The decoder fails: this and every later call return the error, until [`reset`](crate::Decoder::reset).
    #[default]
    Fail,
    /// The block is dropped up to its blank line and counted in [`Counters::skipped`](crate::Counters::skipped);
    /// its `id` is not taken over.
    SkipEvent,
}

impl Limits {
    /// 32 MiB for an event and for a line that nobody reads, 64 KiB for an `event`, `id` or `retry` value, and
    /// [`Overflow::Fail`].
    pub const fn new() -> Self {
        Self { event: 32 << 20, line: 32 << 20, field: 64 << 10, overflow: Overflow::Fail }
    }

    /// The most bytes of data in one event. Each `data` line counts its value and one byte for its line feed, so that
    /// empty lines are not free. Default 32 MiB.
    pub const fn max_event_bytes(mut self, bytes: usize) -> Self {
        self.event = bytes;
        self
    }

    /// The most bytes in a line that nobody reads: a comment or an unknown field, without its line end. Such lines
    /// take no memory; the limit ends a stream that never ends its line. Default 32 MiB.
    pub const fn max_line_bytes(mut self, bytes: usize) -> Self {
        self.line = bytes;
        self
    }

    /// The most bytes in the value of an `event`, `id` or `retry` field, or in a comment that is handed out as an
    /// [`Item`](crate::Item). Default 64 KiB.
    pub const fn max_field_bytes(mut self, bytes: usize) -> Self {
        self.field = bytes;
        self
    }

    /// What happens to an event that passes a limit. Default [`Overflow::Fail`].
    pub const fn on_overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// The limit set by [`max_event_bytes`](Self::max_event_bytes), in bytes.
    pub const fn get_max_event_bytes(&self) -> usize {
        self.event
    }

    /// The limit set by [`max_line_bytes`](Self::max_line_bytes), in bytes.
    pub const fn get_max_line_bytes(&self) -> usize {
        self.line
    }

    /// The limit set by [`max_field_bytes`](Self::max_field_bytes), in bytes.
    pub const fn get_max_field_bytes(&self) -> usize {
        self.field
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}
