//! One request opens a connection, and others wait for it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::deadline::Deadline;
use crate::http2::{Connection, Place};

use super::{Pool, Way, Wish};

/// Held by the request that opens a connection, then by the connection until it can be shared. Whoever waits goes on
/// when it is dropped: a request that is given up holds nobody back.
pub(crate) struct Lead {
    pool: Arc<Pool>,
    way: Way,
    has_failed: watch::Sender<bool>,
}

impl Lead {
    /// With the way to wait for it.
    pub(super) fn new(pool: &Arc<Pool>, way: &Way) -> (Self, Signal) {
        let (sender, has_failed) = watch::channel(false);
        let signal = Signal { has_failed, seat: Arc::default() };
        (Self { pool: Arc::clone(pool), way: way.clone(), has_failed: sender }, signal)
    }

    /// That nobody waits for.
    pub(super) fn alone(pool: &Arc<Pool>, way: &Way) -> Self {
        Self::new(pool, way).0
    }

    /// A place on a connection that somebody else has opened meanwhile.
    pub(crate) fn overtaken(&self) -> Option<Place> {
        self.pool.place(&self.way, Handle::try_current().ok()?.id())
    }

    /// There is a connection.
    #[cfg_attr(not(feature = "http2"), expect(dead_code, reason = "nothing is shared without it"))]
    pub(crate) fn joined(self, connection: Arc<Connection>) {
        self.pool.share(&self.way, connection);
    }

    /// There is one, but it cannot be shared.
    pub(crate) fn not_shared(self) {
        self.pool.unshare(&self.way);
    }

    /// There is none, and whoever waits has to try for itself.
    pub(crate) fn failed(&self) {
        self.has_failed.send_replace(true);
    }
}

/// Tells those who wait what becomes of a [`Lead`].
pub(super) struct Signal {
    has_failed: watch::Receiver<bool>,
    /// Shared with those who follow.
    seat: Arc<()>,
}

impl Signal {
    /// Whether the outcome is open.
    pub(super) fn is_live(&self) -> bool {
        self.has_failed.has_changed().is_ok() && !*self.has_failed.borrow()
    }

    /// How many requests are for the connection.
    pub(super) fn requests(&self) -> usize {
        // The pool's own is that of the request that leads.
        Arc::strong_count(&self.seat)
    }
}

/// Waits for a connection that another request opens.
pub(crate) struct Follow {
    has_failed: Pin<Box<dyn Future<Output = bool> + Send>>,
    deadline: Deadline,
    _seat: Arc<()>,
}

impl Follow {
    pub(super) fn new(signal: &Signal, patience: Option<Duration>) -> Self {
        let mut receiver = signal.has_failed.clone();
        let has_failed = Box::pin(async move {
            // It ends in an error when the other request is no longer after it.
            receiver.wait_for(|has_failed| *has_failed).await.is_ok()
        });
        Self { has_failed, deadline: Deadline::after(patience), _seat: Arc::clone(&signal.seat) }
    }

    /// What to ask of the pool now.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Wish> {
        match self.has_failed.as_mut().poll(cx) {
            Poll::Ready(false) => Poll::Ready(Wish::Any),
            Poll::Ready(true) => Poll::Ready(Wish::Own),
            // The other request may be one that nobody polls.
            Poll::Pending => self.deadline.poll_expired(cx).map(|_| Wish::Own),
        }
    }
}
