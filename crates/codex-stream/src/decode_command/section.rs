//! One answer of a recording: what a turn calls a request.

use std::{io, time::Duration};

use codex_api::StreamEnd;
use codex_stream::{AttemptHead, StreamDecoder};
use response_events::{Failure, Ledger, TransportKind, TurnEvent};

/// Shows answers, one after the other. All times are since the exchange began.
pub(super) trait Show {
    /// An answer begins.
    fn begin(&mut self, at: Duration, head: AttemptHead) -> io::Result<()>;

    /// Bytes of it arrived.
    fn bytes(&mut self, at: Duration, count: usize);

    /// The sizes of the pieces in which bytes are decoded; `None` for as they come.
    fn piece(&self) -> Option<usize> {
        None
    }

    /// An event of it.
    fn event(&mut self, at: Duration, event: &TurnEvent) -> io::Result<()>;

    /// It has ended; `tail_discarded` as in [`StreamEnd`].
    fn end(&mut self, at: Duration, end: Ending<'_>) -> io::Result<()>;
}

/// What an answer came to.
pub(super) struct Ending<'a> {
    pub(super) failure: Option<&'a Failure>,
    pub(super) ledger: &'a Ledger,
    pub(super) tail_discarded: bool,
}

/// How the input of an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InputEnd {
    /// Where its sender ended it.
    Whole,
    /// Before that.
    Cut,
}

/// An answer that is being read.
pub(super) struct Section<'a> {
    stream: StreamDecoder,
    /// When it was known how it ends.
    settled: Option<Duration>,
    show: &'a mut dyn Show,
}

impl<'a> Section<'a> {
    /// At the beginning, which was shown.
    pub(super) fn new(stream: StreamDecoder, show: &'a mut dyn Show) -> Self {
        Self { stream, settled: None, show }
    }

    pub(super) fn is_settled(&self) -> bool {
        self.settled.is_some()
    }

    /// Says that bytes arrived.
    pub(super) fn pass(&mut self, at: Duration, count: usize) {
        self.show.bytes(at, count);
    }

    /// Decodes bytes.
    pub(super) fn feed(&mut self, at: Duration, bytes: &[u8]) -> io::Result<()> {
        let size = self.show.piece().unwrap_or(bytes.len()).max(1);
        for piece in bytes.chunks(size) {
            self.stream.feed(piece, &mut |event| self.show.event(at, event))?;
        }
        if self.stream.is_settled() {
            self.settled = self.settled.or(Some(at));
        }
        Ok(())
    }

    /// Ends the answer, and begins the one to the next request on the same WebSocket.
    pub(super) fn next(self, at: Duration) -> io::Result<Self> {
        let next = self.stream.next_on_socket();
        let Self { stream, settled, show } = self;
        Section { stream, settled, show: &mut *show }.end(at, InputEnd::Whole, |_| {})?;
        show.begin(at, AttemptHead { transport: Some(TransportKind::WebSocket), ..AttemptHead::default() })?;
        Ok(Self::new(next, show))
    }

    /// Ends what is no stream.
    pub(super) fn refuse(self, at: Duration, failure: Failure) -> io::Result<Option<Failure>> {
        let ledger = self.stream.ledger();
        self.show.end(at, Ending { failure: Some(&failure), ledger, tail_discarded: false })?;
        Ok(Some(failure))
    }

    /// Ends the answer as its input ended, at the latest at this time.
    pub(super) fn end(
        self,
        at: Duration,
        input: InputEnd,
        describe: impl FnOnce(&mut StreamEnd),
    ) -> io::Result<Option<Failure>> {
        let Self { stream, settled, show } = self;
        let at = settled.unwrap_or(at);
        let mut event = |event: &TurnEvent| show.event(at, event);
        let mut end = match input {
            InputEnd::Whole => stream.finish(&mut event)?,
            InputEnd::Cut => stream.finish_cut(&mut event)?,
        };
        describe(&mut end);
        let StreamEnd { ledger, failure, tail_discarded, .. } = &end;
        show.end(at, Ending { failure: failure.as_ref(), ledger, tail_discarded: *tail_discarded })?;
        Ok(end.failure)
    }
}
