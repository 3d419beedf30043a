//! What a request has used up.

use std::time::Duration;

use crate::FailureClass;

/// The one ledger of a request: all layers and transports add to it, so that their retries never multiply.
///
/// It begins with the first attempt under way. [`Policy::decide`](crate::Policy::decide) writes down the failures,
/// and the retries that it grants: nothing else has to be counted by the caller but
/// [`note_progress`](Self::note_progress).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    attempts: u32,
    consecutive: u32,
    before_first_event: u32,
    fell_back: bool,
    waited: Duration,
    retried: [u32; FailureClass::ALL.len()],
    repaired: [bool; FailureClass::ALL.len()],
}

impl Default for Ledger {
    fn default() -> Self {
        Self::new()
    }
}

impl Ledger {
    /// The ledger of a request whose first attempt begins.
    pub const fn new() -> Self {
        Self {
            attempts: 1,
            consecutive: 0,
            before_first_event: 0,
            fell_back: false,
            waited: Duration::ZERO,
            retried: [0; FailureClass::ALL.len()],
            repaired: [false; FailureClass::ALL.len()],
        }
    }

    /// Attempts begun or granted, the first included. Repairs do not count.
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Failures since the last progress. Repaired ones do not count.
    pub const fn consecutive_failures(&self) -> u32 {
        self.consecutive
    }

    /// All waits that were granted, together.
    pub const fn waited(&self) -> Duration {
        self.waited
    }

    /// Repairs made, those of somebody else included.
    pub fn repairs(&self) -> u32 {
        self.repaired.iter().map(|&repaired| u32::from(repaired)).sum()
    }

    /// The repair of a class is somebody else's: a transport, say, that sends again by itself what was never sent. Such
    /// a failure is then retried (or not) like every other.
    pub fn note_repair(&mut self, class: FailureClass) {
        self.repaired[class.index()] = true;
    }

    pub(crate) const fn note_attempt(&mut self) {
        self.attempts = self.attempts.saturating_add(1);
    }

    /// An item was finished: the next failure starts again at the shortest back-off. Attempts and waits stay.
    pub const fn note_progress(&mut self) {
        self.consecutive = 0;
        self.before_first_event = 0;
    }

    pub(crate) const fn note_failure(&mut self) {
        self.consecutive = self.consecutive.saturating_add(1);
    }

    pub(crate) const fn note_blame(&mut self) {
        self.before_first_event = self.before_first_event.saturating_add(1);
    }

    pub(crate) const fn clear_blame(&mut self) {
        self.before_first_event = 0;
    }

    /// Failures in a row, before their first event, that speak against the transport.
    pub(crate) const fn blame(&self) -> u32 {
        self.before_first_event
    }

    pub(crate) const fn note_fallback(&mut self) {
        self.fell_back = true;
        self.before_first_event = 0;
    }

    /// Whether the transport was left already; there is no way back.
    pub(crate) const fn fell_back(&self) -> bool {
        self.fell_back
    }

    /// Takes the repair of a class, if it is still there.
    pub(crate) fn take_repair(&mut self, class: FailureClass) -> bool {
        !std::mem::replace(&mut self.repaired[class.index()], true)
    }

    /// How often a class was retried.
    pub(crate) const fn retried(&self, class: FailureClass) -> u32 {
        self.retried[class.index()]
    }

    pub(crate) const fn note_retry(&mut self, class: FailureClass) {
        let count = &mut self.retried[class.index()];
        *count = count.saturating_add(1);
        self.note_attempt();
    }

    pub(crate) const fn note_wait(&mut self, delay: Duration) {
        self.waited = self.waited.saturating_add(delay);
    }
}
