//! A waker between hyper and the task that polls.
//!
//! The two halves of a hyper connection, its future and the body, wake each other with every chunk. Polled in place by
//! one task, they would wake that task while it runs, and every chunk would cost one more poll that finds nothing.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Nobody polls: a wake is for the task.
const AT_REST: u8 = 0;
/// Somebody polls, and will look at everything before it rests.
const AT_WORK: u8 = 1;
/// As before, and something woke.
const WOKEN: u8 = 2;

/// Passes wakes on to the task, but keeps those back that come while the task polls and finds what they announce.
#[derive(Debug)]
pub(crate) struct Relay {
    state: AtomicU8,
    task: Mutex<Waker>,
}

impl Relay {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { state: AtomicU8::new(AT_REST), task: Mutex::new(Waker::noop().clone()) })
    }

    /// Polls with the relay in place of the task's waker. A wake is lost only if `poll` is ready: then it is called
    /// again anyhow.
    pub(crate) fn poll<T>(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner).clone_from(cx.waker());
        self.state.store(AT_WORK, Ordering::Release);
        let answer = poll(&mut Context::from_waker(&Waker::from(Arc::clone(self))));
        if self.state.swap(AT_REST, Ordering::AcqRel) == WOKEN && answer.is_pending() {
            // From another thread, or because of a budget: not of what `poll` has already seen.
            cx.waker().wake_by_ref();
        }
        answer
    }
}

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let seen = self.state.compare_exchange(AT_WORK, WOKEN, Ordering::AcqRel, Ordering::Acquire);
        if seen == Err(AT_REST) {
            self.task.lock().unwrap_or_else(PoisonError::into_inner).wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests;
