//! One attempt: its head, its stream, its deadlines.

use std::{fmt, time::Instant};

use response_events::{Failure, FailureKind, FinishedResponse, Interpreter, Outcome, Phase, TransportKind};

use crate::{
    EngineConfig, ErrorBody,
    hints::HeadHints,
    refusal::quote,
    timers::{Timer, Timers},
};

/// What is known of the attempt under way.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) number: u32,
    pub(crate) phase: Phase,
    pub(crate) interpreter: Interpreter,
    pub(crate) timers: Timers,
    pub(crate) status: Option<u16>,
    pub(crate) content_type: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) hints: HeadHints,
    pub(crate) preview: Preview,
    /// Whether the head announces a document, which the body has yet to begin.
    pub(crate) is_document_due: bool,
    pub(crate) socket: SocketUse,
    /// What the socket has carried before, events of which may arrive late.
    pub(crate) before: FinishedResponse,
    /// Whether anything but `created` has been handed to the caller.
    pub(crate) output_delivered: bool,
    /// Whether an item, or a piece of one, has been handed to the caller.
    pub(crate) content_delivered: bool,
}

/// What some services put before their text: no character that could be seen.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The beginning of a body in which no event has been found yet. `Debug` does not show it: it may hold a turn state.
#[derive(Default)]
pub(crate) struct Preview(Vec<u8>);

impl Preview {
    const LONGEST: usize = 1024;
    /// What a line of an event stream begins with.
    const FIELDS: [&[u8]; 5] = [b":", b"data", b"event", b"id", b"retry"];

    /// Takes in more bytes. The first one that is no white space (nor a byte order mark) is told once.
    pub(crate) fn take_in(&mut self, data: &[u8]) -> Option<u8> {
        let known = self.begins_with().is_some();
        // Services keep a connection alive with empty lines, for as long as it takes.
        let data = if self.0.is_empty() { data.trim_ascii_start() } else { data };
        self.0.extend_from_slice(&data[..data.len().min(Self::LONGEST - self.0.len())]);
        self.begins_with().filter(|_| !known)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.begins_with().is_none()
    }

    fn begins_with(&self) -> Option<u8> {
        self.text().first().copied()
    }

    fn text(&self) -> &[u8] {
        match self.0.strip_prefix(BYTE_ORDER_MARK) {
            Some(text) => text.trim_ascii_start(),
            // A part of it may still become one.
            None if BYTE_ORDER_MARK.starts_with(&self.0) => &[],
            None => self.0.trim_ascii_start(),
        }
    }

    /// Whether this is how an event stream begins, as far as it has come.
    pub(crate) fn may_be_stream(&self) -> bool {
        let text = self.text();
        Self::FIELDS.iter().any(|field| text.starts_with(field) || field.starts_with(text))
    }

    /// What a person should see of a body that is no event stream; nothing of one that is.
    fn quote(&self) -> Option<String> {
        if Self::FIELDS.iter().any(|field| self.text().starts_with(field)) { None } else { quote(self.text()) }
    }
}

impl fmt::Debug for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Preview({} bytes)", self.0.len())
    }
}

/// What is special about the socket that carries an attempt.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SocketUse {
    /// It was open before, and has not brought a byte since: it may have died meanwhile.
    pub(crate) unproven: bool,
    /// It has been asked to take the request, and has not yet.
    pub(crate) sending: bool,
    /// The request goes on from a response that this side chained.
    pub(crate) chained: bool,
}

impl Attempt {
    pub(crate) fn new(number: u32, config: &EngineConfig, transport: TransportKind) -> Self {
        let mut options = config.options;
        options.transport = transport;
        Self {
            number,
            phase: Phase::Connect,
            interpreter: Interpreter::new(config.wire, options),
            timers: Timers::new(config.timeouts, config.turn_started),
            status: None,
            content_type: None,
            request_id: None,
            hints: HeadHints::default(),
            preview: Preview::default(),
            is_document_due: false,
            socket: SocketUse::default(),
            before: FinishedResponse::default(),
            output_delivered: false,
            content_delivered: false,
        }
    }

    /// The head announces a document. It has no first event to wait for, and may prove to be a stream.
    pub(crate) fn expect_document(&mut self, now: Instant) {
        self.is_document_due = true;
        self.timers.note_body(ErrorBody::Answer, now);
    }

    /// A byte arrived: whatever it is, the connection lives.
    pub(crate) fn note_byte(&mut self, now: Instant) {
        self.timers.note_byte(now);
        self.socket.unproven = false;
    }

    /// The failure, completed with what is known of this attempt.
    pub(crate) fn describe(&self, mut failure: Failure) -> Failure {
        failure.request_id = failure.request_id.or_else(|| self.request_id.clone());
        failure.attempts = self.number;
        failure.output_delivered = self.output_delivered;
        failure
    }

    /// A failure in the present phase.
    pub(crate) fn failure(&self, kind: FailureKind, message: impl Into<String>) -> Failure {
        Failure::new(kind, message).in_phase(self.phase)
    }

    /// The failure that an expired deadline is; `None` for the one that is none.
    pub(crate) fn timed_out(&self, timer: Timer) -> Option<Failure> {
        if timer == Timer::FinishGrace {
            return None;
        }
        let mut failure = self.failure(FailureKind::Timeout, timer.message());
        // Time is up for the whole turn: no second try can change that.
        failure.retryable = !matches!(timer, Timer::Turn(_));
        Some(failure)
    }

    /// The failure of a stream that ended without its terminal signal, told so that it can be understood when not
    /// even one event arrived.
    pub(crate) fn cut_short(&self, outcome: &Outcome, cause: Option<Failure>) -> Option<Failure> {
        let mut failure = outcome.failure()?.in_phase(self.phase);
        if failure.kind != FailureKind::Truncated {
            return Some(failure);
        }
        if let Some(cause) = cause {
            return Some(cause);
        }
        if self.interpreter.ledger().progress() > 0 {
            return Some(failure);
        }
        let content_type = self.content_type.as_deref().unwrap_or("no content type");
        let status = self.status.unwrap_or_default();
        failure.message = format!("the answer ended without a single event (HTTP {status}, {content_type})");
        if let Some(quote) = self.preview.quote() {
            failure.message = format!("{}: {quote}", failure.message);
        }
        Some(failure)
    }
}
