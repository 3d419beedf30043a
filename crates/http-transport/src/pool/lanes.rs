//! What a pool knows of each way, under its lock.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use tokio::runtime::Id;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::http2::Connection;
use crate::idle::Idle;

use super::handover::{MANY, Queue};
use super::lead::Signal;
use super::{IDLE_LIMIT, Way};

/// How many HTTP/1.1 connections may wait for requests that go one way: as many as a row of requests opens before it
/// waits for one. Where all their bodies end at a time, they need not be opened again.
const PARKED_LIMIT: usize = MANY;
/// How many ways are remembered on which nothing is going on, for what was learned of their servers; up to twice as
/// many between two times of cleaning.
pub(super) const REST_LIMIT: usize = 64;
/// How often all lanes are looked at. With thousands in use that takes longer than all else that is done here.
pub(super) const CLEAN_EVERY: Duration = Duration::from_secs(1);

/// The connections and the requests that go one way, and what was learned there.
#[derive(Default)]
pub(super) struct Lane {
    parked: Vec<Parked>,
    pub(super) shared: Vec<Shared>,
    /// The dial that others wait for.
    pub(super) lead: Option<(Id, Signal)>,
    /// Whether the latest connection spoke HTTP/2. It outlives the connections.
    pub(super) is_shared: bool,
    /// How many requests the latest connection of HTTP/2 took at a time. It outlives the connections.
    pub(super) room: Option<usize>,
    /// Whether the server has asked for HTTP/1.1. It outlives the connections.
    pub(super) requires_http1: bool,
    pub(super) queue: Queue,
    /// Connections that have come, of either kind: who looked before the latest has not seen all.
    pub(super) arrivals: u64,
    /// Which use of any lane was the latest of this one.
    used: u64,
}

/// An HTTP/1.1 connection that waits for a request.
pub(super) struct Parked {
    pub(super) idle: Idle,
    since: Instant,
    /// Another runtime may not be running while this one waits for its sockets.
    runtime: Id,
}

/// An HTTP/2 connection.
pub(super) struct Shared {
    pub(super) connection: Arc<Connection>,
    /// That of its task.
    pub(super) runtime: Id,
}

impl Parked {
    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) < IDLE_LIMIT
    }
}

impl Lane {
    /// The HTTP/1.1 connection that waited least; it may have been closed since.
    pub(super) fn pop(&mut self, runtime: Id) -> Option<Parked> {
        let index = self.parked.iter().rposition(|parked| parked.runtime == runtime)?;
        Some(self.parked.remove(index))
    }

    /// Whether there is neither a connection nor anybody who waits for one.
    pub(super) fn is_at_rest(&self) -> bool {
        let is_led = self.lead.as_ref().is_some_and(|(_, signal)| signal.is_live());
        self.parked.is_empty() && self.shared.is_empty() && self.queue.is_empty() && !is_led
    }

    /// How many connections wait, and how many are shared.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.parked.len(), self.shared.len())
    }
}

/// All lanes, by their way.
#[derive(Default)]
pub(super) struct Lanes {
    by_way: HashMap<Way, Lane>,
    /// How often one was used.
    uses: u64,
    /// They are cleaned when they are so many, or at that time.
    due: Option<(usize, Instant)>,
}

/// The lanes under the pool's lock. What is taken out of them to be closed is closed without it: that takes a while,
/// and a connector's stream may do as it likes.
pub(super) struct Locked<'a> {
    // First: fields are dropped in this order.
    all: MutexGuard<'a, Lanes>,
    closing: Vec<Parked>,
}

impl<'a> Locked<'a> {
    pub(super) fn new(all: MutexGuard<'a, Lanes>) -> Self {
        Self { all, closing: Vec::new() }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Way, &Lane)> {
        self.all.by_way.iter()
    }

    /// The lane of a way, if there is one.
    pub(super) fn find(&mut self, way: &Way) -> Option<&mut Lane> {
        let Lanes { by_way: lanes, uses, .. } = &mut *self.all;
        let lane = lanes.get_mut(way)?;
        *uses += 1;
        lane.used = *uses;
        Some(lane)
    }

    /// The lane of a way. Before it is made the others are cleaned, if it is time.
    pub(super) fn lane(&mut self, way: &Way) -> &mut Lane {
        if !self.all.by_way.contains_key(way) {
            self.clean();
        }
        let Lanes { by_way: lanes, uses, .. } = &mut *self.all;
        let lane = lanes.entry(way.clone()).or_default();
        *uses += 1;
        lane.used = *uses;
        lane
    }

    /// Keeps a connection for the next request, unless one waits: then gives it back, with the way there.
    pub(super) fn park(&mut self, way: &Way, idle: Idle, runtime: Id) -> Option<(Idle, oneshot::Sender<Idle>)> {
        let lane = self.lane(way);
        if let Some(sender) = lane.queue.pop(runtime) {
            return Some((idle, sender));
        }
        lane.arrivals += 1;
        // The one that waited longest is the next that the server closes.
        let excess = (lane.parked.len() == PARKED_LIMIT).then(|| lane.parked.remove(0));
        lane.parked.push(Parked { idle, since: Instant::now(), runtime });
        self.closing.extend(excess);
        self.clean();
        None
    }

    /// If it is time: takes out what waited too long or is closed, and forgets what is at rest, but for the lanes that
    /// were used last.
    fn clean(&mut self) {
        let now = Instant::now();
        let Lanes { by_way: lanes, due, .. } = &mut *self.all;
        if due.is_some_and(|(count, at)| lanes.len() < count && now < at) {
            return;
        }
        for lane in lanes.values_mut() {
            let mut index = 0;
            while let Some(parked) = lane.parked.get(index) {
                if parked.is_fresh(now) {
                    index += 1;
                } else {
                    self.closing.push(lane.parked.remove(index));
                }
            }
            // Their sockets are their tasks'.
            lane.shared.retain(|shared| shared.connection.is_open());
        }
        let mut at_rest: Vec<u64> = lanes.values().filter(|lane| lane.is_at_rest()).map(|lane| lane.used).collect();
        if let Some(excess @ 1..) = at_rest.len().checked_sub(REST_LIMIT) {
            let oldest = *at_rest.select_nth_unstable(excess).1;
            lanes.retain(|_, lane| lane.used >= oldest || !lane.is_at_rest());
        }
        // At twice as many as are left: so each that is made pays for looking at two.
        *due = Some((2 * lanes.len().max(REST_LIMIT), now + CLEAN_EVERY));
    }
}
