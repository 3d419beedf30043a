//! A credential hook that was asked.

use std::{
    task::{Context, Poll},
    time::{Duration, Instant},
};

use crate::{BoxError, OutgoingRequest, auth::AuthorizeFuture};

/// The hook's answer under way, and how long it may take. Dropping it tells the hook to stop.
pub(crate) struct Asking {
    answer: AuthorizeFuture,
    limit: Option<(Duration, Instant)>,
}

/// Why a request has no credentials.
#[derive(Debug)]
pub(crate) enum NoCredentials {
    /// The hook failed.
    Failed(BoxError),
    /// It did not answer within this time.
    Late(Duration),
}

impl Asking {
    /// A deadline too far away to be an instant is none.
    pub(crate) fn new(answer: AuthorizeFuture, limit: Option<Duration>, now: Instant) -> Self {
        Self { answer, limit: limit.and_then(|limit| Some((limit, now.checked_add(limit)?))) }
    }

    /// The request with its credentials. An answer that is there is never too late.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<Result<OutgoingRequest, NoCredentials>> {
        match (self.answer.as_mut().poll(cx), self.limit) {
            (Poll::Ready(answer), _) => Poll::Ready(answer.map_err(NoCredentials::Failed)),
            (Poll::Pending, Some((limit, until))) if until <= now => Poll::Ready(Err(NoCredentials::Late(limit))),
            (Poll::Pending, _) => Poll::Pending,
        }
    }

    /// When to poll again, even without an answer.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.limit.map(|(_, until)| until)
    }
}
