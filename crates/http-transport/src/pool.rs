//! Connections for further requests.

mod handover;
mod lanes;
mod lead;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::time::Instant;

use crate::http2::{Connection, Place};
use crate::idle::Idle;
use crate::proxy::Route;
use crate::target::Endpoint;
use crate::versions::Offer;

pub(crate) use self::handover::{Checkout, Draining};
use self::lanes::{Lane, Lanes, Locked, Parked, Shared};
pub(crate) use self::lead::{Follow, Lead};

/// How long a connection may wait; most servers close it sooner.
pub(crate) const IDLE_LIMIT: Duration = Duration::from_secs(90);

/// Where a connection leads and through what. One through a proxy is of no use to a request that goes directly, or
/// through another proxy, or with other credentials, or in another form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) route: Route,
}

/// Of the host alone: few ways lead to one, and each request looks for its way several times.
impl Hash for Way {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.endpoint.host.hash(state);
    }
}

/// The connections of a transport, by their way: those of HTTP/1.1 that wait for a request, and all of HTTP/2 that take
/// one. Nothing works on the former here: one that the server has closed is found out when it is asked for, one that is
/// too old when any is parked, or a way is new.
///
/// Nothing of others is run under its lock, nor waited for: neither their wakers, nor what looks at a connection or
/// closes one.
#[derive(Default)]
pub(crate) struct Pool(Mutex<Lanes>);

/// Which connections will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Any,
    /// One that is opened from now on.
    Fresh,
    /// One of one's own making.
    Own,
}

/// How a request gets to its connection.
pub(crate) enum Entry {
    Parked(Idle),
    Shared(Place),
    /// Another request is opening a connection that may serve this one, too.
    Follow(Follow),
    /// There is none; with what to do about others, unless the new one is for HTTP/1.1 alone, and the hope for one that
    /// comes free meanwhile, if that will do.
    Dial(Option<Lead>, Option<Checkout>),
}

impl Pool {
    /// What there is for a request: a connection that lives (the one that waited least first), or the hope of one.
    /// `patience` is how long it may last. Needs a tokio runtime.
    pub(crate) fn enter(self: &Arc<Self>, way: &Way, offer: Offer, wish: Wish, patience: Option<Duration>) -> Entry {
        let runtime = Handle::try_current().ok().map(|handle| handle.id());
        loop {
            let arrivals = self.arrivals(way);
            if let Some(runtime) = runtime.filter(|_| wish == Wish::Any) {
                if let Some(place) = if offer == Offer::Http1 { None } else { self.place(way, runtime) } {
                    return Entry::Shared(place);
                }
                if let Some(idle) = self.take(way, runtime) {
                    return Entry::Parked(idle);
                }
            }
            // Connections are looked at without the lock. One that came meanwhile is looked at, too.
            let mut all = self.lock();
            let lane = all.lane(way);
            if wish != Wish::Any || lane.arrivals == arrivals {
                return self.register(lane, way, offer, (wish, runtime), patience);
            }
        }
    }

    /// Makes it known that a request has found no connection.
    fn register(
        self: &Arc<Self>,
        lane: &mut Lane,
        way: &Way,
        offer: Offer,
        (wish, runtime): (Wish, Option<Id>),
        patience: Option<Duration>,
    ) -> Entry {
        let checkout =
            |queue| runtime.filter(|_| wish == Wish::Any).map(|runtime| Checkout::new(queue, self, way, runtime));
        if offer == Offer::Http1 {
            return Entry::Dial(None, checkout(&mut lane.queue));
        }
        let Some(runtime) = runtime.filter(|_| wish != Wish::Own) else {
            return Entry::Dial(Some(Lead::alone(self, way)), None);
        };
        match &lane.lead {
            // More than the connection takes would find it full, and dial one after another.
            Some((of, signal))
                if *of == runtime && signal.is_live() && lane.room.is_none_or(|room| signal.requests() < room) =>
            {
                return Entry::Follow(Follow::new(signal, patience));
            }
            _ => {}
        }
        let (lead, signal) = Lead::new(self, way);
        // A server that may speak HTTP/1.1 is not kept from many connections at once.
        if lane.is_shared || offer == Offer::Http2 {
            lane.lead = Some((runtime, signal));
        }
        Entry::Dial(Some(lead), checkout(&mut lane.queue))
    }

    fn arrivals(&self, way: &Way) -> u64 {
        self.lock().find(way).map_or(0, |lane| lane.arrivals)
    }

    /// An HTTP/1.1 connection that lives.
    fn take(&self, way: &Way, runtime: Id) -> Option<Idle> {
        // Each is looked at, and closed, without the lock.
        while let Some(mut parked) = self.pop(way, runtime) {
            if parked.is_fresh(Instant::now()) && parked.idle.is_alive() {
                return Some(parked.idle);
            }
        }
        None
    }

    fn pop(&self, way: &Way, runtime: Id) -> Option<Parked> {
        self.lock().find(way)?.pop(runtime)
    }

    /// A place on a connection that others use, too; on the newest of them.
    fn place(&self, way: &Way, runtime: Id) -> Option<Place> {
        // Each is looked at without the lock: the library has one of its own.
        let connections = self.shared(way, runtime)?;
        connections.iter().rev().find_map(Connection::place)
    }

    fn shared(&self, way: &Way, runtime: Id) -> Option<Vec<Arc<Connection>>> {
        let mut all = self.lock();
        let shared = &mut all.find(way)?.shared;
        shared.retain(|shared| shared.connection.is_open());
        let own = shared.iter().filter(|shared| shared.runtime == runtime);
        Some(own.map(|shared| Arc::clone(&shared.connection)).collect())
    }

    /// Keeps a connection for the next request, or gives it to one that waits, on the runtime that its
    /// socket belongs to. Without one it is closed.
    pub(crate) fn park(&self, way: &Way, mut idle: Idle) {
        let Some(runtime) = idle.runtime else { return };
        loop {
            let Some((given, sender)) = self.lock().park(way, idle, runtime) else { return };
            // Giving it away wakes the request: without the lock.
            match sender.send(given) {
                Ok(()) => return,
                Err(back) => idle = back,
            }
        }
    }

    /// Offers a connection to all requests that go its way.
    fn share(&self, way: &Way, connection: Arc<Connection>) {
        let Ok(runtime) = Handle::try_current() else { return };
        let room = connection.room();
        let mut all = self.lock();
        let lane = all.lane(way);
        lane.is_shared = true;
        lane.room = Some(room);
        lane.arrivals += 1;
        lane.shared.push(Shared { connection, runtime: runtime.id() });
    }

    /// The server has asked for HTTP/1.1 over HTTP/2.
    pub(crate) fn require_http1(&self, way: &Way) {
        self.lock().lane(way).requires_http1 = true;
    }

    /// What to offer, in view of what the server has asked for.
    pub(crate) fn narrowed(&self, way: &Way, offer: Offer) -> Offer {
        let requires_http1 = self.lock().find(way).is_some_and(|lane| lane.requires_http1);
        if requires_http1 { offer.without_http2() } else { offer }
    }

    /// The server has chosen HTTP/1.1.
    pub(crate) fn unshare(&self, way: &Way) {
        if let Some(lane) = self.lock().find(way) {
            lane.is_shared = false;
        }
    }

    fn lock(&self) -> Locked<'_> {
        // Whole at every moment that could panic.
        Locked::new(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.lock();
        let counts = all.iter().map(|(way, lane)| (way.endpoint.to_string(), lane.counts()));
        f.debug_map().entries(counts).finish()
    }
}

#[cfg(test)]
mod tests;
