//! Events without their blank line: what of them counts, and when.

mod common;

use common::payload;
use response_events::{Interpreter, InterpreterOptions, Outcome, Wire};

const TEXT: &str = r#"{"type":"response.output_text.delta","output_index":0,"delta":"a"}"#;
const COMPLETED: &str = r#"{"type":"response.completed","response":{"id":"r"}}"#;
const FLAGGED: &str = r#"{"type":"response.failed","response":{"error":{"code":"invalid_prompt","message":"No."}}}"#;
const CHAT_TEXT: &str = r#"delta {"content":"a"}"#;
const CHAT_ERROR: &str = r#"{"error":{"code":"invalid_prompt","message":"No."}}"#;

fn after(wire: Wire, events: &[&str]) -> Interpreter {
    let mut stream = Interpreter::new(wire, InterpreterOptions::default());
    for event in events {
        let (name, data) = payload(event);
        stream.handle_event(name, data.as_bytes());
    }
    stream
}

/// The outcome of a body that ends cleanly in its last event: `None` where that is discarded.
#[track_caller]
fn check_last(wire: Wire, before: &[&str], last: &str, counts_as: Option<&str>) {
    let mut stream = after(wire, before);
    let events = stream.ledger().events;
    let (name, data) = payload(last);
    assert_eq!(stream.handle_last(name, data.as_bytes()), counts_as.is_some(), "{last}");
    assert_eq!(stream.ledger().events - events, u64::from(counts_as.is_some()), "{last}");
    assert!(stream.outcome().is_some() == counts_as.is_some(), "it ends the stream, or it is nothing: {last}");
    stream.handle_end();
    assert_eq!(stream.outcome().map(Outcome::as_str), Some(counts_as.unwrap_or("truncated")), "{last}");
    assert!(stream.ledger().input_ended, "{last}");
}

