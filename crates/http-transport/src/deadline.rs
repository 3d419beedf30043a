//! A deadline that is looked at only when the socket had nothing to give.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// A timer over one step. Poll it after the step's I/O returned `Pending` in the same poll, never before: then a
/// caller who comes late finds the bytes that wait for it, and not a time-out.
#[derive(Debug)]
pub(crate) struct Deadline(Option<(Duration, Pin<Box<Sleep>>)>);

impl Deadline {
    /// Starts now; `None` never fires. Needs a tokio runtime.
    pub(crate) fn after(limit: Option<Duration>) -> Self {
        Self(limit.map(|limit| (limit, Box::pin(sleep(limit)))))
    }

    /// Starts again from now, with the same length.
    pub(crate) fn restart(&mut self) {
        if let Some((limit, sleep)) = &mut self.0 {
            let now = Instant::now();
            // A limit beyond what the clock can count leaves the timer where it is: far away.
            if let Some(at) = now.checked_add(*limit) {
                sleep.as_mut().reset(at);
            }
        }
    }

    /// Ready, with the length of the deadline, once it has passed.
    pub(crate) fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<Duration> {
        match &mut self.0 {
            Some((limit, sleep)) => {
                ready!(sleep.as_mut().poll(cx));
                Poll::Ready(*limit)
            }
            None => Poll::Pending,
        }
    }
}
