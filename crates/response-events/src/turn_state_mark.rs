//! What can be told of a turn state: whether it is the same as another.

use std::{fmt, sync::Arc};

/// A turn-state value that can be compared with others and is shown to nobody.
///
/// Transcripts give each value a letter, so that a reader sees which request sends what which head brought.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TurnStateMark(Arc<str>);

impl TurnStateMark {
    /// The mark of a value.
    pub fn new(value: &str) -> Self {
        Self(value.into())
    }
}

impl fmt::Debug for TurnStateMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TurnStateMark([redacted])")
    }
}
