//! Connections that come free while requests want one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::Id;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::deadline::Deadline;
use crate::idle::Idle;

use super::lanes::Lane;
use super::{Pool, Way};

/// How long a request waits for a connection that is about to come free before it dials: short beside a dial over a
/// network, and the least that the timer can do.
const HEAD_START: Duration = Duration::from_millis(1);
/// How soon a connection must be expected to come free, to be waited for: what a timer of a millisecond can take.
const SOON: Duration = Duration::from_millis(2);

/// The requests of a lane that take a connection as it comes free, and what they may hope for.
#[derive(Default)]
pub(super) struct Queue {
    waiting: BTreeMap<u64, Waiting>,
    next: u64,
    /// Where the connections are whose bodies have only their end to come, and since when.
    draining: Vec<(Id, Instant)>,
    /// How long the latest of them took.
    latest_end: Option<Duration>,
    /// Requests that have not dialed yet.
    hoping: usize,
    /// Until when no request is kept from dialing.
    dials_until: Option<Instant>,
}

struct Waiting {
    sender: oneshot::Sender<Idle>,
    runtime: Id,
}

impl Queue {
    /// The way to the request that waited longest.
    pub(super) fn pop(&mut self, runtime: Id) -> Option<oneshot::Sender<Idle>> {
        let (id, _) = self.waiting.iter().find(|(_, waiting)| waiting.runtime == runtime)?;
        let id = *id;
        self.waiting.remove(&id).map(|waiting| waiting.sender)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.draining.is_empty() && self.hoping == 0
    }

    fn enter(&mut self, runtime: Id) -> (u64, oneshot::Receiver<Idle>) {
        let (sender, receiver) = oneshot::channel();
        let id = self.next;
        self.next += 1;
        self.waiting.insert(id, Waiting { sender, runtime });
        (id, receiver)
    }

    /// Whether a connection comes free soon, as far as is known, which no other request hopes for.
    fn may_hope(&self, runtime: Id, now: Instant) -> bool {
        let mut draining = self.draining.iter().filter(|(of, _)| *of == runtime);
        let Some((_, since)) = draining.nth(self.hoping) else { return false };
        let waited = now.saturating_duration_since(*since);
        let is_due = self.latest_end.is_none_or(|took| took <= waited + SOON);
        is_due && self.dials_until.is_none_or(|until| until <= now)
    }
}

/// A request's wish for a connection that comes free while it dials, or before.
pub(crate) struct Checkout {
    pool: Arc<Pool>,
    way: Way,
    id: u64,
    receiver: oneshot::Receiver<Idle>,
    /// Until the dial may begin, and since when.
    head_start: Option<(Deadline, Instant)>,
}

impl Checkout {
    /// The wish of a request of `pool`, in the queue of `way`.
    pub(super) fn new(queue: &mut Queue, pool: &Arc<Pool>, way: &Way, runtime: Id) -> Self {
        let (id, receiver) = queue.enter(runtime);
        let now = Instant::now();
        let head_start = queue.may_hope(runtime, now).then(|| (Deadline::after(Some(HEAD_START)), now));
        queue.hoping += usize::from(head_start.is_some());
        Self { pool: Arc::clone(pool), way: way.clone(), id, receiver, head_start }
    }

    /// A connection that came free; it may have been closed since. Never ready again.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Idle> {
        // The other half is dropped only behind a connection.
        match std::pin::Pin::new(&mut self.receiver).poll(cx) {
            Poll::Ready(Ok(idle)) => Poll::Ready(idle),
            Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
        }
    }

    /// Ready when the request should dial.
    pub(crate) fn poll_head_start(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some((deadline, _)) = &mut self.head_start {
            if deadline.poll_expired(cx).is_pending() {
                return Poll::Pending;
            }
            self.end_head_start();
        }
        Poll::Ready(())
    }

    /// Time that was spent on hope buys two thirds of it without: where turns are shorter than timers, a row of
    /// requests takes at most two and a half times as long as without any hope.
    fn end_head_start(&mut self) {
        let Some((_, since)) = self.head_start.take() else { return };
        if let Some(Lane { queue, .. }) = self.pool.lock().find(&self.way) {
            let now = Instant::now();
            queue.hoping = queue.hoping.saturating_sub(1);
            queue.dials_until = now.checked_add(now.saturating_duration_since(since) * 2 / 3);
        }
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        // From here on nobody gives it anything, nor wakes it.
        self.receiver.close();
        if let Some(lane) = self.pool.lock().find(&self.way) {
            lane.queue.waiting.remove(&self.id);
        }
        self.end_head_start();
        // It came when nobody looked any more: the next one.
        if let Ok(idle) = self.receiver.try_recv() {
            self.pool.park(&self.way, idle);
        }
    }
}

/// Stands for a connection that is about to come free.
pub(crate) struct Draining {
    pool: Arc<Pool>,
    way: Way,
    runtime: Id,
    since: Instant,
}

impl Draining {
    pub(crate) fn new(pool: &Arc<Pool>, way: Way, runtime: Id) -> Self {
        let since = Instant::now();
        pool.lock().lane(&way).queue.draining.push((runtime, since));
        Self { pool: Arc::clone(pool), way, runtime, since }
    }
}

impl Drop for Draining {
    fn drop(&mut self) {
        if let Some(lane) = self.pool.lock().find(&self.way) {
            let Queue { draining, latest_end, .. } = &mut lane.queue;
            *latest_end = Some(self.since.elapsed());
            if let Some(at) = draining.iter().position(|of| *of == (self.runtime, self.since)) {
                draining.remove(at);
            }
        }
    }
}
