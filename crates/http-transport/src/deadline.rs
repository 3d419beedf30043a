//! A deadline that is looked at only when the socket had nothing to give.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// A timer over one step. Poll it after the step's I/O returned `Pending` in the same poll, never before: then a
/// caller who comes late finds the bytes that wait for it, and not a time-out.
#[derive(Debug)]
pub(crate) struct Deadline(Option<Limit>);

#[derive(Debug)]
struct Limit {
    length: Duration,
    at: Instant,
    /// The runtime's timer. Most steps are over before anybody asks for it.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// Starts now; `None`, or what is beyond the clock, never fires. Needs a tokio runtime.
    pub(crate) fn after(limit: Option<Duration>) -> Self {
        Self(limit.and_then(|length| {
            let at = Instant::now().checked_add(length)?;
            Some(Limit { length, at, sleep: None })
        }))
    }

    /// Starts again from now, with the same length.
    pub(crate) fn restart(&mut self) {
        *self = Self::after(self.0.take().map(|limit| limit.length));
    }

    /// Ready, with the length of the deadline, once it has passed.
    pub(crate) fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<Duration> {
        match &mut self.0 {
            Some(Limit { length, at, sleep }) => {
                let sleep = sleep.get_or_insert_with(|| Box::pin(sleep_until(*at)));
                ready!(sleep.as_mut().poll(cx));
                Poll::Ready(*length)
            }
            None => Poll::Pending,
        }
    }
}
