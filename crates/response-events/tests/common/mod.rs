//! Feeds a stream to an interpreter and renders what comes out, one line an event.
//!
//! A stream is written as text, one payload a line:
//!
//! ```text
//! {"type":…}            a payload without an event name
//! @error {"error":…}    a payload of an SSE event with the name `error`
//! delta {"content":…}   Chat: a chunk with this delta for choice 0 (`delta1`: for choice 1)
//! finish stop           Chat: the chunk that ends choice 0 (`finish1`: choice 1)
//! (end)                 the connection closes
//! ```
#![allow(dead_code, reason = "every test file uses the part that it needs")]

use std::fmt::Write;

use response_events::{
    Completed, Delta, Interpreter, InterpreterOptions, Item, ItemEvent, ItemKind, Outcome, TurnEvent, Wire,
};

/// At the beginning of a stream, without any options.
pub(crate) fn interpreter(wire: Wire) -> Interpreter {
    Interpreter::new(wire, InterpreterOptions::default())
}

/// Checks what a Responses stream comes to.
#[track_caller]
pub(crate) fn check_responses(stream: &str, expected: &str) {
    check(Wire::Responses, InterpreterOptions::default(), stream, expected);
}

/// Checks what a Chat stream comes to.
#[track_caller]
pub(crate) fn check_chat(stream: &str, expected: &str) {
    check(Wire::Chat, InterpreterOptions::default(), stream, expected);
}

/// Checks what a stream comes to: `stream` in the form that the module describes, `expected` as [`Lines`] renders it.
#[track_caller]
pub(crate) fn check(wire: Wire, options: InterpreterOptions, stream: &str, expected: &str) {
    let mut lines = Lines::new(wire, options);
    for line in significant(stream) {
        if line == "(end)" {
            lines.end();
        } else {
            let (name, data) = payload(line);
            lines.feed(name, data.as_bytes());
        }
    }
    let expected: Vec<&str> = significant(expected).collect();
    let seen = lines.finish();
    assert_eq!(seen.join("\n"), expected.join("\n"), "\n--- the stream ---\n{stream}");
}

