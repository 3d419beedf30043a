use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};

use super::{Relay, Shared};

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Polls once with `poll`, then wakes whatever it kept; answers how often the task was woken by each.
fn check(mut poll: impl FnMut(&Waker) -> Poll<()>, expected: (usize, usize)) {
    let task = Arc::new(Count::default());
    let mut kept = None;
    _ = Relay::new().poll(&mut Context::from_waker(&Waker::from(Arc::clone(&task))), |cx| {
        kept = Some(cx.waker().clone());
        poll(cx.waker())
    });
    let during = task.0.load(SeqCst);
    kept.expect("it was polled").wake();
    assert_eq!((during, task.0.load(SeqCst) - during), expected);
}

#[test]
fn a_wake_at_rest_is_passed_on() {
    check(|_| Poll::Pending, (0, 1));
}

#[test]
fn a_wake_at_work_is_kept_back_when_the_poll_is_ready() {
    let wake = |waker: &Waker| {
        waker.wake_by_ref();
        waker.wake_by_ref();
        Poll::Ready(())
    };
    check(wake, (0, 1));
}

#[test]
fn a_wake_at_work_is_passed_on_once_when_the_poll_is_pending() {
    let wake = |waker: &Waker| {
        waker.wake_by_ref();
        waker.wake_by_ref();
        Poll::Pending
    };
    check(wake, (1, 1));
}

#[test]
fn halves_that_woke_each_other_are_polled_once_more_in_place_of_the_task() {
    let mut rounds = 0;
    let wake_once = |waker: &Waker| {
        rounds += 1;
        if rounds == 1 {
            waker.wake_by_ref();
        }
        Poll::Pending
    };
    check(wake_once, (0, 1));
    assert_eq!(rounds, 2);
}

#[test]
fn the_task_that_polled_last_is_woken() {
    let (first, last) = (Arc::new(Count::default()), Arc::new(Count::default()));
    let mut relay = Relay::new();
    for task in [&first, &last] {
        let waker = Waker::from(Arc::clone(task));
        _ = relay.poll(&mut Context::from_waker(&waker), |_| Poll::<()>::Pending);
    }
    relay.waker.wake_by_ref();
    assert_eq!((first.0.load(SeqCst), last.0.load(SeqCst)), (0, 1));
}

/// A task's waker that looks whether the relay is locked, and counts how often it is not.
struct Looks {
    relay: Weak<Shared>,
    unlocked: Arc<Count>,
}

impl Looks {
    fn look(&self) {
        if self.relay.upgrade().is_some_and(|relay| relay.task.try_lock().is_ok()) {
            self.unlocked.0.fetch_add(1, SeqCst);
        }
    }
}

impl Wake for Looks {
    fn wake(self: Arc<Self>) {
        self.look();
    }
}

impl Drop for Looks {
    fn drop(&mut self) {
        self.look();
    }
}

#[test]
fn a_task_is_woken_and_forgotten_without_the_lock() {
    let unlocked = Arc::new(Count::default());
    let mut relay = Relay::new();
    let looks = Looks { relay: Arc::downgrade(&relay.shared), unlocked: Arc::clone(&unlocked) };
    let task = Waker::from(Arc::new(looks));
    _ = relay.poll(&mut Context::from_waker(&task), |_| Poll::<()>::Pending);
    drop(task);
    relay.waker.wake_by_ref();
    assert_eq!(unlocked.0.load(SeqCst), 1, "it was woken");
    _ = relay.poll(&mut Context::from_waker(Waker::noop()), |_| Poll::<()>::Pending);
    assert_eq!(unlocked.0.load(SeqCst), 2, "it is gone");
}
