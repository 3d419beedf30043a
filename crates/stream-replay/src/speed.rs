//! How fast a recording is played.

/// How fast a recording is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Speed {
    /// As it was recorded: all waits are kept, by tokio's clock.
    Recorded,
    /// Without any wait.
    #[default]
    Max,
}
