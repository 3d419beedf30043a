//! What a delta may cost: its text is the one thing that a caller gets to keep.

use allocation_counter::measure;
use response_events::{Continuation, Interpreter, InterpreterOptions, Request, TurnEvent, Wire};

/// Deltas that are fed before the counting begins, and while it lasts.
const DELTAS: u64 = 1000;

/// Feeds payloads of one shape and counts the allocations for each, rounded up to tenths: text that is kept grows
/// now and then.
#[track_caller]
fn check(wire: Wire, payload: fn(u64) -> String, expected_tenths: u64) {
    let mut stream = Interpreter::new(wire, InterpreterOptions::default());
    let payloads: Vec<String> = (0..2 * DELTAS).map(payload).collect();
    let (first, second) = payloads.split_at(DELTAS as usize);
    let mut feed = |payloads: &[String]| {
        let is_delta = |event: &TurnEvent| matches!(event, TurnEvent::TextDelta(_) | TurnEvent::ToolInputDelta(_));
        payloads.iter().fold(0, |deltas, payload| {
            stream.handle_event(Some("response.output_text.delta"), payload.as_bytes());
            deltas + std::iter::from_fn(|| stream.poll_event()).filter(is_delta).count() as u64
        })
    };
    assert_eq!(feed(first), DELTAS);
    let mut deltas = 0;
    let counted = measure(|| deltas = feed(second));
    assert_eq!(deltas, DELTAS);
    let tenths = (counted.count_total * 10).div_ceil(DELTAS);
    assert!(tenths <= expected_tenths, "{} allocations for {DELTAS} deltas", counted.count_total);
}

#[test]
fn a_text_delta_allocates_its_text() {
    check(
        Wire::Responses,
        |number| {
            format!(
                r#"{{"type":"response.output_text.delta","sequence_number":{number},"item_id":"msg_1","output_index":0,"content_index":0,"delta":" word","logprobs":[],"obfuscation":"x"}}"#
            )
        },
        10,
    );
}

#[test]
fn escapes_cost_no_more() {
    check(
        Wire::Responses,
        |number| {
            format!(
                r#"{{"delta":"{{\"path\": \"\u00fc\\n\"}}","item_id":"fc_1","output_index":0,"sequence_number":{number},"type":"response.function_call_arguments.delta"}}"#
            )
        },
        10,
    );
}

#[test]
fn a_chunk_allocates_its_text_and_its_choice() {
    check(
        Wire::Chat,
        |_| {
            r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":" word"},"logprobs":null,"finish_reason":null}],"usage":null}"#.to_owned()
        },
        21,
    );
}

/// The bytes that are allocated to go on from a conversation of so many items, without a new one.
fn cost_of_going_on(items: usize) -> u64 {
    let request = (0..items).fold(Request::new("m").instructions("i"), |request, _| request.user("a longer text"));
    let continuation = Continuation { previous_response_id: "r", covered: items };
    let counted = measure(|| {
        drop(request.conversation_fields().unwrap());
        drop(request.encode_create(Some(continuation), Some("ts")).unwrap());
    });
    counted.bytes_total
}

#[test]
fn what_a_conversation_covers_is_not_copied_to_go_on_from_it() {
    assert_eq!(cost_of_going_on(1_000), cost_of_going_on(1));
}
