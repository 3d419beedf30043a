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

/// The bytes that one payload of a Chat stream may take, for each of its own.
#[track_caller]
fn check_greed(payload: &str, times: u64) {
    let mut stream = Interpreter::new(Wire::Chat, InterpreterOptions::default());
    let counted = measure(|| {
        stream.handle_event(None, payload.as_bytes());
        stream.handle_end();
        while let Some(event) = stream.poll_event() {
            drop(event);
        }
    });
    let most = payload.len() as u64 * times;
    assert!(counted.bytes_max <= most, "{} bytes of memory for {} of data", counted.bytes_max, payload.len());
}

#[test]
fn no_payload_takes_many_times_its_size() {
    let content = |parts: &str| format!(r#"{{"choices":[{{"index":0,"delta":{{"content":[{parts}]}}}}]}}"#);
    // A value of serde_json takes 32 bytes, and the digit here two.
    check_greed(&content(&vec!["0"; 100_000].join(",")), 100);
    check_greed(&content(&vec![r#""a""#; 100_000].join(",")), 100);
    check_greed(&content(&vec![r#"{"type":"x"}"#; 100_000].join(",")), 100);
    let choices = vec![r#"{"index":5000},{"index":0,"delta":{"content":"a"}}"#; 2_000].join(",");
    let mut numbers = (0..1100).map(|index| format!(r#"{{"index":{index}}}"#)).collect::<Vec<_>>().join(",");
    numbers.push(',');
    check_greed(&format!(r#"{{"choices":[{numbers}{choices}]}}"#), 100);
    // Members that no type knows, for the plain reader and for the general one.
    let members: Vec<String> = (0..100_000).map(|name| format!(r#""{name}":1"#)).collect();
    check_greed(&format!(r#"{{"choices":[],{}}}"#, members.join(",")), 100);
    check_greed(&format!(r#"{{"choices":[],"x_groq":{{{}}}}}"#, members.join(",")), 100);
    let calls: Vec<String> = (0..100_000).map(|index| format!(r#"{{"index":{index},"id":"{index}"}}"#)).collect();
    check_greed(&format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{}]}}}}]}}"#, calls.join(",")), 100);
}
