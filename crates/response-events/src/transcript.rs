//! A stream as text for people: one line an event, ids renumbered, nothing secret.

mod ending;
mod names;

use std::{borrow::Cow, fmt::Write, time::Duration};

use serde_json::Value;

use self::names::Names;
use crate::{
    Completed, Delta, Failure, ItemEvent, Ledger, Opened, OtherEvent, RateLimitWindow, RateLimits, RequestStarted,
    Retry, TransportKind, TurnEvent, TurnStateMark, Usage,
};

/// Renders the events of a turn, line by line, for tests, terminals and reports of mistakes alike.
///
/// * `->` is a request with its transport, attempt and turn state, `<-` the head of its answer, `~~` a retry or a
///   change of transport.
/// * `#N` is event N of the attempt, behind the time since the request began if there is a clock. Text is quoted with
///   its white space visible and never joined; `??` is an event of an unknown type, listed with its keys, `!!` a
///   payload that could not be decoded.
/// * `==` are the two lines of [`end`](Self::end): why the stream ended, and what passed.
///
/// Ids are renumbered in the order in which they appear (`resp_1`, `call_1`), and messages say `host` for where the
/// request went. Token counts are `usage=9in+4out`. Each turn state is called by a letter
/// (`ts_A`): the same value has the same one, so that a reader sees it kept, and gone with the next turn. A transcript
/// that goes on through several requests keeps these names.
#[derive(Debug, Default)]
pub struct Transcript {
    events: u32,
    /// Whether the head of the attempt was the last thing that came.
    at_head: bool,
    /// What the attempt was sent with.
    sent: Option<TurnStateMark>,
    /// Where it went: a host and a port, which messages may name, and which tests have another of in each run.
    authority: String,
    names: Names,
}

/// Which of its two events an item is told by: what it is, or all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Added,
    Done,
}

impl Transcript {
    /// An empty transcript.
    pub fn new() -> Self {
        Self::default()
    }

    /// The line of an event, with its line end. `at` is the time since the request began; without one (a recording
    /// has no clock) the column is left out.
    pub fn event(&mut self, at: Option<Duration>, event: &TurnEvent) -> String {
        one_line(&self.event_line(at, event))
    }

    fn event_line(&mut self, at: Option<Duration>, event: &TurnEvent) -> String {
        let (name, place, detail) = match event {
            TurnEvent::Request(request) => return self.request(request),
            TurnEvent::Opened(opened) => return self.opened(opened),
            TurnEvent::RateLimits(limits) if self.at_head => return format!("<- limits {}", limits_line(limits)),
            TurnEvent::Retry(retry) => return self.retry(retry),
            TurnEvent::Fallback(fallback) => {
                let (from, to) = (fallback.from.as_str(), fallback.to.as_str());
                let reason = self.without_authority(&fallback.reason);
                return format!("~~ fallback {from} -> {to} {reason:?}");
            }
            TurnEvent::Created(created) => {
                let id = self.response(created.response_id.as_deref());
                ("created", String::new(), format!("{id} {}", created.model.as_deref().unwrap_or("-")))
            }
            TurnEvent::ItemAdded(item) => {
                ("item.added", place(item.output_index, item.choice_index), self.item(item, Stage::Added))
            }
            TurnEvent::ItemDone(item) => {
                ("item.done", place(item.output_index, item.choice_index), self.item(item, Stage::Done))
            }
            TurnEvent::TextDelta(delta) => text("text", delta),
            TurnEvent::RefusalDelta(delta) => text("refusal", delta),
            TurnEvent::ReasoningDelta(delta) => text("reasoning", delta),
            TurnEvent::ReasoningSummaryDelta(delta) => text("summary", delta),
            TurnEvent::ToolInputDelta(delta) => text("tool.input", delta),
            TurnEvent::RateLimits(limits) => ("rate.limits", String::new(), limits_line(limits)),
            TurnEvent::Unknown(other) => ("??", String::new(), with_keys(other)),
            TurnEvent::Other(other) => ("other", String::new(), with_state(other)),
            TurnEvent::Malformed(malformed) => {
                let event = malformed.event.as_ref().map(|event| format!("{event}: ")).unwrap_or_default();
                ("!!", String::new(), format!("{event}{}  {:?}", malformed.error, cut(&malformed.raw)))
            }
            TurnEvent::Completed(response) => ("completed", String::new(), self.completed(response)),
            TurnEvent::Incomplete(end) => {
                ("incomplete", String::new(), format!("{} {}", end.reason, self.completed(&end.response)))
            }
        };
        let number = self.events;
        self.events += 1;
        self.at_head = false;
        let clock = at.map(|at| format!("{:>7.3}  ", at.as_secs_f64())).unwrap_or_default();
        format!("{clock}#{number:<3} {name:<12}{place:<5} {detail}")
    }

    /// The last two lines: the terminal cause with the retry decision, and the ledger.
    ///
    /// The decision is `never` (the same request would fail again), `possible` (nobody tried again), or `no more` with
    /// the reason for giving up. `output-seen` says whether output was handed out before. `connection` is how the
    /// stream left it: `open` where the end was told while it was open, `closed` where its end was the end of the
    /// stream, `-` where there was none. Counts that are rarely above 0 (sentinels, keep-alives, payloads without an
    /// event of their own, late ones, those after the end) are shown only then; `dropped` is [`Ledger::dropped`].
    pub fn end(&mut self, failure: Option<&Failure>, ledger: &Ledger) -> String {
        let message = failure.map(|failure| self.without_authority(&failure.message)).unwrap_or_default();
        one_line(&ending::cause(failure, &message, ledger)) + &one_line(&ending::account(failure, ledger))
    }

