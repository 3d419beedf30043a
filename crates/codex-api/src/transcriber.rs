//! Whole turns as text, for tests and for reports of mistakes.

use std::{fmt, time::Duration};

use response_events::{Failure, Ledger, Transcript, TurnEvent};
use tokio::time::Instant;

use crate::{Answer, Error, TurnStream};

/// Reads streams to their ends and writes down what passed, one request after the other.
///
/// The text is that of [`Transcript`]: requests, heads, events, retries, and for each request the two lines that say
/// why it ended and what passed. One transcriber for all requests of a turn (or of several) keeps the names of ids and
/// turn states, so that they can be followed downwards. Nothing secret is in it, and nothing that differs from run to
/// run but what the service itself says, and the waits before retries ([`ClientBuilder::retry_seed`] fixes those).
///
/// [`ClientBuilder::retry_seed`]: crate::ClientBuilder::retry_seed
#[derive(Default)]
pub struct Transcriber {
    transcript: Transcript,
    text: String,
    clock: Clock,
}

/// Where the times of events come from.
#[derive(Default)]
enum Clock {
    /// Nowhere: the column is left out.
    #[default]
    None,
    Runtime,
    Given(Box<dyn FnMut() -> Duration + Send>),
}

impl Transcriber {
    /// An empty transcript, without times.
    pub fn new() -> Self {
        Self::default()
    }

    /// With the time of each event since its request began, by tokio's clock: virtual where that is paused.
    #[must_use]
    pub fn timed(mut self) -> Self {
        self.clock = Clock::Runtime;
        self
    }

    /// With times that the caller gives: asked for once an event.
    #[must_use]
    pub fn with_clock(mut self, clock: impl FnMut() -> Duration + Send + 'static) -> Self {
        self.clock = Clock::Given(Box::new(clock));
        self
    }

    /// Writes a line of the caller's own, `** ` before it: what the next request is.
    pub fn note(&mut self, text: &str) {
        self.separate();
        self.text.push_str("** ");
        self.text.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
        self.text.push('\n');
    }

    /// Reads a stream to its end, and gives what [`TurnStream::collect`] would give.
    pub async fn read(&mut self, mut stream: TurnStream) -> Result<Answer, Error> {
        let begin = Instant::now();
        self.begin();
        loop {
            match stream.try_next().await {
                Ok(Some(event)) => {
                    let at = self.at(begin);
                    self.text.push_str(&self.transcript.event(at, &event));
                }
                Ok(None) => {
                    self.end(None, stream.ledger());
                    return stream.into_end();
                }
                Err(error) => {
                    self.end(Some(error.failure()), stream.ledger());
                    return Err(error);
                }
            }
        }
    }

    /// What was written so far.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// All that was written.
    pub fn into_string(self) -> String {
        self.text
    }

    pub(crate) fn begin(&mut self) {
        if !self.text.lines().next_back().is_some_and(|line| line.starts_with("** ")) {
            self.separate();
        }
    }

    pub(crate) fn event(&mut self, event: &TurnEvent) {
        self.text.push_str(&self.transcript.event(None, event));
    }

    pub(crate) fn end(&mut self, failure: Option<&Failure>, ledger: &Ledger) {
        self.text.push_str(&self.transcript.end(failure, ledger));
    }

    fn separate(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    fn at(&mut self, begin: Instant) -> Option<Duration> {
        match &mut self.clock {
            Clock::None => None,
            Clock::Runtime => Some(begin.elapsed()),
            Clock::Given(clock) => Some(clock()),
        }
    }
}

impl fmt::Debug for Transcriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transcriber").field("text", &self.text).finish_non_exhaustive()
    }
}

/// The transcript of one request, read to its end, without times. See [`Transcriber`].
pub async fn transcript(stream: TurnStream) -> String {
    let mut transcriber = Transcriber::new();
    // A failure is in the text, too.
    let _ = transcriber.read(stream).await;
    transcriber.into_string()
}
