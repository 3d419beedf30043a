//! The text of an answer, as a terminal and a pipe get it.

use codex_stream::{DecodeOptions, OutputFormat, StreamDecoder, TextStyle, renderer};
use response_events::{FailureKind, Ledger, Retry, TurnEvent, Wire};
use serde_json::{Value, json};

#[track_caller]
fn check(wire: Wire, events: &[Value], style: TextStyle, expected: &str) {
    let mut out = Vec::new();
    let mut text = renderer(OutputFormat::Text, wire, style);
    text.begin(None, &mut out).expect("a vector takes everything");
    let mut show = |event: &TurnEvent| text.event(None, event, &mut out);
    let mut stream = StreamDecoder::new(DecodeOptions::new(wire));
    for event in events {
        stream.feed(format!("data: {event}\n\n").as_bytes(), &mut show).expect("a vector takes everything");
    }
    let decoded = stream.finish(&mut show).expect("a vector takes everything");
    text.end(decoded.failure.as_ref(), &decoded.ledger, &mut out).expect("a vector takes everything");
    assert_eq!(String::from_utf8_lossy(&out), expected, "{style:?}");
}

fn choice(index: u32, delta: &Value) -> Value {
    json!({"choices": [{"index": index, "delta": delta}]})
}

#[test]
fn reasoning_is_for_terminals() {
    let events = [
        choice(0, &json!({"reasoning_content": "Hm, "})),
        choice(0, &json!({"reasoning_content": "well."})),
        choice(0, &json!({"content": "Yes"})),
        choice(0, &json!({"content": "."})),
    ];
    check(Wire::Chat, &events, TextStyle::Pipe, "Yes.\n");
    check(Wire::Chat, &events, TextStyle::Plain, "[reasoning] Hm, well.\n\nYes.\n");
    let dimmed = "\u{1b}[2mHm, \u{1b}[0m\u{1b}[2mwell.\u{1b}[0m\n\nYes.\n";
    check(Wire::Chat, &events, TextStyle::Colour, dimmed);
}

#[test]
fn control_characters_do_not_reach_a_terminal() {
    let events = [choice(0, &json!({"content": "a\u{1b}[31m\tb\n"}))];
    check(Wire::Chat, &events, TextStyle::Pipe, "a\u{1b}[31m\tb\n");
    check(Wire::Chat, &events, TextStyle::Plain, "a\u{fffd}[31m\tb\n");
}

#[test]
fn further_choices_follow_the_first() {
    let events = [
        choice(0, &json!({"content": "one "})),
        choice(1, &json!({"content": "two "})),
        choice(0, &json!({"content": "uno"})),
        choice(1, &json!({"content": "dos"})),
    ];
    check(Wire::Chat, &events, TextStyle::Pipe, "one uno\n[choice 1]\ntwo dos\n");
}

#[test]
fn an_item_without_deltas_is_shown_when_it_is_done() {
    let content = json!([{"type": "output_text", "text": "Whole."}, {"type": "refusal", "refusal": "No more."}]);
    let item = json!({"type": "message", "role": "assistant", "content": content});
    let done = json!({"type": "response.output_item.done", "output_index": 0, "item": item});
    check(Wire::Responses, &[done], TextStyle::Pipe, "Whole.\n[refusal] No more.\n");
}

#[test]
fn calls_stand_on_lines_of_their_own() {
    let delta = json!({"type": "response.output_text.delta", "output_index": 0, "delta": "Let me see"});
    let call = |index: u32, name: &str| {
        json!({"type": "response.output_item.done", "output_index": index,
            "item": {"type": "function_call", "call_id": "c", "name": name, "arguments": "{}"}})
    };
    let events = [delta, call(1, "clock"), call(2, "map")];
    check(Wire::Responses, &events, TextStyle::Pipe, "Let me see\n[tool call] clock {}\n[tool call] map {}\n");
    check(Wire::Responses, &events, TextStyle::Plain, "Let me see\n\n[tool call] clock {}\n[tool call] map {}\n");
}

fn retry() -> TurnEvent {
    let mut retry = Retry::new(2, 9, FailureKind::Truncated, "cut");
    retry.discarded = true;
    TurnEvent::Retry(retry)
}

/// Shows two attempts, the first of which is void, and gives what was written before and after the end.
fn show_void(first: &[Value], second: &[Value], style: TextStyle) -> (String, String) {
    let mut out = Vec::new();
    let mut text = renderer(OutputFormat::Text, Wire::Chat, style);
    text.begin(None, &mut out).expect("a vector takes everything");
    for (events, is_void) in [(first, true), (second, false)] {
        let mut stream = StreamDecoder::new(DecodeOptions::new(Wire::Chat));
        for event in events {
            let mut show = |event: &TurnEvent| text.event(None, event, &mut out);
            stream.feed(format!("data: {event}\n\n").as_bytes(), &mut show).expect("a vector takes everything");
        }
        if is_void {
            text.event(None, &retry(), &mut out).expect("a vector takes everything");
        }
    }
    let before = String::from_utf8(out.clone()).expect("text");
    out.clear();
    text.end(None, &Ledger::default(), &mut out).expect("a vector takes everything");
    (before, String::from_utf8(out).expect("text"))
}

#[test]
fn a_terminal_marks_what_is_void() {
    let first = [choice(0, &json!({"content": "One, t"})), choice(1, &json!({"content": "kept for the end"}))];
    let second = [choice(0, &json!({"content": "One, two."}))];
    let void = "[the output above is void: the answer was cut off, and starts again]";
    let (before, end) = show_void(&first, &second, TextStyle::Plain);
    assert_eq!((before, end.as_str()), (format!("One, t\n\n{void}\nOne, two."), "\n"));
    // Nothing was shown that could be marked.
    let role = [choice(0, &json!({"role": "assistant"}))];
    assert_eq!(show_void(&role, &second, TextStyle::Plain).0, "One, two.");
}

#[test]
fn a_pipe_gets_only_what_is_final() {
    let first = [choice(0, &json!({"content": "One, t"}))];
    let second = [choice(0, &json!({"content": "One, two."})), choice(1, &json!({"content": "Uno."}))];
    let (before, end) = show_void(&first, &second, TextStyle::PipeWhenFinal);
    assert_eq!((before.as_str(), end.as_str()), ("", "One, two.\n"));
}
