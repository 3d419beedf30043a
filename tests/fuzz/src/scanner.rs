//! The scanner of plain JSON beside the general reader. Both are private; what they say is not.

use response_events::{Interpreter, InterpreterOptions, Outcome, TurnEvent, Wire};
use serde_json::Value;

use super::input::Input;

/// The key of a member that means nothing. The scanner leaves payloads with such keys to the general reader.
const UNPLAIN: &str = r#"{"\/":null"#;
/// The same key, read.
const UNPLAIN_KEY: &str = "/";

/// Payloads, one a line, mean the same to the scanner and to the general reader.
pub fn scanner_vs_serde(data: &[u8]) {
    let input = Input::of(data);
    let wire = if input.number(0) % 2 == 0 { Wire::Responses } else { Wire::Chat };
    let mut by_scanner = Interpreter::new(wire, InterpreterOptions::default());
    let mut by_serde = Interpreter::new(wire, InterpreterOptions::default());
    for payload in input.body.split(|byte| *byte == b'\n') {
        by_scanner.handle_event(None, payload);
        by_serde.handle_event(None, &unplain(payload));
        assert_eq!(told(&mut by_scanner), told(&mut by_serde), "{}", payload.escape_ascii());
    }
}

/// The same object with one more member at its beginning; what is no object stays as it is, and so does an empty one,
/// which is a keep-alive.
fn unplain(payload: &[u8]) -> Vec<u8> {
    match payload.trim_ascii().strip_prefix(b"{") {
        Some(members) if !members.trim_ascii_start().starts_with(b"}") => [UNPLAIN.as_bytes(), b",", members].concat(),
        _ => payload.to_vec(),
    }
}

/// Everything that an interpreter has said since the last time, without what tells the two payloads apart.
fn told(interpreter: &mut Interpreter) -> (Vec<Value>, String, String) {
    let events = std::iter::from_fn(|| interpreter.poll_event()).map(|event| normal(&event)).collect();
    let outcome = match interpreter.outcome().cloned() {
        Some(Outcome::Failed(mut error)) => {
            error.details.remove(UNPLAIN_KEY);
            format!("{error:?}")
        }
        other => format!("{other:?}"),
    };
    let mut ledger = interpreter.ledger().clone();
    ledger.payload_bytes = 0;
    if let Some(error) = &mut ledger.error {
        error.details.remove(UNPLAIN_KEY);
    }
    (events, outcome, format!("{ledger:?}"))
}

fn normal(event: &TurnEvent) -> Value {
    match event {
        // It quotes the payload, and names a column of it.
        TurnEvent::Malformed(malformed) => Value::from(malformed.event.clone()),
        TurnEvent::Unknown(other) | TurnEvent::Other(other) => {
            let mut raw = other.raw.to_value();
            raw.as_object_mut().map(|raw| raw.remove(UNPLAIN_KEY));
            Value::Array(vec![event.name().into(), other.event.clone().into(), raw])
        }
        event => serde_json::to_value(event).expect("every event has a JSON form"),
    }
}
