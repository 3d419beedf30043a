//! One JSON object for each request.

use std::{
    io::{self, Write},
    mem,
    time::Duration,
};

use response_events::{Failure, Ledger, SummaryBuilder, TurnEvent, Wire};

use super::{Place, Render};
use crate::summary_json;

#[derive(Debug)]
pub(super) struct SummaryRenderer {
    wire: Wire,
    builder: SummaryBuilder,
}

impl SummaryRenderer {
    pub(super) fn new(wire: Wire) -> Self {
        Self { wire, builder: SummaryBuilder::new() }
    }
}

impl Render for SummaryRenderer {
    fn begin(&mut self, _: Option<Place>, _: &mut dyn Write) -> io::Result<()> {
        self.builder = SummaryBuilder::new();
        Ok(())
    }

    fn event(&mut self, _: Option<Duration>, event: &TurnEvent, _: &mut dyn Write) -> io::Result<()> {
        match event {
            // Void as long as nothing follows it, too: the user may interrupt the wait.
            TurnEvent::Retry(_) => self.builder = SummaryBuilder::new(),
            event => self.builder.observe(event),
        }
        Ok(())
    }

    fn end(&mut self, failure: Option<&Failure>, ledger: &Ledger, out: &mut dyn Write) -> io::Result<()> {
        let summary = mem::take(&mut self.builder).finish(self.wire, ledger, failure);
        writeln!(out, "{}", summary_json(&summary))?;
        out.flush()
    }
}
