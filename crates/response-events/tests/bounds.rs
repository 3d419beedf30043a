//! What is collected of an answer has limits, the same on both wires.

use std::fmt::Write;

use response_events::{FailureKind, Interpreter, InterpreterOptions, TurnEvent, Wire};

/// How a stream ends, and how many items it hands out.
fn decode(wire: Wire, max_bytes: usize, payloads: impl IntoIterator<Item = String>) -> (String, usize) {
    let mut options = InterpreterOptions::default();
    options.max_answer_bytes = max_bytes;
    let mut stream = Interpreter::new(wire, options);
    let mut items = 0;
    for payload in payloads {
        stream.handle_event(None, payload.as_bytes());
        while let Some(event) = stream.poll_event() {
            items += usize::from(matches!(event, TurnEvent::ItemDone(_)));
        }
    }
    assert_eq!(stream.ledger().dropped(), 0);
    let end = match stream.outcome() {
        None => "open".to_owned(),
        Some(outcome) => match outcome.failure() {
            None => outcome.as_str().to_owned(),
            Some(failure) => {
                let is_told = failure.api.is_some();
                assert!(is_told || failure.kind == FailureKind::TooLarge && !failure.retryable, "{outcome:?}");
                failure.message
            }
        },
    };
    (end, items)
}

/// Expects an end, and so many finished items.
#[track_caller]
fn check(wire: Wire, max_bytes: usize, payloads: impl IntoIterator<Item = String>, end: &str, items: usize) {
    assert_eq!(decode(wire, max_bytes, payloads), (end.to_owned(), items));
}

const USUAL: usize = 64 << 20;
const TOO_MANY: &str = "the answer has more than 10000 items";

fn done(place: usize) -> String {
    format!(
        r#"{{"type":"response.output_item.done","output_index":{place},"item":{{"type":"message","id":"m{place}"}}}}"#
    )
}

fn added(place: usize) -> String {
    done(place).replace(".done", ".added")
}

