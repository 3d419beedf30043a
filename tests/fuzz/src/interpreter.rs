//! The interpreters of both wires, behind the decoder of event streams.

use std::collections::BTreeSet;

use response_events::{
    Interpreter, InterpreterOptions, Ledger, Outcome, SummaryBuilder, Transcript, TransportKind, TurnEvent, Wire,
};
use sse_codec::Decoder;

use super::input::Input;

/// Any stream of the Responses API, cut anywhere, gives the same events and one end.
pub fn responses_interpreter(data: &[u8]) {
    check(Wire::Responses, Input::of(data));
}

/// Any stream of Chat Completions, cut anywhere, gives the same events and one end.
pub fn chat_interpreter(data: &[u8]) {
    check(Wire::Chat, Input::of(data));
}

fn check(wire: Wire, input: Input<'_>) {
    // Beyond it the decoder's limit for event names could be what ends a stream.
    if input.body.len() >= 64 << 10 {
        return;
    }
    let [whole, others @ ..] = input.chunkings(2).map(|chunks| run(wire, input, &chunks));
    for other in others {
        assert_eq!(other, whole);
    }
    let (events, outcome, ledger) = whole;
    check_events(&events, &ledger);
    check_rendering(wire, &events, &outcome, &ledger);
}

/// Reads a stream to its end; nothing comes after the outcome, and it never changes.
fn run(wire: Wire, input: Input<'_>, chunks: &[&[u8]]) -> (Vec<TurnEvent>, Outcome, Ledger) {
    let mut options = InterpreterOptions::default();
    options.choices = input.number(0) as u32;
    options.transport = if input.number(1) % 2 == 0 { TransportKind::Sse } else { TransportKind::WebSocket };
    let mut interpreter = Interpreter::new(wire, options);
    let mut decoder = Decoder::new();
    let (mut events, mut outcome, mut payloads, mut bytes) = (Vec::new(), None, 0, 0);
    for chunk in chunks {
        let mut feed = decoder.feed(chunk);
        while let Some(event) = feed.next().expect("it is within the limits") {
            payloads += 1;
            bytes += event.data().len() as u64;
            interpreter.handle_event(event.event_field().as_deref(), event.data());
            drain(&mut interpreter, &mut events, &mut outcome);
        }
    }
    interpreter.handle_end();
    drain(&mut interpreter, &mut events, &mut outcome);
    let ledger = interpreter.ledger().clone();
    let cuts_sentinels = wire == Wire::Chat && ledger.done_sentinels > 0;
    assert_eq!(ledger.events, payloads, "payloads");
    assert!(ledger.payload_bytes == bytes || cuts_sentinels && ledger.payload_bytes < bytes, "their bytes");
    (events, outcome.expect("a stream that has ended has an outcome"), ledger)
}

fn drain(interpreter: &mut Interpreter, events: &mut Vec<TurnEvent>, outcome: &mut Option<Outcome>) {
    let before = events.len();
    events.extend(std::iter::from_fn(|| interpreter.poll_event()));
    assert!(outcome.is_none() || events.len() == before, "events after the outcome");
    match interpreter.outcome() {
        Some(settled) if outcome.is_none() => *outcome = Some(settled.clone()),
        now => assert_eq!(outcome.as_ref(), now, "the outcome changed"),
    }
    if outcome.is_none() {
        let malformed = events.iter().filter(|event| matches!(event, TurnEvent::Malformed(_))).count() as u64;
        assert_eq!(interpreter.ledger().malformed, malformed, "before the end, what cannot be read is told");
    }
    assert!(!(interpreter.is_finishing() && outcome.is_some()), "finishing after the end");
}

/// The ledger counts what was told, an item ends once, and no delta is empty.
fn check_events(events: &[TurnEvent], ledger: &Ledger) {
    let count = |wanted: fn(&TurnEvent) -> bool| events.iter().filter(|event| wanted(event)).count() as u64;
    assert_eq!(ledger.unknown, count(|event| matches!(event, TurnEvent::Unknown(_))));
    // What is behind the end is only counted, also where the end stands in the middle of a payload.
    assert!(count(|event| matches!(event, TurnEvent::Malformed(_))) <= ledger.malformed);
    let mut done = BTreeSet::new();
    for event in events {
        assert!(!event.is_terminal(), "the terminal event is the outcome alone");
        match event {
            TurnEvent::ItemDone(event) => assert!(done.insert(event.output_index), "{event:?} twice"),
            TurnEvent::TextDelta(delta)
            | TurnEvent::RefusalDelta(delta)
            | TurnEvent::ReasoningDelta(delta)
            | TurnEvent::ReasoningSummaryDelta(delta)
            | TurnEvent::ToolInputDelta(delta) => assert!(!delta.text.is_empty(), "an empty delta"),
            _ => {}
        }
    }
}

/// Every event is one line of JSON that parses, and one line of a transcript without control characters.
fn check_rendering(wire: Wire, events: &[TurnEvent], outcome: &Outcome, ledger: &Ledger) {
    let failure = outcome.failure();
    let mut summary = SummaryBuilder::new();
    let mut transcript = Transcript::new();
    for event in events {
        summary.observe(event);
        let json = serde_json::to_string(event).expect("every event has a JSON form");
        assert!(!json.contains('\n'), "{json}");
        serde_json::from_str::<&serde_json::value::RawValue>(&json).expect("which is JSON");
        let line = transcript.event(None, event);
        assert_eq!(line.matches('\n').count(), 1, "{line:?}");
        assert!(!line.trim_end_matches('\n').contains(char::is_control), "{line:?}");
    }
    assert_eq!(transcript.end(failure.as_ref(), ledger).matches('\n').count(), 2);
    let summary = summary.finish(wire, ledger, failure.as_ref());
    let deltas = events.iter().filter_map(|event| match event {
        TurnEvent::TextDelta(delta) => Some(&*delta.text),
        _ => None,
    });
    assert_eq!(summary.delta_text, deltas.collect::<String>());
}
