//! Events with their times become a timeline.

use std::time::Duration;

use response_events::{Completed, Delta, Failure, ItemEvent, Ledger, RateLimits, Retry, TurnEvent};

use super::{Arrival, Attempt, AttemptHead, Axis, Ending, EventClass, EventMark, EventRun, Timeline, escape::cut};

/// Most rows of an attempt's table.
const ROWS: usize = 250;
/// Most characters of a row's text.
const DETAIL: usize = 160;
/// Most characters of an event in words.
const LABEL: usize = 120;

/// Collects a [`Timeline`].
///
/// Each attempt begins with [`begin`](Self::begin) (or a [`TurnEvent::Request`]), has its bytes and events, and ends
/// with [`end`](Self::end) (or a [`TurnEvent::Retry`]). All times are since the first attempt began; one that is
/// missing makes the order of events the axis of the whole.
#[derive(Debug, Default)]
pub struct TimelineBuilder {
    timeline: Timeline,
    /// The latest time that was told: time does not go back.
    now: Duration,
    /// Whether the last attempt goes on.
    open: bool,
}

impl TimelineBuilder {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// An attempt begins.
    pub fn begin(&mut self, at: Option<Duration>, head: AttemptHead) {
        let begins = self.moment(at);
        let (request, number) = match self.timeline.attempts.last_mut() {
            None => (1, 1),
            Some(last) if matches!(last.ending, Ending::Completed(_) | Ending::Incomplete(_)) => (last.request + 1, 1),
            Some(last) => {
                last.void = true;
                (last.request, last.number + 1)
            }
        };
        self.timeline.attempts.push(Attempt {
            request,
            number,
            head,
            model: None,
            begins,
            ends: begins,
            marks: Vec::new(),
            runs: Vec::new(),
            events_without_row: 0,
            bytes: Vec::new(),
            total_bytes: 0,
            usage: None,
            ending: Ending::Unknown,
            wait: None,
            void: false,
        });
        self.open = true;
    }

    /// Bytes of the body arrived together.
    pub fn bytes(&mut self, at: Option<Duration>, count: usize) {
        let at = self.moment(at);
        let attempt = self.attempt();
        attempt.bytes.push(Arrival { at, count: count as u64 });
        attempt.total_bytes += count as u64;
    }

    /// An event of the attempt, or one about it.
    pub fn event(&mut self, at: Option<Duration>, event: &TurnEvent) {
        match event {
            TurnEvent::Request(request) => {
                self.begin(at, AttemptHead { transport: Some(request.transport), ..AttemptHead::default() });
            }
            TurnEvent::Opened(opened) => {
                let head = &mut self.attempt().head;
                head.status = Some(opened.status);
                head.request_id.clone_from(&opened.request_id);
            }
            TurnEvent::Retry(retry) => self.retry(at, retry),
            TurnEvent::Fallback(_) => {}
            event => {
                let Some(class) = EventClass::of(event) else { return };
                self.place(at, class, event);
            }
        }
    }

    /// The attempt has ended: with this failure, or as its last event says. `at` is when that was settled.
    pub fn end(&mut self, at: Option<Duration>, failure: Option<&Failure>, ledger: &Ledger) {
        if let Some(failure) = failure {
            self.fail(at, failure.clone());
        }
        let attempt = self.attempt();
        attempt.usage.clone_from(&ledger.usage);
        if attempt.bytes.is_empty() {
            attempt.total_bytes = ledger.payload_bytes;
        }
        if attempt.model.is_none() {
            attempt.model.clone_from(&ledger.model);
        }
        self.open = false;
    }

    /// The whole.
    pub fn finish(mut self) -> Timeline {
        if self.timeline.axis == Axis::Order {
            self.timeline.attempts.iter_mut().for_each(forget_times);
        }
        self.timeline
    }

    fn moment(&mut self, at: Option<Duration>) -> Duration {
        match at {
            Some(at) => self.now = self.now.max(at),
            None => self.timeline.axis = Axis::Order,
        }
        if let (true, Some(attempt)) = (self.open, self.timeline.attempts.last_mut()) {
            attempt.ends = self.now;
        }
        self.now
    }

    /// The attempt that goes on; events without one make one.
    fn attempt(&mut self) -> &mut Attempt {
        if !self.open {
            self.begin(Some(self.now), AttemptHead::default());
        }
        let last = self.timeline.attempts.len() - 1;
        &mut self.timeline.attempts[last]
    }

    fn retry(&mut self, at: Option<Duration>, retry: &Retry) {
        let mut failure = Failure::new(retry.reason, retry.message.clone());
        failure.code.clone_from(&retry.code);
        failure.retryable = true;
        self.fail(at, failure);
        self.attempt().wait = Some(retry.delay);
        self.open = false;
    }

    fn fail(&mut self, at: Option<Duration>, failure: Failure) {
        let at = self.moment(at);
        let attempt = self.attempt();
        let label = format!("{}: {}", failure.code.as_deref().unwrap_or(failure.kind.as_str()), failure.message);
        attempt.marks.push(EventMark { at, class: EventClass::End, chars: 0, label: cut(&label, LABEL).into() });
        add_row(
            attempt,
            EventRun {
                first: attempt.marks.len() as u64 - 1,
                at,
                until: at,
                class: EventClass::End,
                place: String::new(),
                count: 1,
                chars: 0,
                detail: label,
            },
        );
        attempt.ending = Ending::Failed(Box::new(failure));
    }

