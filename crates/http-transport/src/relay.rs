//! A waker between hyper and the task that polls.
//!
//! The two halves of a hyper connection, its future and the body, wake each other with every chunk. Polled in place by
//! one task, they would wake that task while it runs, and every chunk would cost one more poll that finds nothing.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Nobody polls: a wake is for the task.
const AT_REST: u8 = 0;
/// Somebody polls, and will look at everything before it rests.
const AT_WORK: u8 = 1;
/// As before, and something woke.
const WOKEN: u8 = 2;

/// How often in a row halves that woke each other are polled before the task is woken instead. One wakes the other, and
/// what that does is seen; what takes longer has used up a budget, or goes on for long.
const ROUNDS: usize = 2;

/// Passes wakes on to the task, but keeps those back that come while the task polls and finds what they announce.
///
/// What is shared with the wakers is touched as little as possible: there is a relay for each of many streams, and
/// every locked access to memory that has left the cache is one that the processor waits for.
#[derive(Debug)]
pub(crate) struct Relay {
    shared: Arc<Shared>,
    /// Wakes `shared`.
    waker: Waker,
    /// The same as in `shared.task`.
    task: Waker,
}

#[derive(Debug)]
struct Shared {
    state: AtomicU8,
    /// `None` before the first poll. What a waker does when it is cloned, called or dropped is its own business, and
    /// not done under the lock: hence the `Arc`.
    task: Mutex<Option<Arc<Waker>>>,
}

impl Relay {
    pub(crate) fn new() -> Self {
        let shared = Arc::new(Shared { state: AtomicU8::new(AT_REST), task: Mutex::default() });
        let waker = Waker::from(Arc::clone(&shared));
        Self { shared, waker, task: Waker::noop().clone() }
    }

    /// Polls with the relay in place of the task's waker, once more if that woke something. A wake is lost only if
    /// `poll` is ready: then it is called again anyhow.
    pub(crate) fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        if !self.task.will_wake(cx.waker()) {
            self.task.clone_from(cx.waker());
            let task = Arc::new(cx.waker().clone());
            let before = self.shared.task().replace(task);
            drop(before);
        }
        for _ in 0..ROUNDS {
            self.shared.state.store(AT_WORK, Ordering::Release);
            let answer = poll(&mut Context::from_waker(&self.waker));
            if answer.is_ready() {
                self.shared.state.store(AT_REST, Ordering::Release);
                return answer;
            }
            if self.shared.state.swap(AT_REST, Ordering::AcqRel) != WOKEN {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Shared {
    fn task(&self) -> MutexGuard<'_, Option<Arc<Waker>>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let seen = self.state.compare_exchange(AT_WORK, WOKEN, Ordering::AcqRel, Ordering::Acquire);
        if seen == Err(AT_REST) {
            let task = self.task().clone();
            if let Some(task) = task {
                task.wake_by_ref();
            }
        }
    }
}

#[cfg(test)]
mod tests;
