//! A timer for a deadline that moves with every byte.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Instant,
};

use tokio::{
    task::unconstrained,
    time::{Sleep, sleep_until},
};

use crate::clock::now;

/// Wakes its task when a deadline may have passed. The deadline moves with every event, the runtime's timer only when
/// it fires; and as long as it stands and knows the task, it is not even looked at: among many slow streams it has left
/// the cache.
#[derive(Default)]
pub(crate) struct Timer {
    armed: Option<Armed>,
}

struct Armed {
    /// When the runtime's timer fires.
    at: Instant,
    /// The task that it wakes.
    waker: Waker,
    sleep: Pin<Box<Sleep>>,
}

impl Timer {
    /// Ready when `deadline` has passed; until then, the task is woken in time.
    pub(crate) fn poll(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        // A runtime that lets other tasks run makes a timer wait that has expired; a deadline does not.
        let now = now();
        if deadline <= now {
            return Poll::Ready(());
        }
        match &mut self.armed {
            Some(armed) if now < armed.at && armed.at <= deadline => {
                if !armed.waker.will_wake(cx.waker()) {
                    armed.waker.clone_from(cx.waker());
                    return armed.poll(deadline, cx);
                }
                Poll::Pending
            }
            Some(armed) => {
                armed.move_to(deadline);
                armed.waker.clone_from(cx.waker());
                armed.poll(deadline, cx)
            }
            None => {
                let sleep = Box::pin(sleep_until(deadline.into()));
                let armed = self.armed.insert(Armed { at: deadline, waker: cx.waker().clone(), sleep });
                armed.poll(deadline, cx)
            }
        }
    }
}

impl Armed {
    fn move_to(&mut self, deadline: Instant) {
        self.at = deadline;
        self.sleep.as_mut().reset(deadline.into());
    }

    /// Tells the runtime's timer whom to wake.
    fn poll(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        // A task that has used up its budget would find the runtime's timer pending without having been heard, and
        // nobody asks it again.
        while pin!(unconstrained(self.sleep.as_mut())).poll(cx).is_ready() {
            if self.at >= deadline {
                return Poll::Ready(());
            }
            self.move_to(deadline);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering::Relaxed},
        },
        task::Wake,
        time::Duration,
    };

    use tokio::time::{advance, sleep};

    use super::*;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_moves_is_kept() {
        let count = Arc::new(Wakes::default());
        let waker = Waker::from(Arc::clone(&count));
        let mut cx = Context::from_waker(&waker);
        let mut timer = Timer::default();
        let start = now();
        assert!(timer.poll(start + 10 * SECOND, &mut cx).is_pending());
        advance(5 * SECOND).await;
        // Later: the timer wakes once in between.
        assert!(timer.poll(start + 15 * SECOND, &mut cx).is_pending());
        sleep(6 * SECOND).await;
        assert_eq!(count.0.load(Relaxed), 1);
        assert!(timer.poll(start + 15 * SECOND, &mut cx).is_pending());
        // Sooner than it was.
        assert!(timer.poll(start + 12 * SECOND, &mut cx).is_pending());
        sleep(2 * SECOND).await;
        assert_eq!(count.0.load(Relaxed), 2);
        assert!(timer.poll(start + 12 * SECOND, &mut cx).is_ready());
    }

    #[tokio::test(start_paused = true)]
    async fn another_task_is_woken_in_place_of_the_first() {
        let [first, second] = [Arc::new(Wakes::default()), Arc::new(Wakes::default())];
        let mut timer = Timer::default();
        let deadline = now() + SECOND;
        for count in [&first, &second] {
            let waker = Waker::from(Arc::clone(count));
            assert!(timer.poll(deadline, &mut Context::from_waker(&waker)).is_pending());
        }
        sleep(2 * SECOND).await;
        assert_eq!([first, second].map(|count| count.0.load(Relaxed)), [0, 1]);
    }

    /// As among many streams in one task, of which others had much to do.
    #[tokio::test(start_paused = true)]
    async fn a_task_without_budget_is_woken_in_time() {
        let (mut timer, begin) = (Timer::default(), now());
        let wait = poll_fn(|cx| {
            while tokio::task::coop::has_budget_remaining() {
                let _ = pin!(tokio::task::coop::consume_budget()).poll(cx);
            }
            timer.poll(begin + Duration::from_secs(1), cx)
        });
        tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap();
        assert!(now() - begin < Duration::from_secs(2));
    }
}
