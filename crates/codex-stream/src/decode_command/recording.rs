//! `decode` of a cassette: every answer on its own, with the times that it was recorded with.

use std::{
    io::{self, Write},
    time::Duration,
};

use codex_stream::{AttemptHead, ExitStatus, Render, renderer};
use response_events::{TurnEvent, Wire};
use stream_replay::Cassette;

use super::{
    exchange, options, report,
    section::{Ending, Show},
};
use crate::{cli::DecodeArgs, diagnostics, problem::Problem};

/// The status is that of the last answer, as for a turn with retries.
pub(super) fn decode(cassette: &Cassette, args: &DecodeArgs) -> Result<ExitStatus, Problem> {
    let mut recording = Recording {
        renderer: renderer(args.output, Wire::from(args.wire), diagnostics::stdout_style()),
        out: &mut io::stdout().lock(),
        args,
        begun: Duration::ZERO,
    };
    let mut last = None;
    for exchange in cassette.exchanges() {
        last = exchange::decode(exchange, options(args), &mut recording)?;
    }
    Ok(ExitStatus::of(last.as_ref()))
}

struct Recording<'a> {
    renderer: Box<dyn Render + Send>,
    out: &'a mut dyn Write,
    args: &'a DecodeArgs,
    /// When the answer at hand began.
    begun: Duration,
}

impl Show for Recording<'_> {
    fn begin(&mut self, at: Duration, _: AttemptHead) -> io::Result<()> {
        self.begun = at;
        self.renderer.begin(None, self.out)
    }

    fn bytes(&mut self, _: Duration, _: usize) {}

    fn piece(&self) -> Option<usize> {
        self.args.chunk_bytes.map(usize::from)
    }

    fn event(&mut self, at: Duration, event: &TurnEvent) -> io::Result<()> {
        self.renderer.event(Some(at.saturating_sub(self.begun)), event, self.out)
    }

    fn end(&mut self, _: Duration, end: Ending<'_>) -> io::Result<()> {
        self.renderer.end(end.failure, end.ledger, self.out)?;
        report(self.args, &end);
        Ok(())
    }
}
