//! The deadlines that run in one attempt.

use std::time::{Duration, Instant};

use crate::{Timeouts, WantedBody};

/// How long a body that its head calls a page may take to begin: as long as the text of a refusal has.
const PAGE: Duration = Duration::from_secs(5);

/// More than lies unread where nobody reads: what the kernel keeps of a connection (6 MiB on Linux, unless told
/// otherwise), and what is on its way up from there.
const BACKLOG: usize = 8 << 20;

/// Instants from which the deadlines count. Those of the stream start with the response head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timers {
    limits: Limits,
    turn_started: Instant,
    opened: Option<Instant>,
    /// Behind the head.
    last_byte: Option<Instant>,
    last_event: Option<Instant>,
    /// Bytes since then.
    noise: usize,
    finishing: Option<Instant>,
}

/// What an attempt has to know of its [`Timeouts`]. The others are for the way to the service.
#[derive(Clone, Copy, Debug)]
struct Limits {
    first_byte: Option<Duration>,
    first_event: Option<Duration>,
    idle: Option<Duration>,
    progress: Option<Duration>,
    turn: Option<Duration>,
    finish_grace: Duration,
}

/// A deadline, with its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// The answer is whole; nothing more came.
    FinishGrace,
    Turn(Duration),
    FirstByte(Duration),
    FirstEvent(Duration),
    Idle(Duration),
    Progress(Duration),
}

impl Timers {
    pub(crate) fn new(timeouts: Timeouts, turn_started: Instant) -> Self {
        let Timeouts { first_event, idle, progress, turn, finish_grace, .. } = timeouts;
        let limits = Limits { first_byte: None, first_event, idle, progress, turn, finish_grace };
        Self { limits, turn_started, opened: None, last_byte: None, last_event: None, noise: 0, finishing: None }
    }

    pub(crate) fn note_opened(&mut self, now: Instant) {
        self.opened = Some(now);
        self.last_byte = None;
    }

    pub(crate) fn note_byte(&mut self, now: Instant) {
        self.last_byte = Some(now);
    }

    pub(crate) fn note_event(&mut self, now: Instant) {
        self.last_byte = Some(now);
        self.last_event = Some(now);
        self.noise = 0;
    }

    /// So much was read of what may prove to be no event.
    pub(crate) fn note_read(&mut self, bytes: usize) {
        self.noise = self.noise.saturating_add(bytes);
    }

    /// Starts (again) the wait for what may follow a whole answer.
    pub(crate) fn note_finishing(&mut self, now: Instant) {
        self.finishing = Some(now);
    }

    /// What follows the head is called a page.
    pub(crate) fn note_page(&mut self) {
        self.limits.first_byte = Some(PAGE);
    }

    /// A body is read as a whole. That of a refusal has its own, short limit; a document has no first event.
    pub(crate) fn note_body(&mut self, body: WantedBody, now: Instant) {
        match body {
            WantedBody::Refusal => self.opened = None,
            WantedBody::Answer => self.note_event(now),
        }
    }

    /// The deadline that has passed though there may be more to be read: that of the turn, and any other when so much
    /// has come without an event that it cannot all have been there in good time.
    pub(crate) fn overrun(&self, now: Instant) -> Option<Timer> {
        if self.noise > BACKLOG { self.expired(now) } else { self.turn_expired(now) }
    }

    /// Whether the turn is over.
    pub(crate) fn turn_expired(&self, now: Instant) -> Option<Timer> {
        self.turn_deadline().filter(|at| *at <= now).and(self.limits.turn).map(Timer::Turn)
    }

    /// When the turn is over, whatever happens.
    pub(crate) fn turn_deadline(&self) -> Option<Instant> {
        self.turn_started.checked_add(self.limits.turn?)
    }

    /// The first deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        let mut first: Option<Instant> = None;
        self.each(|_, at| first = Some(first.map_or(at, |first| first.min(at))));
        first
    }

    /// The deadline that has passed, if one has.
    pub(crate) fn expired(&self, now: Instant) -> Option<Timer> {
        let mut passed = None;
        self.each(|timer, at| passed = passed.or((at <= now).then_some(timer)));
        passed
    }

    /// Tells each deadline that runs, in the order in which they are looked at when several have passed. One too far
    /// away to be an instant is none.
    #[inline]
    fn each(&self, mut see: impl FnMut(Timer, Instant)) {
        let limits = &self.limits;
        let mut after = |start: Option<Instant>, limit: Option<Duration>, timer: fn(Duration) -> Timer| {
            let (Some(start), Some(limit)) = (start, limit) else { return };
            if let Some(at) = start.checked_add(limit) {
                see(timer(limit), at);
            }
        };
        after(self.finishing, Some(limits.finish_grace), |_| Timer::FinishGrace);
        after(Some(self.turn_started), limits.turn, Timer::Turn);
        if let Some(opened) = self.opened {
            let empty = Some(opened).filter(|_| self.last_byte.is_none());
            after(empty, limits.first_byte, Timer::FirstByte);
            let first = Some(opened).filter(|_| self.last_event.is_none());
            after(first, limits.first_event, Timer::FirstEvent);
            after(Some(self.last_byte.unwrap_or(opened)), limits.idle, Timer::Idle);
            after(Some(self.last_event.unwrap_or(opened)), limits.progress, Timer::Progress);
        }
    }
}

impl Timer {
    /// What a caller is told when the deadline passes.
    pub(crate) fn message(self) -> String {
        match self {
            Self::FinishGrace => "the answer is whole".to_owned(),
            Self::Turn(limit) => format!("the turn took longer than {limit:?} (turn timeout)"),
            Self::FirstByte(limit) => format!("no body within {limit:?}"),
            Self::FirstEvent(limit) => {
                format!("no event within {limit:?} after the response head (first-event timeout)")
            }
            Self::Idle(limit) => format!("no byte for {limit:?} (idle timeout)"),
            Self::Progress(limit) => {
                format!("no event for {limit:?}, although the connection was alive (progress timeout)")
            }
        }
    }
}
