//! One line for each event, for people.

use std::{
    io::{self, Write},
    time::Duration,
};

use response_events::{Failure, Ledger, Transcript, TurnEvent};

use super::{Place, Render};

#[derive(Debug, Default)]
pub(super) struct TranscriptRenderer {
    transcript: Transcript,
    requests: u32,
}

impl Render for TranscriptRenderer {
    fn begin(&mut self, _: Option<Place>, out: &mut dyn Write) -> io::Result<()> {
        if self.requests > 0 {
            out.write_all(b"\n")?;
        }
        self.requests += 1;
        Ok(())
    }

    fn event(&mut self, at: Option<Duration>, event: &TurnEvent, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.transcript.event(at, event).as_bytes())?;
        out.flush()
    }

    fn end(&mut self, failure: Option<&Failure>, ledger: &Ledger, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.transcript.end(failure, ledger).as_bytes())?;
        out.flush()
    }
}
