//! When to ask the peer for a sign of life, and when to give it up.

use std::time::Instant;

use crate::Timers;

/// A sign of life is any byte received, and any byte the transport took while more waits to be sent: during an upload
/// our ping may sit behind megabytes in the system's buffers.
#[derive(Debug)]
pub(crate) struct KeepAlive {
    timers: Timers,
    state: State,
}

#[derive(Debug)]
enum State {
    Alive { since: Instant },
    Asked { at: Instant },
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Ping,
    Dead,
}

impl KeepAlive {
    pub(crate) fn new(timers: Timers, now: Instant) -> Self {
        Self { timers, state: State::Alive { since: now } }
    }

    pub(crate) fn handle_sign_of_life(&mut self, now: Instant) {
        self.state = State::Alive { since: now };
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let interval = self.timers.ping_interval?;
        match self.state {
            State::Alive { since } => since.checked_add(interval),
            State::Asked { at } => at.checked_add(self.timers.pong_timeout),
        }
    }

    /// A ping that is due late is sent late: only silence after a ping is death.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Due {
        if self.poll_timeout().is_none_or(|at| now < at) {
            return Due::Nothing;
        }
        match self.state {
            State::Alive { .. } => {
                self.state = State::Asked { at: now };
                Due::Ping
            }
            State::Asked { .. } => Due::Dead,
        }
    }
}
