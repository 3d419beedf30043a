//! How fast chunks follow each other.

use std::time::Duration;

/// The pause between two chunks of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Pace {
    /// No pause.
    #[default]
    Max,
    /// This long between one chunk and the next; the first chunk follows the head at once.
    Pause(Duration),
}

impl Pace {
    /// The pause before chunk number `index` (from 0), if there is one.
    pub(crate) fn before(self, index: usize) -> Option<Duration> {
        match self {
            Self::Pause(pause) if index > 0 => Some(pause),
            Self::Pause(_) | Self::Max => None,
        }
    }
}