#[test]
fn a_terminal_event_that_is_whole_json_counts_at_the_end() {
    for (last, outcome) in [
        (COMPLETED, "completed"),
        (r#"{"type":"response.incomplete"}"#, "incomplete"),
        (FLAGGED, "failed"),
        (r#"{"type":"response.cancelled"}"#, "failed"),
        (r#"{"type":"error","error":{"code":"x","message":"m"}}"#, "failed"),
        (r#"{"error":{"code":"x","message":"m"}}"#, "failed"),
        (r#"@error {"message":"m"}"#, "failed"),
        (r#"@error {"type":"invalid_request_error","message":"m"}"#, "failed"),
        (r#"{"type":"invalid_request_error","error":{"message":"m"}}"#, "failed"),
    ] {
        check_last(Wire::Responses, &[TEXT], last, Some(outcome));
    }
    for last in [
        CHAT_ERROR,
        r#"{"choices":[],"error":{"message":"m"}}"#,
        r#"{"choices":[{"index":0,"error":{"message":"m"}}]}"#,
        r#"{"object":"error","message":"m"}"#,
        r#"{"object":"error","choices":[],"message":"m"}"#,
        r#"{"type":"error","message":"m"}"#,
        r#"@error {"message":"m"}"#,
    ] {
        check_last(Wire::Chat, &[CHAT_TEXT], last, Some("failed"));
    }
}

#[test]
fn a_sentinel_counts_at_the_end_of_a_chat_stream_only() {
    for last in ["[DONE]", "DONE", " [DONE] now", "DONE "] {
        check_last(Wire::Chat, &[CHAT_TEXT], last, Some("completed"));
        check_last(Wire::Chat, &[], last, Some("completed"));
        check_last(Wire::Responses, &[TEXT], last, None);
    }
}

#[test]
fn everything_else_is_discarded_at_the_end() {
    for last in [
        TEXT,
        "",
        "[",
        "upstream connect error",
        "@error upstream connect error",
        r#"["error"]"#,
        r#"{"type":"keepalive","x":{"type":"response.completed"}}"#,
        r#"{"error":null}"#,
    ] {
        check_last(Wire::Responses, &[TEXT], last, None);
    }
    for last in [
        CHAT_TEXT,
        "finish stop",
        "",
        "[DON",
        "DONE!",
        "@error upstream connect error",
        r#"{"choices":[],"error":null}"#,
        r#"{"x":1}"#,
    ] {
        check_last(Wire::Chat, &[CHAT_TEXT], last, None);
    }
    // A terminal event is whole with its last byte.
    for (wire, last) in [(Wire::Responses, COMPLETED), (Wire::Responses, FLAGGED), (Wire::Chat, CHAT_ERROR)] {
        for length in 0..last.len() {
            check_last(wire, &[], &last[..length], None);
        }
    }
    check_last(Wire::Responses, &[], &format!("{COMPLETED}{TEXT}"), None);
}

#[test]
fn a_whole_chat_answer_needs_no_sentinel_and_can_still_fail() {
    let finished = || after(Wire::Chat, &[CHAT_TEXT, "finish stop"]);
    let mut stream = finished();
    assert!(!stream.handle_last(None, b"[DONE]"));
    stream.handle_end();
    assert_eq!((stream.outcome().map(Outcome::as_str), stream.ledger().done_sentinels), (Some("completed"), 0));
    let mut stream = finished();
    assert!(stream.handle_last(None, CHAT_ERROR.as_bytes()));
    assert_eq!(stream.outcome().map(Outcome::as_str), Some("failed"));
}

#[test]
fn nothing_counts_behind_the_end() {
    let mut stream = after(Wire::Responses, &[COMPLETED]);
    assert!(!stream.handle_last(None, FLAGGED.as_bytes()));
    let mut stream = after(Wire::Chat, &["[DONE]"]);
    assert!(!stream.handle_last(None, CHAT_ERROR.as_bytes()) && !stream.handle_unfinished(b"[DONE]"));
    assert!(!stream.ledger().input_ended);
    assert_eq!(stream.ledger().done_sentinels, 1);
}

#[test]
fn a_line_that_ends_the_stream_need_not_wait_for_the_blank_one() {
    for (wire, data, ends) in [
        (Wire::Chat, "[DONE]", Some("completed")),
        (Wire::Chat, "DONE", Some("completed")),
        (Wire::Chat, "\nDONE ", Some("completed")),
        (Wire::Chat, "DONE!", None),
        (Wire::Chat, "{}\nDONE", None),
        (Wire::Chat, CHAT_ERROR, Some("failed")),
        (Wire::Chat, r#"{"choices":[{"delta":{"content":"a"}}]}"#, None),
        (Wire::Responses, "[DONE]", None),
        (Wire::Responses, "DONE", None),
        (Wire::Responses, COMPLETED, Some("completed")),
        (Wire::Responses, FLAGGED, Some("failed")),
        (Wire::Responses, r#" {"error":{"code":"x","message":"m"}} "#, Some("failed")),
        (Wire::Responses, &FLAGGED[..FLAGGED.len() - 1], None),
        (Wire::Responses, TEXT, None),
    ] {
        let mut stream = after(wire, &[]);
        assert_eq!(stream.handle_unfinished(data.as_bytes()), ends.is_some(), "{data}");
        assert_eq!(stream.outcome().map(Outcome::as_str), ends, "{data}");
        assert_eq!((stream.ledger().events, stream.ledger().input_ended), (u64::from(ends.is_some()), false), "{data}");
    }
}

#[test]
fn a_sentinel_in_brackets_need_not_wait_for_the_end_of_its_line() {
    for (wire, data, ends) in [
        (Wire::Chat, "[DONE]", true),
        (Wire::Chat, "\n [DONE] and", true),
        (Wire::Chat, "[DONE", false),
        // What may follow would make it another word.
        (Wire::Chat, "DONE", false),
        (Wire::Chat, CHAT_ERROR, false),
        (Wire::Responses, "[DONE]", false),
    ] {
        let mut stream = after(wire, &[]);
        assert_eq!(stream.handle_partial(data.as_bytes()), ends, "{data}");
        assert_eq!(stream.outcome().map(Outcome::as_str), ends.then_some("completed"), "{data}");
        assert_eq!(
            (stream.ledger().events, stream.ledger().done_sentinels),
            (u64::from(ends), u64::from(ends)),
            "{data}"
        );
        assert!(!stream.handle_partial(b"[DONE]") || wire == Wire::Chat && !ends, "once");
    }
}

#[test]
fn it_does_not_matter_how_much_of_a_sentinel_has_come() {
    let partial: fn(&mut Interpreter, &[u8]) -> bool = Interpreter::handle_partial;
    for (feed, early, whole) in [
        (partial, "[DONE]", "[DONE] and"),
        (partial, "\n [DONE]", "\n [DONE] and\nmore"),
        (partial, "[DONE] a", "[DONE] and"),
        (Interpreter::handle_unfinished, "[DONE] and", "[DONE] and\nmore"),
        (Interpreter::handle_unfinished, "DONE ", "DONE \nmore"),
        (Interpreter::handle_unfinished, " DONE", " DONE\n\n"),
    ] {
        let [mut beginning, mut event] = [(); 2].map(|()| after(Wire::Chat, &[CHAT_TEXT]));
        assert!(feed(&mut beginning, early.as_bytes()), "{early:?}");
        event.handle_event(None, whole.as_bytes());
        assert_eq!(beginning.ledger(), event.ledger(), "{early:?} {whole:?}");
    }
}

#[test]
fn an_unfinished_event_is_looked_at_once() {
    let mut stream = after(Wire::Responses, &[]);
    for unfinished in ["", "\n", TEXT] {
        assert!(!stream.handle_unfinished(unfinished.as_bytes()), "{unfinished}");
    }
    assert!(!stream.handle_unfinished(FLAGGED.as_bytes()), "however many lines it has");
    stream.handle_event(None, TEXT.as_bytes());
    assert!(!stream.handle_unfinished(&[b'\n'; 100]), "nor are blank lines without end read again and again");
    assert!(!stream.handle_unfinished(FLAGGED.as_bytes()));
    stream.handle_event(None, TEXT.as_bytes());
    assert!(stream.handle_unfinished(FLAGGED.as_bytes()), "but the next event is");
}

#[test]
fn lines_behind_a_sentinel_change_nothing() {
    for sentinel in ["[DONE]", "DONE"] {
        for more in ["", "\n", "\nmore", "\n{\"choices\":[]}"] {
            let stream = after(Wire::Chat, &[CHAT_TEXT, &format!("{sentinel}{more}")]);
            assert_eq!(stream.outcome().map(Outcome::as_str), Some("completed"), "{sentinel}{more}");
        }
    }
}