fn significant(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// The event name and the data of one line of a stream.
pub(crate) fn payload(line: &str) -> (Option<&str>, String) {
    if let Some(named) = line.strip_prefix('@') {
        let (name, data) = named.split_once(' ').unwrap_or((named, ""));
        return (Some(name), data.to_owned());
    }
    let chunk = |choice: &str| format!(r#"{{"choices":[{choice}]}}"#);
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let data = match word {
        "delta" => chunk(&format!(r#"{{"index":0,"delta":{rest}}}"#)),
        "delta1" => chunk(&format!(r#"{{"index":1,"delta":{rest}}}"#)),
        "finish" => chunk(&format!(r#"{{"index":0,"delta":{{}},"finish_reason":"{rest}"}}"#)),
        "finish1" => chunk(&format!(r#"{{"index":1,"delta":{{}},"finish_reason":"{rest}"}}"#)),
        _ => line.to_owned(),
    };
    (None, data)
}

/// An interpreter whose events are written down.
pub(crate) struct Lines {
    interpreter: Interpreter,
    rendered: Vec<String>,
    finishing: bool,
}

impl Lines {
    pub(crate) fn new(wire: Wire, options: InterpreterOptions) -> Self {
        Self { interpreter: Interpreter::new(wire, options), rendered: Vec::new(), finishing: false }
    }

    /// At the beginning of a stream, without any options.
    pub(crate) fn of(wire: Wire) -> Self {
        Self::new(wire, InterpreterOptions::default())
    }

    pub(crate) fn feed(&mut self, name: Option<&str>, data: &[u8]) {
        let was_settled = self.interpreter.outcome().is_some();
        self.interpreter.handle_event(name, data);
        self.drain(was_settled);
    }

    pub(crate) fn end(&mut self) {
        let was_settled = self.interpreter.outcome().is_some();
        self.interpreter.handle_end();
        self.drain(was_settled);
    }

    fn drain(&mut self, was_settled: bool) {
        while let Some(event) = self.interpreter.poll_event() {
            assert!(!was_settled, "an event after the outcome: {event:?}");
            self.rendered.push(event_line(&event));
        }
        if let Some(value) = self.interpreter.take_turn_state() {
            self.rendered.push(format!("turn-state {value:?}"));
        }
        if self.interpreter.is_finishing() != self.finishing {
            self.finishing = !self.finishing;
            if self.interpreter.outcome().is_none() {
                self.rendered.push(if self.finishing { "~ finishing" } else { "~ not finishing" }.to_owned());
            }
        }
        if let (false, Some(outcome)) = (was_settled, self.interpreter.outcome()) {
            self.rendered.push(outcome_line(outcome));
        }
    }

    /// The lines, with the counts that are not zero in the last one.
    pub(crate) fn finish(mut self) -> Vec<String> {
        if self.interpreter.outcome().is_none() {
            self.rendered.push("== open".to_owned());
        }
        let ledger = self.interpreter.ledger();
        let counts = [
            ("sentinels", ledger.done_sentinels),
            ("unknown", ledger.unknown),
            ("malformed", ledger.malformed),
            ("after", ledger.after_terminal),
        ];
        let counts: Vec<String> =
            counts.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{name}={count}")).collect();
        if !counts.is_empty() {
            self.rendered.push(counts.join(" "));
        }
        self.rendered
    }
}

fn event_line(event: &TurnEvent) -> String {
    match event {
        TurnEvent::Created(created) => {
            format!("created {} {}", or_dash(created.response_id.as_ref()), or_dash(created.model.as_ref()))
        }
        TurnEvent::ItemAdded(added) => format!("+{} {}", place(added.output_index, added.choice_index), opening(added)),
        TurnEvent::ItemDone(done) => {
            format!("={} {}", place(done.output_index, done.choice_index), item_text(&done.item))
        }
        TurnEvent::TextDelta(delta) => delta_line("text", delta),
        TurnEvent::RefusalDelta(delta) => delta_line("refusal", delta),
        TurnEvent::ReasoningDelta(delta) => delta_line("reasoning", delta),
        TurnEvent::ReasoningSummaryDelta(delta) => delta_line("summary", delta),
        TurnEvent::ToolInputDelta(delta) => delta_line("input", delta),
        TurnEvent::RateLimits(limits) => format!("limits {} {:?}", limits.limit_id, limits.primary.is_some()),
        TurnEvent::Unknown(other) => format!("?? {} {}", other.event, other.raw.as_str()),
        TurnEvent::Other(other) => format!("other {} {}", other.event, other.raw.as_str()),
        TurnEvent::Malformed(malformed) => format!("!! {} {}", or_dash(malformed.event.as_ref()), malformed.raw),
        other => format!("{other:?}"),
    }
}

fn delta_line(kind: &str, delta: &Delta) -> String {
    let mut line = format!("{} {kind} {:?}", place(delta.output_index, delta.choice_index), delta.text);
    let notes = [
        ("id", delta.item_id.as_deref().map(str::to_owned)),
        ("content", delta.content_index.filter(|index| *index > 0).map(|index| index.to_string())),
        ("summary", delta.summary_index.map(|index| index.to_string())),
        ("seq", delta.sequence_number.map(|number| number.to_string())),
    ];
    for (name, note) in notes {
        line.extend(note.map(|note| format!(" {name}={note}")));
    }
    line
}

fn opening(added: &ItemEvent) -> String {
    match added.item.kind() {
        ItemKind::FunctionCall(call) => format!("call {} {}", dashed(call.call_id), dashed(call.name)),
        ItemKind::CustomToolCall(call) => format!("custom {} {}", dashed(call.call_id), dashed(call.name)),
        _ => added.item.item_type().to_owned(),
    }
}

/// An item in one line: its type, its text in quotes, its status.
pub(crate) fn item_text(item: &Item) -> String {
    let mut line = match item.kind() {
        ItemKind::Message(_) => format!("message {}", parts(item)).trim_end().to_owned(),
        ItemKind::Reasoning(reasoning) => {
            let of_chat = |key: &str| item.as_json().get("chat").and_then(|chat| chat.get(key));
            let mut line = format!("reasoning {:?}", reasoning.text);
            line.extend(reasoning.encrypted_content.map(|block| format!(" encrypted {block:?}")));
            let field = of_chat("reasoning_field").filter(|field| *field != "reasoning_content");
            line.extend(field.map(|field| format!(" reasoning_field={field}")));
            line.extend(of_chat("reasoning_details").map(|details| format!(" reasoning_details={details}")));
            line
        }
        ItemKind::FunctionCall(call) => format!("call {} {} {:?}", call.call_id, dashed(call.name), call.arguments),
        ItemKind::CustomToolCall(call) => format!("custom {} {} {:?}", call.call_id, dashed(call.name), call.arguments),
        _ => serde_json::to_string(item).unwrap(),
    };
    line.extend(item.status().map(|status| format!(" {status}")));
    line
}

/// The content parts: text in quotes, a refusal marked.
fn parts(item: &Item) -> String {
    let parts = item.as_json().get("content").and_then(|content| content.as_array()).into_iter().flatten();
    let parts: Vec<String> = parts
        .map(|part| match part.get("refusal") {
            Some(refusal) => format!("refusal {refusal}"),
            None => part["text"].to_string(),
        })
        .collect();
    parts.join(" + ")
}

fn outcome_line(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Completed(response) => format!("== completed {}", response_text(response)),
        Outcome::Incomplete(end) => format!("== incomplete {} {}", end.reason, response_text(&end.response)),
        Outcome::Failed(error) => {
            let retry = if error.class().is_retryable() { "retryable" } else { "final" };
            format!("== failed {} {:?} {:?} {retry}", or_dash(error.code.as_ref()), error.message, error.class())
        }
        Outcome::CompletedWithError(error) => {
            format!("== failed at its end: {} {:?} {:?}", or_dash(error.code.as_ref()), error.message, error.class())
        }
        Outcome::Truncated { .. } => "== truncated".to_owned(),
        Outcome::Unreadable { .. } => "== unreadable".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Id, and what else is known: the finish reason, the tokens.
fn response_text(response: &Completed) -> String {
    let mut text = or_dash(response.response_id.as_ref()).to_owned();
    text.extend(response.finish_reason.as_ref().map(|reason| format!(" {reason}")));
    if let Some(usage) = &response.usage {
        let count = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), |count| count.to_string());
        let _ = write!(text, " {}+{}", count(usage.input_tokens()), count(usage.output_tokens()));
    }
    text
}

fn place(output_index: u32, choice_index: u32) -> String {
    if choice_index == 0 { output_index.to_string() } else { format!("{output_index}/c{choice_index}") }
}

fn or_dash(text: Option<&String>) -> &str {
    text.map_or("-", String::as_str)
}

fn dashed(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}