    fn request(&mut self, request: &RequestStarted) -> String {
        self.events = 0;
        self.at_head = false;
        self.sent.clone_from(&request.turn_state_mark);
        authority_of(&request.url).clone_into(&mut self.authority);
        let state = match &request.turn_state_mark {
            Some(mark) => self.names.state(mark),
            None if request.turn_state => "sent".to_owned(),
            None => "-".to_owned(),
        };
        let (transport, attempt) = (request.transport.as_str(), request.attempt);
        let path = path_of(&request.url);
        let verb = if request.transport == TransportKind::WebSocket { "WS" } else { "POST" };
        format!("-> {verb} {path}   transport={transport} attempt={attempt} turn-state={state}")
    }

    fn retry(&self, retry: &Retry) -> String {
        let (n, of, kind) = (retry.attempt, retry.max_attempts, retry.reason);
        let code = retry.code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
        let void = if retry.discarded { ", output void" } else { "" };
        let (delay, message) = (retry.delay.as_secs_f64(), self.without_authority(&retry.message));
        format!("~~ retry {n}/{of} in {delay:.3} s after {kind}{code} {message:?}{void}")
    }

    /// The message with `host` for the host and port that the attempt went to.
    fn without_authority<'m>(&self, message: &'m str) -> Cow<'m, str> {
        if self.authority.is_empty() || !message.contains(&self.authority) {
            return message.into();
        }
        message.replace(&self.authority, "host").into()
    }

    fn opened(&mut self, opened: &Opened) -> String {
        self.at_head = true;
        let state = match &opened.turn_state_mark {
            Some(mark) => {
                let is_echo = self.sent.as_ref() == Some(mark);
                let name = self.names.state(mark);
                match (opened.turn_state, is_echo) {
                    (true, _) => format!("set({name})"),
                    (false, true) => format!("same({name})"),
                    (false, false) => format!("ignored({name})"),
                }
            }
            None if opened.turn_state => "set".to_owned(),
            None => "-".to_owned(),
        };
        let id = opened.request_id.as_deref().map_or_else(|| "-".to_owned(), |id| self.names.of("req", id));
        format!("<- {} request-id={id} turn-state={state}", opened.status)
    }

    fn item(&mut self, event: &ItemEvent, stage: Stage) -> String {
        let item = &event.item;
        let mut line = item.item_type().to_owned();
        if let Some(role) = item.text("role") {
            let _ = write!(line, " {role}");
        }
        if let Some(call) = item.as_call() {
            // One that the service does not name gets its id when it is whole.
            let id = if call.call_id.is_empty() { "-".to_owned() } else { self.names.of("call", call.call_id) };
            let _ = write!(line, " {id} {}", call.name);
            if stage == Stage::Done {
                let _ = write!(line, " {:?}", cut(call.arguments));
            }
        }
        if let (Stage::Done, Some(status)) = (stage, item.status()) {
            let _ = write!(line, " {status}");
        }
        line
    }

    fn completed(&mut self, response: &Completed) -> String {
        let mut line = self.response(response.response_id.as_deref());
        if let Some(reason) = &response.finish_reason {
            let _ = write!(line, " finish={reason}");
        }
        if let Some(usage) = &response.usage {
            let _ = write!(line, " usage={}", tokens(usage));
        }
        line
    }

    fn response(&mut self, id: Option<&str>) -> String {
        id.map_or_else(|| "-".to_owned(), |id| self.names.of("resp", id))
    }
}

fn place(output_index: u32, choice_index: u32) -> String {
    if choice_index == 0 { format!("o{output_index}") } else { format!("o{output_index}/c{choice_index}") }
}

fn text<'n>(name: &'n str, delta: &Delta) -> (&'n str, String, String) {
    (name, place(delta.output_index, delta.choice_index), format!("{:?}", delta.text))
}

/// An unknown event is listed with the keys that it has.
fn with_keys(other: &OtherEvent) -> String {
    let keys = match other.raw.to_value() {
        Value::Object(map) => map.keys().filter(|key| *key != "type").cloned().collect::<Vec<_>>().join(","),
        _ => String::new(),
    };
    if keys.is_empty() { other.event.clone() } else { format!("{} {{{keys}}}", other.event) }
}

/// Metadata may bring the turn state, whose value is replaced.
fn with_state(other: &OtherEvent) -> String {
    let brings = other.raw.as_str().to_ascii_lowercase().contains("\"x-codex-turn-state\"");
    if brings { format!("{} with a turn state", other.event) } else { other.event.clone() }
}

fn limits_line(limits: &RateLimits) -> String {
    let window = |window: Option<&RateLimitWindow>| {
        let Some(window) = window else { return "-".to_owned() };
        let length = match window.window_minutes {
            None => String::new(),
            Some(minutes) if minutes % 1440 == 0 => format!("/{}d", minutes / 1440),
            Some(minutes) if minutes % 60 == 0 => format!("/{}h", minutes / 60),
            Some(minutes) => format!("/{minutes}min"),
        };
        format!("{}%{length}", window.used_percent)
    };
    let (primary, secondary) = (window(limits.primary.as_ref()), window(limits.secondary.as_ref()));
    format!("{} primary={primary} secondary={secondary}", limits.limit_id)
}

fn tokens(usage: &Usage) -> String {
    let count = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), |count| count.to_string());
    format!("{}in+{}out", count(usage.input_tokens()), count(usage.output_tokens()))
}

/// The host and port of a URL.
fn authority_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or_default()
}

/// The path of a URL, for lines that should not depend on the port.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}

/// The text as one line with its line end: names that the service made up may hold anything.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len() + 1);
    for c in text.trim_end().chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line.push('\n');
    line
}

/// Long text is cut: a transcript is for reading.
fn cut(text: &str) -> String {
    const LONGEST: usize = 120;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
