//! The answer as text, once it is final.

use std::{
    io::{self, Write},
    time::Duration,
};

use response_events::{Failure, Ledger, TurnEvent};

use super::{
    Place, Render,
    text::{TextRenderer, TextStyle},
};

/// Holds the text of an attempt back until nothing can make it void: the end of its request. The memory that it takes
/// is that of one answer's text.
#[derive(Debug)]
pub(super) struct HeldText {
    text: TextRenderer,
    held: Vec<u8>,
}

impl Default for HeldText {
    fn default() -> Self {
        Self { text: TextRenderer::new(TextStyle::Pipe), held: Vec::new() }
    }
}

impl Render for HeldText {
    fn begin(&mut self, place: Option<Place>, _: &mut dyn Write) -> io::Result<()> {
        self.held.clear();
        self.text.begin(place, &mut self.held)
    }

    fn event(&mut self, at: Option<Duration>, event: &TurnEvent, out: &mut dyn Write) -> io::Result<()> {
        match event {
            TurnEvent::Retry(_) => self.begin(None, out),
            event => self.text.event(at, event, &mut self.held),
        }
    }

    fn end(&mut self, failure: Option<&Failure>, ledger: &Ledger, out: &mut dyn Write) -> io::Result<()> {
        self.text.end(failure, ledger, &mut self.held)?;
        out.write_all(&std::mem::take(&mut self.held))?;
        out.flush()
    }
}
