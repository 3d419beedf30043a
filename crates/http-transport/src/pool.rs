//! Connections that wait for their next request.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::time::Instant;

use crate::idle::Idle;
use crate::proxy::Route;
use crate::target::Endpoint;

/// How long a connection may wait; most servers close it sooner.
const IDLE_LIMIT: Duration = Duration::from_secs(90);
/// How many connections may wait for requests that go one way.
const PARKED_LIMIT: usize = 4;

/// Where a connection leads and through what. One through a proxy is of no use to a request that goes directly, or
/// through another proxy, or with other credentials, or in another form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Way {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) route: Route,
}

/// The idle connections of a transport, by their way. Nothing works on them here: one that the server has closed is
/// found out when it is asked for, one that is too old when any is parked.
#[derive(Default)]
pub(crate) struct Pool(Mutex<HashMap<Way, Vec<Parked>>>);

struct Parked {
    idle: Idle,
    since: Instant,
    /// Another runtime may not be running while this one waits for its sockets.
    runtime: Id,
}

impl Parked {
    fn is_fresh(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) < IDLE_LIMIT
    }
}

impl Pool {
    /// A connection that lives, the one that waited least first. Needs a tokio runtime.
    pub(crate) fn take(&self, way: &Way, cx: &mut Context<'_>) -> Option<Idle> {
        let runtime = Handle::try_current().ok()?.id();
        // Each is looked at, and closed, without the lock.
        while let Some(mut parked) = self.pop(way, runtime) {
            if parked.is_fresh(Instant::now()) && parked.idle.is_alive(cx) {
                return Some(parked.idle);
            }
        }
        None
    }

    fn pop(&self, way: &Way, runtime: Id) -> Option<Parked> {
        let mut all = self.lock();
        let parked = all.get_mut(way)?;
        let index = parked.iter().rposition(|parked| parked.runtime == runtime)?;
        let taken = parked.remove(index);
        if parked.is_empty() {
            all.remove(way);
        }
        Some(taken)
    }

    /// Keeps a connection for the next request. Without a runtime it is closed.
    pub(crate) fn park(&self, way: Way, idle: Idle) {
        let Ok(runtime) = Handle::try_current() else { return };
        let now = Instant::now();
        let mut all = self.lock();
        all.retain(|_, parked| {
            parked.retain(|parked| parked.is_fresh(now));
            !parked.is_empty()
        });
        let parked = all.entry(way).or_default();
        if parked.len() == PARKED_LIMIT {
            // The one that waited longest is the next that the server closes.
            parked.remove(0);
        }
        parked.push(Parked { idle, since: now, runtime: runtime.id() });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Way, Vec<Parked>>> {
        // Whole at every moment that could panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.lock().iter().map(|(way, parked)| (way.endpoint.to_string(), parked.len()))).finish()
    }
}

#[cfg(test)]
mod tests;