    fn place(&mut self, at: Option<Duration>, class: EventClass, event: &TurnEvent) {
        let at = self.moment(at);
        let attempt = self.attempt();
        match event {
            TurnEvent::Created(created) => attempt.model.clone_from(&created.model),
            TurnEvent::Completed(response) => attempt.ending = Ending::Completed(response.finish_reason.clone()),
            TurnEvent::Incomplete(end) => attempt.ending = Ending::Incomplete(end.reason.clone()),
            _ => {}
        }
        let (place, text, chars) = match piece(event) {
            Some(delta) => {
                (place(delta.output_index, delta.choice_index), delta.text.as_str(), delta.text.chars().count())
            }
            None => match event {
                TurnEvent::ItemAdded(item) | TurnEvent::ItemDone(item) => {
                    (place(item.output_index, item.choice_index), "", 0)
                }
                _ => (String::new(), "", 0),
            },
        };
        let label = if class.is_delta() { String::new() } else { cut(&words(event), LABEL) };
        let number = attempt.marks.len() as u64;
        let row = EventRun {
            first: number,
            at,
            until: at,
            class,
            place,
            count: 1,
            chars: chars as u64,
            detail: if class.is_delta() { text.to_owned() } else { label.clone() },
        };
        attempt.marks.push(EventMark { at, class, chars: chars.try_into().unwrap_or(u32::MAX), label: label.into() });
        add_row(attempt, row);
    }
}

/// Joins pieces of one item that follow each other.
fn add_row(attempt: &mut Attempt, mut row: EventRun) {
    let follows = attempt.events_without_row == 0 && row.class.is_delta();
    if let Some(last) =
        attempt.runs.last_mut().filter(|last| follows && last.class == row.class && last.place == row.place)
    {
        last.until = row.until;
        last.count += 1;
        last.chars += row.chars;
        // A cut text is one character longer than it may be.
        if last.detail.chars().count() <= DETAIL {
            last.detail = cut(&(std::mem::take(&mut last.detail) + &row.detail), DETAIL);
        }
    } else if attempt.runs.len() < ROWS {
        row.detail = cut(&row.detail, DETAIL);
        attempt.runs.push(row);
    } else {
        attempt.events_without_row += 1;
    }
}

fn forget_times(attempt: &mut Attempt) {
    (attempt.begins, attempt.ends, attempt.wait) = (Duration::ZERO, Duration::ZERO, None);
    attempt.marks.iter_mut().for_each(|mark| mark.at = Duration::ZERO);
    attempt.runs.iter_mut().for_each(|run| (run.at, run.until) = (Duration::ZERO, Duration::ZERO));
    attempt.bytes.clear();
}

fn piece(event: &TurnEvent) -> Option<&Delta> {
    match event {
        TurnEvent::TextDelta(delta)
        | TurnEvent::RefusalDelta(delta)
        | TurnEvent::ReasoningDelta(delta)
        | TurnEvent::ReasoningSummaryDelta(delta)
        | TurnEvent::ToolInputDelta(delta) => Some(delta),
        _ => None,
    }
}

/// As in transcripts.
fn place(output_index: u32, choice_index: u32) -> String {
    if choice_index == 0 { format!("o{output_index}") } else { format!("o{output_index}/c{choice_index}") }
}

/// What an event is, in words.
fn words(event: &TurnEvent) -> String {
    match event {
        TurnEvent::Created(created) => created.model.clone().unwrap_or_else(|| "accepted".to_owned()),
        TurnEvent::ItemAdded(item) => format!("{} begins", named(item)),
        TurnEvent::ItemDone(item) => match item.item.as_call() {
            Some(call) => format!("{} is done: {}", named(item), call.arguments),
            None => format!("{} is done", named(item)),
        },
        TurnEvent::RateLimits(limits) => used(limits),
        TurnEvent::Unknown(other) | TurnEvent::Other(other) => other.event.clone(),
        TurnEvent::Malformed(malformed) => match &malformed.event {
            Some(event) => format!("{event}: {}", malformed.error),
            None => malformed.error.clone(),
        },
        TurnEvent::Completed(response) => with_reason("completed", response),
        TurnEvent::Incomplete(end) => format!("incomplete: {}", end.reason),
        _ => String::new(),
    }
}

fn named(event: &ItemEvent) -> String {
    match event.item.as_call() {
        Some(call) => format!("{} {}", event.item.item_type(), call.name),
        None => event.item.item_type().to_owned(),
    }
}

fn used(limits: &RateLimits) -> String {
    let windows = [("primary", &limits.primary), ("secondary", &limits.secondary)];
    let windows = windows.iter().filter_map(|(name, window)| Some((name, window.as_ref()?.used_percent)));
    windows.fold(limits.limit_id.clone(), |words, (name, used)| words + &format!(", {name} {used} % used"))
}

fn with_reason(word: &str, response: &Completed) -> String {
    match &response.finish_reason {
        Some(reason) => format!("{word}: {reason}"),
        None => word.to_owned(),
    }
}