fn completed(listed: impl IntoIterator<Item = usize>) -> String {
    let mut list = String::new();
    for place in listed {
        let comma = if list.is_empty() { "" } else { "," };
        write!(list, r#"{comma}{{"type":"message","id":"m{place}"}}"#).unwrap();
    }
    format!(r#"{{"type":"response.completed","response":{{"id":"r","output":[{list}]}}}}"#)
}

fn chunk(delta: &str) -> String {
    format!(r#"{{"id":"c","choices":[{{"index":0,"delta":{delta}}}]}}"#)
}

fn call(index: usize, arguments: &str) -> String {
    chunk(&format!(
        r#"{{"tool_calls":[{{"index":{index},"id":"i{index}","function":{{"name":"f","arguments":"{arguments}"}}}}]}}"#
    ))
}

#[test]
fn an_answer_has_at_most_ten_thousand_items() {
    let most = 10_000;
    let responses = |items: usize| (0..items).map(added).chain((0..items).map(done)).chain([completed([])]);
    check(Wire::Responses, USUAL, responses(most), "completed", most);
    check(Wire::Responses, USUAL, responses(most + 1), TOO_MANY, 0);
    let chat = |items: usize| (0..items).map(|index| call(index, "{}")).chain(["[DONE]".to_owned()]);
    check(Wire::Chat, USUAL, chat(most), "completed", most);
    // What was there is still handed out, as unfinished.
    check(Wire::Chat, USUAL, chat(most + 1), TOO_MANY, most + 1);
}

#[test]
fn what_the_terminal_event_lists_counts_too() {
    let most = 10_000;
    check(Wire::Responses, USUAL, [completed(0..most)], "completed", most);
    check(Wire::Responses, USUAL, [completed(0..=most)], TOO_MANY, 0);
    let half = || (0..most / 2).map(done);
    // What is repeated counts once, whether it was finished before or only announced.
    check(Wire::Responses, USUAL, half().chain([completed(0..most)]), "completed", most);
    let announced = (0..most).map(added).chain([completed(0..most)]);
    check(Wire::Responses, USUAL, announced, "completed", most);
    // One that is listed beside as many as there may be.
    let elsewhere = (1..=most).map(done).chain([completed(0..1)]);
    check(Wire::Responses, USUAL, elsewhere, TOO_MANY, most + 1);
}

#[test]
fn a_list_of_any_length_is_no_work_beyond_the_limit() {
    let list = vec![r#"{"type":""}"#; 500_000].join(",");
    let end = format!(r#"{{"type":"response.completed","response":{{"output":[{list}]}}}}"#);
    check(Wire::Responses, USUAL, (0..10_000).map(done).chain([end]), TOO_MANY, 10_000);
}

#[test]
fn the_bytes_of_an_answer_have_a_limit() {
    let too_large = "the answer is larger than the limit of 1000 bytes";
    let many = |payload: fn(usize) -> String, end: &str| (0..100).map(payload).chain([end.to_owned()]);
    let text = |_| chunk(r#"{"content":"ten bytes."}"#);
    // With what makes a part of a message out of it.
    check(Wire::Chat, 1_032, many(text, "DONE"), "completed", 1);
    let cases: [fn(usize) -> String; 9] = [
        |_| chunk(r#"{"content":"eleven byte"}"#),
        |_| chunk(r#"{"refusal":"eleven byte"}"#),
        |_| chunk(r#"{"reasoning_content":"eleven byte"}"#),
        |_| chunk(r#"{"reasoning_details":[{"type":"t","index":0,"text":"eleven byte"}]}"#),
        |_| chunk(r#"{"reasoning_content":"eleven byte","reasoning_encrypted":true}"#),
        |index| chunk(&format!(r#"{{"extra_content":{{"g":{{"thought_signature":"{}"}}}}}}"#, "x".repeat(20 * index))),
        |_| call(0, "eleven byte"),
        // A part for each letter.
        |_| chunk(r#"{"content":"a","refusal":"b"}"#),
        |index| format!(r#"{{"choices":[{{"index":{index},"delta":{{}},"finish_reason":"eleven byte"}}]}}"#),
    ];
    for (at, payload) in cases.into_iter().enumerate() {
        let (end, _) = decode(Wire::Chat, 1_000, many(payload, "DONE"));
        assert_eq!(end, too_large, "case {at}");
    }
    // Of what is replaced the last one counts.
    let signature = |_| chunk(r#"{"extra_content":{"g":{"thought_signature":"of thirty bytes and no more..."}}}"#);
    check(Wire::Chat, 60, many(signature, "DONE"), "completed", 0);
    // Its whole payload is counted, and the names by which it is known: its id and type.
    let kept = |payload: String, id: &str| payload.len() + id.len() + "message".len();
    check(Wire::Responses, 100 * kept(done(99), "m99"), many(done, &completed([])), "completed", 100);
    check(Wire::Responses, 1_000, many(done, &completed([])), too_large, 1_000 / kept(done(9), "m9") + 1);
    // What only the end tells of.
    assert_eq!(decode(Wire::Responses, 1_000, [completed(0..100)]).0, too_large);
    let named = |place| added(place).replace("\"m", "\"a name of eleven bytes and more");
    assert_eq!(decode(Wire::Responses, 1_000, many(named, &completed([]))).0, too_large);
}

#[test]
fn a_good_end_beside_what_is_too_much_does_not_hide_it() {
    let last = r#"{"choices":[{"delta":{"content":"too much"},"finish_reason":"stop"}]}"#;
    let error = r#"{"choices":[{"delta":{"content":"too much"}}],"error":{"message":"m"}}"#;
    for (payload, end) in [(last, "the answer is larger than the limit of 5 bytes"), (error, "m")] {
        check(Wire::Chat, 5, [payload.to_owned(), "DONE".to_owned()], end, 1);
    }
}

#[test]
fn streams_may_be_long_where_nothing_is_collected() {
    let delta = r#"{"type":"response.output_text.delta","output_index":0,"delta":"eleven byte"}"#;
    let payloads = vec![delta.to_owned(); 10_000].into_iter().chain([completed([])]);
    check(Wire::Responses, 1_000, payloads, "completed", 0);
}

#[test]
fn made_up_names_are_not_kept_for_the_account() {
    let mut stream = Interpreter::new(Wire::Responses, InterpreterOptions::default());
    let long = "x".repeat(10_000);
    for number in 0..100 {
        stream.handle_event(None, format!(r#"{{"type":"{number}{long}"}}"#).as_bytes());
        let item = format!(r#"{{"type":"{number}{long}"}}"#);
        let done = format!(r#"{{"type":"response.output_item.done","output_index":{number},"item":{item}}}"#);
        stream.handle_event(None, done.as_bytes());
    }
    let ledger = stream.ledger();
    let names =
        ledger.event_types.iter().map(|(name, _)| name).chain(ledger.done_item_types.iter().map(String::as_str));
    assert!(names.map(str::len).sum::<usize>() < 10_000);
    assert_eq!(ledger.event_types.iter().map(|(_, count)| count).sum::<u64>(), 200);
    assert_eq!(stream.outcome(), None);
}
