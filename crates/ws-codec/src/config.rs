use crate::{Limits, Timers};

/// Everything that can be set on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Config {
    /// Sizes.
    pub limits: Limits,
    /// Durations.
    pub timers: Timers,
    /// What a binary message is.
    pub binary: Binary,
}

/// What a binary message from the peer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Binary {
    /// A failure: [`ErrorKind::UnexpectedBinary`](crate::ErrorKind::UnexpectedBinary), as soon as its header is
    /// read; the peer gets Close 1003. For protocols that are JSON text.
    #[default]
    Refuse,
    /// A [`Message::Binary`](crate::Message::Binary).
    Accept,
}

impl Config {
    /// The defaults of [`Limits`] and [`Timers`], binary messages refused.
    pub const fn new() -> Self {
        Self { limits: Limits::new(), timers: Timers::new(), binary: Binary::Refuse }
    }

    /// With these sizes.
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// With these durations.
    pub const fn timers(mut self, timers: Timers) -> Self {
        self.timers = timers;
        self
    }

    /// With this answer to binary messages.
    pub const fn binary(mut self, binary: Binary) -> Self {
        self.binary = binary;
        self
    }
}
