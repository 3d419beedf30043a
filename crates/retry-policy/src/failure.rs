//! One failed attempt, as the policy sees it.

use crate::{FailureClass, Hint};

/// How far the attempt had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// The request was not sent yet: name look-up, connection, TLS, proxy, upgrade.
    Connect,
    /// The request was sent; its first event had not arrived.
    Head,
    /// Events were arriving.
    Streaming,
}

/// Whether the request could go over another transport.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fallback {
    /// This transport is the last one, or the caller insists on it.
    #[default]
    None,
    /// Another transport is there.
    Possible,
    /// Another transport is there, and this one is out of the question for the request, whatever class the failure
    /// has: the service will not have it, or it cannot carry a message of that size.
    Demanded,
}

/// What went wrong with one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// What kind of failure.
    pub class: FailureClass,
    /// How far the attempt had come.
    pub phase: Phase,
    /// What the service said about trying again.
    pub hint: Hint,
    /// Whether the request could go over another transport.
    pub fallback: Fallback,
}

impl Failure {
    /// A failure without a hint and without a transport to fall back to.
    pub const fn new(class: FailureClass, phase: Phase) -> Self {
        Self { class, phase, hint: Hint::NONE, fallback: Fallback::None }
    }

    /// The same failure with the service's hint.
    pub const fn with_hint(self, hint: Hint) -> Self {
        Self { hint, ..self }
    }

    /// The same failure on a transport that can, cannot, or has to be left for another.
    pub const fn with_fallback(self, fallback: Fallback) -> Self {
        Self { fallback, ..self }
    }
}
