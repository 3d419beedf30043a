//! `decode --output html` of a cassette: every answer is an attempt, with the times that it was recorded with.

use std::{io, time::Duration};

use codex_stream::{AttemptHead, DecodeOptions, ExitStatus, TimelineBuilder, html_page};
use response_events::TurnEvent;
use stream_replay::Cassette;

use super::{
    exchange,
    section::{Ending, Show},
};
use crate::{
    diagnostics::{self, Subject},
    problem::Problem,
};

/// The status is that of the last answer, as for a turn with retries.
pub(super) fn decode(
    cassette: &Cassette,
    name: &str,
    options: DecodeOptions,
    out: &mut dyn io::Write,
) -> Result<ExitStatus, Problem> {
    let mut picture = Picture { builder: TimelineBuilder::new(), since: Duration::ZERO };
    let mut last = None;
    for exchange in cassette.exchanges() {
        picture.since = exchange.at;
        last = exchange::decode(exchange, options, &mut picture)?;
    }
    out.write_all(html_page(&picture.builder.finish(), name).as_bytes())?;
    out.flush()?;
    if let Some(failure) = &last {
        diagnostics::failure(Subject::Recording, failure);
    }
    Ok(ExitStatus::of(last.as_ref()))
}

struct Picture {
    builder: TimelineBuilder,
    /// When the exchange began.
    since: Duration,
}

impl Show for Picture {
    fn begin(&mut self, at: Duration, head: AttemptHead) -> io::Result<()> {
        self.builder.begin(Some(self.since + at), head);
        Ok(())
    }

    fn bytes(&mut self, at: Duration, count: usize) {
        self.builder.bytes(Some(self.since + at), count);
    }

    fn event(&mut self, at: Duration, event: &TurnEvent) -> io::Result<()> {
        self.builder.event(Some(self.since + at), event);
        Ok(())
    }

    fn end(&mut self, at: Duration, end: Ending<'_>) -> io::Result<()> {
        self.builder.end(Some(self.since + at), end.failure, end.ledger);
        Ok(())
    }
}
