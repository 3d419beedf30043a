//! The budget that sessions share.

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{Budget, Pacing};

/// A [`Budget`] of one origin, shared by its clones.
///
/// Which sessions share one is up to the caller; usually those with the same scheme, host, port and account. Each
/// holds a [`Membership`], so that the bucket grows and shrinks with them.
#[derive(Clone, Default)]
pub struct SharedBudget {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    budget: Budget,
    members: u32,
}

impl SharedBudget {
    /// A full bucket without members, which counts as one session.
    pub fn new(pacing: Pacing) -> Self {
        Self::from(Budget::new(pacing))
    }

    /// Enters one more session, until the membership is dropped.
    pub fn join(&self) -> Membership {
        let mut state = self.lock();
        state.members = state.members.saturating_add(1);
        let members = state.members;
        state.budget.set_sessions(members);
        drop(state);
        Membership { budget: self.clone() }
    }

    /// As [`Budget::reserve`].
    pub fn reserve(&self, now: Instant) -> Duration {
        self.lock().budget.reserve(now)
    }

    /// As [`Budget::reserve_within`].
    ///
    /// # Errors
    ///
    /// The wait that would be needed, when it is longer than `limit`.
    pub fn reserve_within(&self, now: Instant, limit: Duration) -> Result<Duration, Duration> {
        self.lock().budget.reserve_within(now, limit)
    }

    /// As [`Budget::give_back`]: for a retry that was cancelled while it waited.
    pub fn give_back(&self) {
        self.lock().budget.give_back();
    }

    /// As [`Budget::tokens`].
    pub fn tokens(&self) -> i64 {
        self.lock().budget.tokens()
    }

    fn leave(&self) {
        let mut state = self.lock();
        state.members = state.members.saturating_sub(1);
        let members = state.members;
        state.budget.set_sessions(members);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics under the lock, and a bucket is never half written.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Budget> for SharedBudget {
    /// Shares a budget. The number of its sessions holds until somebody joins.
    fn from(budget: Budget) -> Self {
        Self { state: Arc::new(Mutex::new(State { budget, members: 0 })) }
    }
}

impl fmt::Debug for SharedBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedBudget").field("state", &*self.lock()).finish()
    }
}

/// One session's place in a [`SharedBudget`]; dropping it gives the place up.
#[derive(Debug)]
pub struct Membership {
    budget: SharedBudget,
}

impl Deref for Membership {
    type Target = SharedBudget;

    fn deref(&self) -> &SharedBudget {
        &self.budget
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.budget.leave();
    }
}
