//! One page with a picture of all requests.

use std::{
    io::{self, Write},
    mem,
    time::Duration,
};

use response_events::{Failure, Ledger, TurnEvent};

use super::{Place, Render};
use crate::{AttemptHead, TimelineBuilder, html_page};

/// Draws the requests that it was shown as one page, which [`finish`](Render::finish) writes: see [`html_page`].
///
/// Every request is a new attempt. Its times are since the first of them began.
#[derive(Debug)]
pub struct HtmlRenderer {
    source: String,
    builder: TimelineBuilder,
    now: Option<Duration>,
}

impl HtmlRenderer {
    /// A page about `source`, such as the name of a file.
    pub fn new(source: impl Into<String>) -> Self {
        Self { source: source.into(), builder: TimelineBuilder::new(), now: None }
    }
}

impl Render for HtmlRenderer {
    fn begin(&mut self, _: Option<Place>, _: &mut dyn Write) -> io::Result<()> {
        self.builder.begin(self.now, AttemptHead::default());
        Ok(())
    }

    fn event(&mut self, at: Option<Duration>, event: &TurnEvent, _: &mut dyn Write) -> io::Result<()> {
        self.now = at;
        self.builder.event(at, event);
        Ok(())
    }

    fn end(&mut self, failure: Option<&Failure>, ledger: &Ledger, _: &mut dyn Write) -> io::Result<()> {
        self.builder.end(self.now, failure, ledger);
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let timeline = mem::take(&mut self.builder).finish();
        out.write_all(html_page(&timeline, &self.source).as_bytes())?;
        out.flush()
    }
}
