//! From the first byte of the request to the response head.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;

use crate::call::Call;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::head::Head;
use crate::phase::Phase;
use crate::target::Endpoint;
use crate::upgrade::Switch;

/// How long the end of an idle connection can take to meet a request on its way: longer than any round trip. What comes
/// later is about the request.
const CROSSING: Duration = Duration::from_secs(5);

/// A request on its way, and nothing back yet.
pub(crate) struct Waiting {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) call: Call,
    limit: Option<Duration>,
    deadline: Deadline,
    phase: Phase,
    /// When the whole request had left.
    sent_at: Option<Instant>,
    /// What was written when the deadline was last set.
    written: u64,
}

impl Waiting {
    pub(crate) fn new(endpoint: Arc<Endpoint>, call: Call, limit: Option<Duration>) -> Self {
        Self {
            endpoint,
            call,
            limit,
            deadline: Deadline::after(limit),
            phase: Phase::Sending,
            sent_at: None,
            written: 0,
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether what comes now may have been on its way before the server had the request.
    pub(crate) fn may_have_crossed(&self) -> bool {
        self.sent_at.is_none_or(|sent_at| sent_at.elapsed() < CROSSING)
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Head, Error>> {
        let answer = self.call.poll_response(cx, &self.endpoint, self.phase);
        if self.phase == Phase::Sending && self.call.is_sent() {
            self.phase = Phase::Head;
            self.sent_at = Some(Instant::now());
            self.deadline = Deadline::after(self.limit);
        }
        if self.call.is_interim_flood() {
            let message = format!("{} sends interim answers without end", self.endpoint);
            return Poll::Ready(Err(Error::new(ErrorKind::Protocol, self.phase, message)));
        }
        match answer {
            Poll::Ready(Ok(response)) => Poll::Ready(match self.refused_switch(response.status()) {
                Some(error) => Err(error),
                None => Ok(Head::from(&response)),
            }),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => self.poll_deadline(cx).map(Err),
        }
    }

    /// What is wrong with a 101, if it is one.
    fn refused_switch(&self, status: StatusCode) -> Option<Error> {
        if status != StatusCode::SWITCHING_PROTOCOLS {
            return None;
        }
        let why = match self.call.switch() {
            Switch::Excluded | Switch::Tunnel => "without being asked to",
            // What is left of the request would be lost, or mistaken for the new protocol.
            Switch::Possible if !self.call.is_sent() => "before it had the whole request",
            Switch::Possible => return None,
        };
        let message = format!("{} switched protocols {why}", self.endpoint);
        Some(Error::new(ErrorKind::Protocol, self.phase, message))
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        while let Poll::Ready(limit) = self.deadline.poll_expired(cx) {
            let written = self.call.written();
            // A long request over a slow line is not a stall as long as it moves.
            if self.phase == Phase::Sending && written > self.written {
                self.written = written;
                self.deadline.restart();
                continue;
            }
            let endpoint = &self.endpoint;
            let message = match (self.phase, self.call.switch()) {
                (Phase::Sending, _) => format!("{endpoint} took no more of the request for {limit:?} (head timeout)"),
                (_, Switch::Possible) => format!("{endpoint} did not answer the handshake within {limit:?}"),
                _ => format!("no response head came from {endpoint} within {limit:?} (head timeout)"),
            };
            return Poll::Ready(Error::new(ErrorKind::Timeout, self.phase, message));
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests;
