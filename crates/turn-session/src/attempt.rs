//! One attempt: its head, its stream, its deadlines.

use std::time::Instant;

use response_events::{Failure, FailureKind, FinishedResponse, Interpreter, Outcome, Phase, TransportKind, Wire};

use crate::{
    EngineConfig, Target, WantedBody,
    head::BodyKind,
    hints::HeadHints,
    other_wire::other_document,
    preview::Preview,
    refusal::{no_answer, not_an_api_answer},
    timers::{Timer, Timers},
    transport::Route,
};

/// What is known of the attempt under way.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) number: u32,
    /// Where it goes: not where the caller sent it, if it was redirected.
    pub(crate) target: Target,
    /// Redirects that it has followed.
    pub(crate) redirects: u32,
    pub(crate) phase: Phase,
    /// Whether an event was understood: what the body is need not be asked any more.
    is_understood: bool,
    pub(crate) interpreter: Interpreter,
    pub(crate) timers: Timers,
    pub(crate) status: Option<u16>,
    pub(crate) content_type: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) hints: HeadHints,
    pub(crate) preview: Preview,
    /// What the head announces.
    pub(crate) announced: BodyKind,
    pub(crate) socket: SocketUse,
    /// What the socket has carried before, events of which may arrive late.
    pub(crate) before: FinishedResponse,
    /// Whether anything but `created` has been handed to the caller.
    pub(crate) output_delivered: bool,
    /// Whether an item, or a piece of one, has been handed to the caller.
    pub(crate) content_delivered: bool,
}

/// What is special about the socket that carries an attempt.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SocketUse {
    pub(crate) past: SocketPast,
    /// It has been asked to take the request, and has not yet.
    pub(crate) sending: bool,
    /// The request goes on from a response that this side chained.
    pub(crate) chained: bool,
}

/// What of a socket's past its end may be about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SocketPast {
    #[default]
    Nothing,
    /// It was open before, and has not brought a byte since: it may have died meanwhile.
    Unproven,
    /// It has just refused the request, which was sent again: how it is closed before an answer is about the first one.
    Refused,
}

impl Attempt {
    pub(crate) fn new(number: u32, config: &EngineConfig, transport: TransportKind) -> Self {
        let mut options = config.options;
        options.transport = transport;
        Self {
            number,
            target: config.target.clone(),
            redirects: 0,
            phase: Phase::Connect,
            is_understood: false,
            interpreter: Interpreter::new(config.wire, options),
            timers: Timers::new(config.timeouts, config.turn_started),
            status: None,
            content_type: None,
            request_id: None,
            hints: HeadHints::default(),
            preview: Preview::default(),
            announced: BodyKind::Other,
            socket: SocketUse::default(),
            before: FinishedResponse::default(),
            output_delivered: false,
            content_delivered: false,
        }
    }

    /// The head announces a body, which may prove to be something else. A document has no first event to wait for,
    /// and a page should be there.
    pub(crate) fn expect(&mut self, body: BodyKind, now: Instant) {
        self.announced = body;
        match body {
            BodyKind::Json => self.timers.note_body(WantedBody::Answer, now),
            BodyKind::Page => self.timers.note_page(),
            _ => {}
        }
    }

    /// An event came. What the body is need not be asked any more, and once one is understood its beginning is not
    /// kept.
    pub(crate) fn begin_streaming(&mut self) {
        self.phase = Phase::Streaming;
        self.socket.past = SocketPast::Nothing;
        let ledger = self.interpreter.ledger();
        if !self.is_understood && ledger.progress() > ledger.malformed {
            self.is_understood = true;
            self.preview = Preview::default();
        }
    }

    /// A byte arrived: whatever it is, the connection lives.
    pub(crate) fn note_byte(&mut self, now: Instant) {
        self.timers.note_byte(now);
        if self.socket.past == SocketPast::Unproven {
            self.socket.past = SocketPast::Nothing;
        }
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

    /// The failure that a whole body is which is no answer to what was asked.
    pub(crate) fn no_answer(&self, route: Route, asked: Wire, body: &[u8], cut: Option<Failure>) -> Failure {
        let status = self.status.unwrap_or_default();
        let content_type = self.content_type.as_deref();
        // What answers a handshake is of no wire yet.
        let other = if route.is_socket() { None } else { other_document(asked, body) };
        let mut failure = other.unwrap_or_else(|| not_an_api_answer(route, status, content_type, body, cut));
        failure.phase = self.phase;
        failure
    }

    /// The failure that an expired deadline is; `None` for the one that is none.
    pub(crate) fn timed_out(&self, timer: Timer) -> Option<Failure> {
        let mut failure = match timer {
            Timer::FinishGrace => return None,
            Timer::FirstByte(_) => {
                let status = self.status.unwrap_or_default();
                let what = format!(" and {}", timer.message());
                no_answer(status, self.content_type.as_deref(), &what).in_phase(self.phase)
            }
            _ => self.failure(FailureKind::Timeout, timer.message()),
        };
        // Time is up for the whole turn: no second try can change that.
        failure.retryable = !matches!(timer, Timer::Turn(_));
        Some(failure)
    }

    /// The failure of a stream that ended without its terminal signal, told so that it can be understood when no event
    /// arrived that says something.
    pub(crate) fn cut_short(&self, outcome: &Outcome, cause: Option<Failure>) -> Option<Failure> {
        let failure = outcome.failure()?.in_phase(self.phase);
        if failure.kind != FailureKind::Truncated {
            return Some(failure);
        }
        let is_silent = cause.is_none() && self.interpreter.ledger().progress() == 0;
        let mut failure = cause.unwrap_or(failure);
        if is_silent {
            let content_type = self.content_type.as_deref().unwrap_or("no content type");
            let status = self.status.unwrap_or_default();
            failure.message = format!("the answer ended without a single event (HTTP {status}, {content_type})");
        }
        if let Some(quote) = self.preview.quote() {
            let joint = if is_silent { ":" } else { "; it began with:" };
            failure.message = format!("{}{joint} {quote}", failure.message);
        }
        Some(failure)
    }
}
