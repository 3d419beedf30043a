/// What has gone through a [`Decoder`](crate::Decoder) so far: the base for idle and progress timers.
///
/// Comparing two snapshots tells whether anything arrived (`bytes`) and whether anything useful did (`events`).
/// The counts run on over [`reset`](crate::Decoder::reset).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Bytes taken in.
    pub bytes: u64,
    /// Comment lines begun; servers send them as keep-alives.
    pub comments: u64,
    /// Events handed out.
    pub events: u64,
    /// Events dropped under [`Overflow::SkipEvent`](crate::Overflow::SkipEvent).
    pub skipped: u64,
    /// Bytes copied into buffers because an event did not lie in one chunk, or had several `data` lines.
    pub copied: u64,
    /// Bytes of the unfinished event that are held now, unread rests of dropped feeds included.
    pub buffered: usize,
}
