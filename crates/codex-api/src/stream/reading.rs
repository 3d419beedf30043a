//! How a caller reads a stream.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::{FusedStream, Stream};
use response_events::{Ledger, TurnEvent};

use super::TurnStream;
use crate::{Answer, Error};

impl TurnStream {
    /// The next event; `None` after the terminal one. Cancel safe.
    pub async fn try_next(&mut self) -> Result<Option<TurnEvent>, Error> {
        poll_fn(|cx| self.poll_item(cx)).await.transpose()
    }

    /// Reads on to the end and gives the whole answer, with what was read of it before.
    ///
    /// Errors with what ended the stream. An error that was read before is told once more, without the errors behind it
    /// ([`source`](std::error::Error::source)).
    pub async fn collect(mut self) -> Result<Answer, Error> {
        self.collector.keep_head();
        while self.try_next().await?.is_some() {}
        self.into_end()
    }

    /// What a stream that was read to its end came to.
    pub(crate) fn into_end(self) -> Result<Answer, Error> {
        self.collector.into_end().unwrap_or_else(|| Err(Error::config("the stream ended without a terminal item")))
    }

    /// The whole answer, as soon as its terminal event ([`Completed`](TurnEvent::Completed) or
    /// [`Incomplete`](TurnEvent::Incomplete)) was read: for those who show events as they come and need the items in
    /// the end. `None` before, and where the request failed.
    pub fn answer(&self) -> Option<&Answer> {
        self.collector.answer()
    }

    /// What passed on the wire so far, in the latest attempt.
    pub fn ledger(&self) -> &Ledger {
        self.engine.ledger()
    }
}

impl Stream for TurnStream {
    type Item = Result<TurnEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_item(cx)
    }
}

impl FusedStream for TurnStream {
    fn is_terminated(&self) -> bool {
        self.engine.is_done()
    }
}

impl fmt::Debug for TurnStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TurnStream").field("ledger", self.ledger()).finish_non_exhaustive()
    }
}
