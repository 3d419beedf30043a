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

/// From how many connections about to come free on a request waits for one of them before it dials: enough for whoever
/// is in a hurry, and no row of short turns opens one for each.
pub(super) const MANY: usize = 30;
/// How soon it must be expected to come free, and how long it is waited for: short beside a dial over a network.
pub(super) const SOON: Duration = Duration::from_millis(5);

/// The requests of a lane that take a connection as it comes free, and what they may hope for.
#[derive(Default)]
pub(super) struct Queue {
    waiting: BTreeMap<u64, Waiting>,
    next: u64,
    /// Where the connections are whose bodies have only their end to come, and since when.
    draining: Vec<(Id, Instant)>,
    /// How long the latest of them took: no time while none is known, and for ever when it was closed instead, or
    /// waited for in vain.
    latest_end: Duration,
    /// Requests that have not dialed yet.
    hoping: usize,
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

    /// Whether to wait for a connection: enough are about to come free that no other request hopes for, and the first
    /// of them soon, as far as is known.
    fn may_hope(&self, runtime: Id, now: Instant) -> bool {
        let mut free = self.draining.iter().filter(|(of, _)| *of == runtime).skip(self.hoping);
        let Some((_, since)) = free.next() else { return false };
        let is_due = self.latest_end <= now.saturating_duration_since(*since) + SOON;
        is_due && free.count() + 1 >= MANY
    }
}

/// A request's wish for a connection that comes free while it dials, or before.
pub(crate) struct Checkout {
    pool: Arc<Pool>,
    way: Way,
    id: u64,
    receiver: oneshot::Receiver<Idle>,
    /// Until the dial may begin.
    head_start: Option<Deadline>,
}

impl Checkout {
    /// The wish of a request of `pool`, in the queue of `way`.
    pub(super) fn new(queue: &mut Queue, pool: &Arc<Pool>, way: &Way, runtime: Id) -> Self {
        let (id, receiver) = queue.enter(runtime);
        let head_start = queue.may_hope(runtime, Instant::now()).then(|| Deadline::after(Some(SOON)));
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
        if let Some(deadline) = &mut self.head_start {
            if deadline.poll_expired(cx).is_pending() {
                return Poll::Pending;
            }
            self.end_head_start(|queue| queue.latest_end = Duration::MAX);
        }
        Poll::Ready(())
    }

    fn end_head_start(&mut self, learn: impl FnOnce(&mut Queue)) {
        if self.head_start.take().is_none() {
            return;
        }
        if let Some(Lane { queue, .. }) = self.pool.lock().find(&self.way) {
            queue.hoping = queue.hoping.saturating_sub(1);
            learn(queue);
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
        self.end_head_start(|_| ());
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
    came_free: bool,
}

impl Draining {
    pub(crate) fn new(pool: &Arc<Pool>, way: Way, runtime: Id) -> Self {
        let since = Instant::now();
        pool.lock().lane(&way).queue.draining.push((runtime, since));
        Self { pool: Arc::clone(pool), way, runtime, since, came_free: false }
    }

    /// Whether it has come free. One that is dropped has not.
    pub(crate) fn end(mut self, came_free: bool) {
        self.came_free = came_free;
    }
}

impl Drop for Draining {
    fn drop(&mut self) {
        if let Some(lane) = self.pool.lock().find(&self.way) {
            let Queue { draining, latest_end, .. } = &mut lane.queue;
            *latest_end = if self.came_free { self.since.elapsed() } else { Duration::MAX };
            if let Some(at) = draining.iter().position(|of| *of == (self.runtime, self.since)) {
                draining.remove(at);
            }
        }
    }
}
