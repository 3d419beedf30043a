//! A stream as text for people: one line an event, ids renumbered, nothing secret.

use std::{collections::HashMap, fmt::Write, time::Duration};

use serde_json::Value;

use crate::{Completed, Delta, Failure, ItemEvent, Ledger, OtherEvent, TransportKind, TurnEvent, Usage};

/// Renders the events of a turn, line by line.
///
/// Ids are renumbered in the order in which they appear (`resp_1`, `call_1`), text is quoted with its white space
/// visible, unknown events are listed with their keys. The two lines of [`end`](Self::end) tell why the stream
/// ended and what passed.
#[derive(Debug, Default)]
pub struct Transcript {
    events: u32,
    ids: HashMap<String, String>,
    numbers: HashMap<&'static str, u32>,
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
            TurnEvent::Request(request) => {
                self.events = 0;
                let state = if request.turn_state { "sent" } else { "-" };
                let (transport, attempt) = (request.transport.as_str(), request.attempt);
                let path = path_of(&request.url);
                let verb = if request.transport == TransportKind::WebSocket { "WS" } else { "POST" };
                return format!("-> {verb} {path}   transport={transport} attempt={attempt} turn-state={state}");
            }
            TurnEvent::Opened(opened) => {
                let state = if opened.turn_state { "captured" } else { "-" };
                let id = opened.request_id.as_deref().map_or_else(|| "-".to_owned(), |id| self.renumbered("req", id));
                return format!("<- {} request-id={id} turn-state={state}", opened.status);
            }
            TurnEvent::Retry(retry) => {
                let (n, of, kind) = (retry.attempt, retry.max_attempts, retry.reason);
                let code = retry.code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
                let void = if retry.discarded { ", output void" } else { "" };
                let delay = retry.delay.as_secs_f64();
                return format!("~~ retry {n}/{of} in {delay:.3} s after {kind}{code} {:?}{void}", retry.message);
            }
            TurnEvent::Fallback(fallback) => {
                let (from, to) = (fallback.from.as_str(), fallback.to.as_str());
                return format!("~~ fallback {from} -> {to} {:?}", fallback.reason);
            }
            TurnEvent::Created(created) => {
                let id = self.response(created.response_id.as_deref());
                ("created", String::new(), format!("{id} {}", created.model.as_deref().unwrap_or("-")))
            }
            TurnEvent::ItemAdded(item) => {
                ("item.added", place(item.output_index, item.choice_index), self.item(item, false))
            }
            TurnEvent::ItemDone(item) => {
                ("item.done", place(item.output_index, item.choice_index), self.item(item, true))
            }
            TurnEvent::TextDelta(delta) => text("text", delta),
            TurnEvent::RefusalDelta(delta) => text("refusal", delta),
            TurnEvent::ReasoningDelta(delta) => text("reasoning", delta),
            TurnEvent::ReasoningSummaryDelta(delta) => text("summary", delta),
            TurnEvent::ToolInputDelta(delta) => text("tool.input", delta),
            TurnEvent::RateLimits(limits) => ("rate.limits", String::new(), limits_line(limits)),
            TurnEvent::Unknown(other) => ("??", String::new(), with_keys(other)),
            TurnEvent::Other(other) => ("other", String::new(), other.event.clone()),
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
        let clock = at.map(|at| format!("{:>7.3}  ", at.as_secs_f64())).unwrap_or_default();
        format!("{clock}#{number:<4}{name:<12}{place:<5} {detail}")
    }

    /// The last two lines: the terminal cause with the retry decision, and the ledger.
    pub fn end(&mut self, failure: Option<&Failure>, ledger: &Ledger) -> String {
        let usage = ledger.usage.as_ref().map_or_else(|| "-".to_owned(), tokens);
        let cause = match (failure, &ledger.incomplete_reason) {
            (None, None) => format!("== end completed  usage={usage}"),
            (None, Some(reason)) => format!("== end incomplete {reason}  usage={usage}"),
            (Some(failure), _) => {
                let code = failure.code.as_deref().unwrap_or("-");
                let retry = match (failure.retryable, &failure.gave_up) {
                    (false, _) => "never".to_owned(),
                    (true, None) => "possible".to_owned(),
                    (true, Some(reason)) => format!("no more ({reason})"),
                };
                let seen = if failure.output_delivered { "yes" } else { "no" };
                let kind = failure.kind;
                format!(
                    "== error {kind} {code} {:?}  retry={retry}  output-seen={seen}  usage={usage}",
                    failure.message
                )
            }
        };
        let Ledger { events, payload_bytes, done_sentinels, unknown, malformed, after_terminal, .. } = ledger;
        let account = format!(
            "== events={events} bytes={payload_bytes} sentinels={done_sentinels} unknown={unknown} \
             malformed={malformed} after-end={after_terminal} dropped=0"
        );
        one_line(&cause) + &one_line(&account)
    }

    fn item(&mut self, event: &ItemEvent, done: bool) -> String {
        let item = &event.item;
        let mut line = item.item_type().to_owned();
        if let Some(role) = item.text("role") {
            let _ = write!(line, " {role}");
        }
        if let Some(call) = item.as_call() {
            let id = self.renumbered("call", call.call_id);
            let _ = write!(line, " {id} {}", call.name);
            if done {
                let _ = write!(line, " {:?}", cut(call.arguments));
            }
        }
        if let (true, Some(status)) = (done, item.status()) {
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
        id.map_or_else(|| "-".to_owned(), |id| self.renumbered("resp", id))
    }

    fn renumbered(&mut self, kind: &'static str, id: &str) -> String {
        if let Some(known) = self.ids.get(id) {
            return known.clone();
        }
        let number = self.numbers.entry(kind).or_default();
        *number += 1;
        let name = format!("{kind}_{number}");
        self.ids.insert(id.to_owned(), name.clone());
        name
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

fn limits_line(limits: &crate::RateLimits) -> String {
    let percent = |window: Option<&crate::RateLimitWindow>| {
        window.map_or_else(|| "-".to_owned(), |window| format!("{}%", window.used_percent))
    };
    let (primary, secondary) = (percent(limits.primary.as_ref()), percent(limits.secondary.as_ref()));
    format!("{} primary={primary} secondary={secondary}", limits.limit_id)
}

fn tokens(usage: &Usage) -> String {
    let count = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), |count| count.to_string());
    format!("{}+{}", count(usage.input_tokens()), count(usage.output_tokens()))
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
