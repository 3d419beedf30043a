//! What a picture shows, without how.

use std::time::Duration;

use response_events::{Failure, TransportKind, Usage};

use super::{EventClass, Gap, gaps};

/// What the axis counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Axis {
    /// Time, since the first attempt began.
    #[default]
    Time,
    /// Events: the recording has no clock.
    Order,
}

/// The attempts of a turn, one after the other.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Timeline {
    /// What is known of time. With [`Axis::Order`] every time in it is zero.
    pub axis: Axis,
    /// The attempts, in the order in which they began.
    pub attempts: Vec<Attempt>,
}

/// What is known of an attempt when it begins; everything may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttemptHead {
    /// What carries it.
    pub transport: Option<TransportKind>,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// The service's id of the request.
    pub request_id: Option<String>,
}

/// One attempt at a request: what was sent for it is one request on the wire.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attempt {
    /// Which request of the turn it belongs to, from 1: a new one begins after an answer.
    pub request: u32,
    /// Which attempt at that request it is, from 1.
    pub number: u32,
    /// What is known of its way.
    pub head: AttemptHead,
    /// The model that answers.
    pub model: Option<String>,
    /// When it began, since the first attempt began.
    pub begins: Duration,
    /// When it ended, since the first attempt began; not before `begins`.
    pub ends: Duration,
    /// Its events, each since the first attempt began.
    pub marks: Vec<EventMark>,
    /// Its events as rows of a table: pieces that follow each other are one row.
    pub runs: Vec<EventRun>,
    /// Events that are in no row, since there are too many.
    pub events_without_row: u64,
    /// Bytes as they came; empty where only their sum is known.
    pub bytes: Vec<Arrival>,
    /// All bytes: of the body, or where these are not known of the payloads.
    pub total_bytes: u64,
    /// Token counts of the answer.
    pub usage: Option<Usage>,
    /// How it ended.
    pub ending: Ending,
    /// The wait that was announced before the next attempt.
    pub wait: Option<Duration>,
    /// Whether its output does not count: it failed, and another attempt followed.
    pub void: bool,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventMark {
    /// When it was there.
    pub at: Duration,
    /// What it is.
    pub class: EventClass,
    /// Characters of a piece; 0 for everything else.
    pub chars: u32,
    /// What it is in words; empty for pieces.
    pub label: Box<str>,
}

/// Events of one kind that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventRun {
    /// Number of the first event in the attempt, from 0.
    pub first: u64,
    /// When that was there.
    pub at: Duration,
    /// When the last was there.
    pub until: Duration,
    /// What they are.
    pub class: EventClass,
    /// The item that they belong to (`o1`, or `o1/c2` in another choice of a Chat answer); may be empty.
    pub place: String,
    /// How many.
    pub count: u64,
    /// Characters of all pieces.
    pub chars: u64,
    /// The text of pieces, or what the event is in words; cut when it is long.
    pub detail: String,
}

/// Bytes that arrived together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When.
    pub at: Duration,
    /// How many.
    pub count: u64,
}

/// How an attempt ended.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Ending {
    /// Nothing says how.
    #[default]
    Unknown,
    /// With a whole answer; the reason as Chat gives it.
    Completed(Option<String>),
    /// With an answer that ends early, for this reason.
    Incomplete(String),
    /// With a failure.
    Failed(Box<Failure>),
}

/// The sums of a picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// From the beginning of the first attempt to the end of the last.
    pub duration: Option<Duration>,
    /// To the first piece that is not void.
    pub first_token: Option<Duration>,
    /// The longest time without an event in any attempt.
    pub longest_gap: Option<Duration>,
    /// Events of all attempts.
    pub events: u64,
    /// Pieces of all attempts.
    pub deltas: u64,
    /// Bytes of all attempts.
    pub bytes: u64,
    /// Tokens of all prompts that were counted.
    pub input_tokens: Option<u64>,
    /// Tokens of all answers that were counted.
    pub output_tokens: Option<u64>,
}

impl Attempt {
    /// Its length; zero without a clock.
    pub fn duration(&self) -> Duration {
        self.ends.saturating_sub(self.begins)
    }

    /// When the first piece of an answer was there, since the attempt began.
    pub fn first_token(&self) -> Option<Duration> {
        let first = self.marks.iter().find(|mark| mark.class.is_delta())?;
        Some(first.at.saturating_sub(self.begins))
    }

    /// The times without an event that are long beside the attempt, in order.
    pub fn gaps(&self) -> Vec<Gap> {
        gaps::long(self)
    }

    pub(super) fn deltas(&self) -> u64 {
        self.marks.iter().filter(|mark| mark.class.is_delta()).count() as u64
    }

    /// Its events: how it failed is a mark, but none.
    pub(super) fn events(&self) -> u64 {
        let failed = matches!(self.ending, Ending::Failed(_))
            && self.marks.last().is_some_and(|mark| mark.class == EventClass::End);
        self.marks.len() as u64 - u64::from(failed)
    }
}

impl Timeline {
    /// The sums.
    pub fn totals(&self) -> Totals {
        let timed = |time: Duration| (self.axis == Axis::Time).then_some(time);
        let tokens = |count: fn(&Usage) -> Option<u64>| {
            self.attempts.iter().filter_map(|attempt| count(attempt.usage.as_ref()?)).reduce(u64::saturating_add)
        };
        let counting = |attempt: &&Attempt| !attempt.void && attempt.first_token().is_some();
        let first = self.attempts.iter().find(counting);
        Totals {
            duration: self.attempts.iter().map(|attempt| attempt.ends).max().and_then(timed),
            first_token: first.and_then(|attempt| timed(attempt.begins + attempt.first_token()?)),
            longest_gap: self.attempts.iter().filter_map(gaps::longest).max().and_then(timed),
            events: self.attempts.iter().map(Attempt::events).sum(),
            deltas: self.attempts.iter().map(Attempt::deltas).sum(),
            bytes: self.attempts.iter().map(|attempt| attempt.total_bytes).sum(),
            input_tokens: tokens(Usage::input_tokens),
            output_tokens: tokens(Usage::output_tokens),
        }
    }
}
