//! The forms in which a stream is shown.

mod held;
mod html;
mod json;
mod summary;
mod text;
mod transcript;

use std::{
    io::{self, Write},
    time::Duration,
};

use clap::ValueEnum;
use response_events::{Failure, Ledger, TurnEvent, Wire};

pub use html::HtmlRenderer;
pub use text::TextStyle;

/// One of the forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// The answer's text.
    Text,
    /// One JSON object for each event.
    Json,
    /// One line for each event, for people.
    Transcript,
    /// One JSON object for the whole stream.
    Summary,
    /// One HTML page with a picture of the stream (`decode` only).
    Html,
}

/// Where in a run a request stands; both numbers count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The turn of the session.
    pub turn: u32,
    /// The request of the turn.
    pub request: u32,
}

/// Writes the events of one request after the other. Every method fails only if writing does.
pub trait Render {
    /// A request begins. A recording has no place.
    fn begin(&mut self, place: Option<Place>, out: &mut dyn Write) -> io::Result<()>;

    /// An event of the request, `at` this time after its beginning (a recording has no clock).
    fn event(&mut self, at: Option<Duration>, event: &TurnEvent, out: &mut dyn Write) -> io::Result<()>;

    /// The request has ended, with this failure if it is one.
    fn end(&mut self, failure: Option<&Failure>, ledger: &Ledger, out: &mut dyn Write) -> io::Result<()>;

    /// No other request follows. Only what shows all of them together has something to write now.
    fn finish(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

/// The renderer of a form. The style counts for [`OutputFormat::Text`] only.
pub fn renderer(format: OutputFormat, wire: Wire, style: TextStyle) -> Box<dyn Render + Send> {
    match format {
        OutputFormat::Text if style == TextStyle::PipeWhenFinal => Box::new(held::HeldText::default()),
        OutputFormat::Text => Box::new(text::TextRenderer::new(style)),
        OutputFormat::Json => Box::new(json::JsonRenderer::default()),
        OutputFormat::Transcript => Box::new(transcript::TranscriptRenderer::default()),
        OutputFormat::Summary => Box::new(summary::SummaryRenderer::new(wire)),
        OutputFormat::Html => Box::new(HtmlRenderer::new("stream")),
    }
}
