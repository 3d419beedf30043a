//! A request that opens a connection, unless one comes free before.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::dial::{BoxStream, Dial};
use crate::error::Error;
use crate::idle::Idle;
use crate::phase::Phase;
use crate::plan::Plan;
use crate::pool::{Checkout, Lead};
use crate::transport::Settings;
use crate::versions::Spoken;

/// How long a dial may take that nobody waits for, whatever the connect timeout is.
const LEFT_DIAL: Duration = Duration::from_secs(10);

/// The race of a dial with the connections of other requests.
pub(crate) struct Dialing {
    settings: Arc<Settings>,
    pub(crate) plan: Plan,
    /// `None` before it begins.
    dial: Option<Dial>,
    pub(crate) lead: Option<Lead>,
    /// `None` where nothing but a new connection will do.
    checkout: Option<Checkout>,
}

/// How the race ended.
pub(crate) enum Dialed {
    Fresh(BoxStream, Spoken),
    /// One that had a request before.
    Freed(Idle),
}

impl Dialing {
    pub(crate) fn new(settings: Arc<Settings>, plan: Plan, lead: Option<Lead>, checkout: Option<Checkout>) -> Self {
        Self { settings, plan, dial: None, lead, checkout }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.dial.as_ref().map_or(Phase::Connect, Dial::phase)
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Dialed, Error>> {
        if let Some(checkout) = &mut self.checkout {
            if let Poll::Ready(mut idle) = checkout.poll(cx) {
                self.checkout = None;
                if idle.is_alive() {
                    self.leave_dial();
                    return Poll::Ready(Ok(Dialed::Freed(idle)));
                }
            } else if self.dial.is_none() {
                ready!(checkout.poll_head_start(cx));
            }
        }
        let Settings { tls, connect_timeout, plug, .. } = &*self.settings;
        let plan = &self.plan;
        let dial = self.dial.get_or_insert_with(|| {
            let (endpoint, route) = (Arc::clone(&plan.endpoint), plan.route.clone());
            Dial::start(endpoint, route, Arc::clone(tls), plan.offer, *connect_timeout, plug)
        });
        let dialed = ready!(dial.poll(cx));
        if let (Err(_), Some(lead)) = (&dialed, &self.lead) {
            lead.failed();
        }
        let (stream, spoken) = dialed?;
        Poll::Ready(Ok(Dialed::Fresh(stream, spoken)))
    }

    /// What was begun is brought to its end, for the next request: servers see no connections that are given up in the
    /// middle, and over HTTP/1.1 the work is not lost. Nobody waits for it any more: who followed tries for itself.
    fn leave_dial(&mut self) {
        let was_shared = self.lead.take().is_some();
        let (Some(mut dial), Ok(runtime)) = (self.dial.take(), Handle::try_current()) else { return };
        let (pool, way) = (Arc::clone(&self.settings.pool), self.plan.way());
        runtime.spawn(async move {
            let dialed = timeout(LEFT_DIAL, poll_fn(|cx| dial.poll(cx))).await;
            if let Ok(Ok((stream, Spoken::Http1))) = dialed {
                if was_shared {
                    pool.unshare(&way);
                }
                if let Ok(idle) = Idle::new(stream).await {
                    pool.park(&way, idle);
                }
            }
        });
    }
}

#[cfg(all(test, feature = "http2"))]
mod tests;
