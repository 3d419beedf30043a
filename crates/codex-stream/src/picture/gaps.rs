//! Times without an event.

use std::time::Duration;

use super::Attempt;

/// Shorter ones are the ordinary rhythm of a stream.
const SHORTEST: Duration = Duration::from_millis(300);
/// What a gap must be of its attempt, at least: 1 of so many parts.
const PARTS: u32 = 20;

/// A time without an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gap {
    /// When it began, since the first attempt began.
    pub from: Duration,
    /// When it ended.
    pub until: Duration,
    /// How often bytes came in between, as of comments that keep a connection alive.
    pub chunks: usize,
}

impl Gap {
    /// How long it was.
    pub fn length(&self) -> Duration {
        self.until.saturating_sub(self.from)
    }
}

/// The gaps that are long by themselves and beside the attempt.
pub(super) fn long(attempt: &Attempt) -> Vec<Gap> {
    let least = SHORTEST.max(attempt.duration() / PARTS);
    let mut gaps: Vec<Gap> = all(attempt).filter(|gap| gap.length() >= least).collect();
    for gap in &mut gaps {
        // The bytes of the event at its end belong to that.
        let bytes = attempt.bytes.iter().filter(|bytes| gap.from < bytes.at && bytes.at < gap.until);
        gap.chunks = bytes.count();
    }
    gaps
}

/// The longest gap, however short.
pub(super) fn longest(attempt: &Attempt) -> Option<Duration> {
    all(attempt).map(|gap| gap.length()).max()
}

/// The times between the beginning, the events and the end.
fn all(attempt: &Attempt) -> impl Iterator<Item = Gap> {
    let times = attempt.marks.iter().map(|mark| mark.at).chain([attempt.ends]);
    let mut from = attempt.begins;
    times.map(move |until| {
        let gap = Gap { from, until, chunks: 0 };
        from = from.max(until);
        gap
    })
}
