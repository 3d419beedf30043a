//! The task of a connection: it moves all its frames, sees to it that the other end is there, and ends an idle one.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use h2::{Ping, PingPong};
use tokio::time::{Instant, Sleep, sleep};

use crate::dial::BoxStream;
use crate::pool::{IDLE_LIMIT, Lead};
use crate::progress::{Metered, Progress};

use super::connection::Connection;

/// How long the server may be silent while requests are open before it is asked for a sign of life.
const QUIET_LIMIT: Duration = Duration::from_secs(20);
/// How long it may take to give one.
pub(super) const PING_LIMIT: Duration = Duration::from_secs(20);
/// A frame's head (RFC 9113, section 4.1). The first frame of a server is its SETTINGS (section 3.4).
const FRAME_HEAD: u64 = 9;

type Link = h2::client::Connection<Metered<BoxStream>, Bytes>;

pub(super) struct Driver {
    link: Link,
    pings: Option<PingPong>,
    /// Weak: a connection that nobody can use any more is to end.
    connection: Weak<Connection>,
    /// Until the server's settings are there.
    joining: Option<(Lead, Arc<Connection>)>,
    progress: Arc<Progress>,
    read: u64,
    read_at: Instant,
    /// When the PING was sent that has no answer yet.
    asked_at: Option<Instant>,
    /// When to look again at how things stand.
    look: Pin<Box<Sleep>>,
}

impl Driver {
    pub(super) fn new(mut link: Link, connection: &Arc<Connection>, lead: Lead) -> Self {
        Self {
            pings: link.ping_pong(),
            link,
            connection: Arc::downgrade(connection),
            joining: Some((lead, Arc::clone(connection))),
            progress: Arc::clone(connection.progress()),
            read: 0,
            read_at: Instant::now(),
            asked_at: None,
            look: Box::pin(sleep(QUIET_LIMIT)),
        }
    }

    /// Any byte is a sign of life.
    fn notice_reads(&mut self) {
        let read = self.progress.read();
        if read == self.read {
            return;
        }
        self.read = read;
        self.read_at = Instant::now();
        self.asked_at = None;
        if read >= FRAME_HEAD {
            if let Some((lead, connection)) = self.joining.take() {
                lead.joined(connection);
            }
        }
    }

    /// How things stand, and when to look again; `None` when the connection is at its end.
    fn look(&mut self, now: Instant) -> Option<Instant> {
        let connection = self.connection.upgrade()?;
        if let Some(since) = connection.idle_since() {
            let end = since + IDLE_LIMIT;
            if now >= end {
                connection.retire();
            }
            // A request that comes meanwhile is looked after no later than any other.
            return Some(if now < end { end.min(now + QUIET_LIMIT) } else { now + QUIET_LIMIT });
        }
        if let Some(asked_at) = self.asked_at {
            if now >= asked_at + PING_LIMIT {
                connection.give_up();
                return None;
            }
            return Some(asked_at + PING_LIMIT);
        }
        if now < self.read_at + QUIET_LIMIT {
            return Some(self.read_at + QUIET_LIMIT);
        }
        if let Some(pings) = &mut self.pings {
            // It fails while an earlier one has no answer, although bytes came since: then that one is asked again.
            let _ = pings.send_ping(Ping::opaque());
            self.asked_at = Some(now);
        }
        Some(now + PING_LIMIT)
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        loop {
            let end = Pin::new(&mut this.link).poll(cx);
            this.notice_reads();
            if end.is_ready() {
                return Poll::Ready(());
            }
            if let Some(pings) = &mut this.pings {
                // Makes room for the next one.
                let _ = pings.poll_pong(cx);
            }
            if this.look.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            match this.look(Instant::now()) {
                Some(next) => this.look.as_mut().reset(next),
                None => return Poll::Ready(()),
            }
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Whoever waits for the connection would only open another one like it, one after the other.
        if let Some((lead, _)) = &self.joining {
            lead.failed();
        }
        if let Some(connection) = self.connection.upgrade() {
            connection.retire();
        }
    }
}
