/// How a stream ended, as [`Decoder::finish`](crate::Decoder::finish) saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Between two events: nothing was pending.
    Clean,
    /// Inside a line or a block. The standard discards that block; a caller that knows how its stream ends can tell
    /// by this that it was cut.
    Truncated {
        /// Whether the discarded part had a `data` field, so that an event was lost.
        had_data: bool,
        /// Bytes discarded from the buffers.
        buffered: usize,
    },
}

impl End {
    /// Whether nothing was pending.
    pub const fn is_clean(&self) -> bool {
        matches!(self, Self::Clean)
    }
}
