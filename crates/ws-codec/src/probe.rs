//! One question before a connection is used again: is the peer still there?

use std::time::Instant;

#[derive(Debug, Default)]
pub(crate) enum Probe {
    #[default]
    None,
    /// The pong to this ping is awaited until then.
    Asked {
        ping: u64,
        until: Option<Instant>,
    },
    Answered,
}

impl Probe {
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Asked { until, .. } => *until,
            Self::None | Self::Answered => None,
        }
    }

    /// Only the answer to this ping, or to a later one, counts: older bytes may have waited in the system's buffers
    /// since before the peer died.
    pub(crate) fn handle_pong(&mut self, payload: &[u8]) {
        let Self::Asked { ping, .. } = self else { return };
        if payload.first_chunk().is_some_and(|pong| payload.len() == 8 && u64::from_be_bytes(*pong) >= *ping) {
            *self = Self::Answered;
        }
    }
}
