//! What calls of a Chat answer are as items: their ids, their places, their ends.

mod common;

use common::{check_chat, interpreter};
use response_events::{Interpreter, InterpreterOptions, SummaryBuilder, TurnEvent, Wire};

/// The ids of the finished calls of one stream: two calls, the first of them named if `id` is not empty.
#[track_caller]
fn check_ids(call_seed: Option<u64>, response: &str, id: &str, expected: [&str; 2]) {
    let mut options = InterpreterOptions::default();
    options.call_seed = call_seed;
    let mut stream = Interpreter::new(Wire::Chat, options);
    let calls =
        format!(r#"{{"index":0,"id":"{id}","function":{{"name":"f"}}}},{{"index":1,"function":{{"name":"g"}}}}"#);
    let chunk = format!(r#"{{"id":"{response}","choices":[{{"index":0,"delta":{{"tool_calls":[{calls}]}}}}]}}"#);
    stream.handle_event(None, chunk.as_bytes());
    stream.handle_event(None, b"[DONE]");
    let events = std::iter::from_fn(|| stream.poll_event());
    let ids: Vec<String> = events
        .filter_map(|event| match event {
            TurnEvent::ItemDone(done) => done.item.as_call().map(|call| call.call_id.to_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(ids, expected);
}

#[test]
fn a_call_that_the_service_does_not_name_gets_an_id_of_its_own() {
    check_ids(None, "", "", ["call_0", "call_1"]);
    check_ids(None, "r", "a", ["a", "call_r_1"]);
    check_ids(Some(0xabc), "r", "", ["call_r_0", "call_r_1"]);
    check_ids(Some(0xabc), "", "a", ["a", "call_0000000000000abc_1"]);
    check_ids(Some(u64::MAX), "", "", ["call_ffffffffffffffff_0", "call_ffffffffffffffff_1"]);
}

#[test]
fn the_index_of_the_service_stays_with_the_call() {
    let mut stream = interpreter(Wire::Chat);
    for payload in [
        r#"{"choices":[{"index":0,"delta":{"content":"a","tool_calls":[{"index":3,"id":"x","function":{"name":"f"}}]}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"id":"y","function":{"name":"g"}}]}}]}"#,
        "DONE",
    ] {
        stream.handle_event(None, payload.as_bytes());
    }
    let (mut added, mut done, mut summary) = (Vec::new(), Vec::new(), SummaryBuilder::new());
    while let Some(event) = stream.poll_event() {
        summary.observe(&event);
        match event {
            TurnEvent::ItemAdded(item) => added.push(item.call_index),
            TurnEvent::ItemDone(item) => done.push(item.call_index),
            _ => {}
        }
    }
    assert_eq!(added, [None, Some(3), None]);
    assert_eq!(done, added);
    let summary = summary.finish(Wire::Chat, stream.ledger(), None);
    let calls: Vec<_> =
        summary.choices[0].calls.iter().map(|call| (call.index, call.call().unwrap().call_id)).collect();
    assert_eq!(calls, [(3, "x"), (1, "y")]);
}

#[test]
fn synthesised_ids_are_unique_and_carry_the_response() {
    check_chat(
        r#"
        {"id":"r","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"name":"f"}},{"index":1,"function":{"name":"f"}}]}}]}
        {"id":"r","choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"function":{"name":"f"}}]}}]}
        DONE
        "#,
        r#"
        created r -
        +0 call - f
        +1 call - f
        +2/c1 call - f
        =0 call call_r_0 f "" completed
        =1 call call_r_1 f "" completed
        =2/c1 call call_r_2 f "" completed
        == completed r
        sentinels=1
        "#,
    );
}

#[test]
fn the_calls_of_choices_are_kept_apart() {
    check_chat(
        r#"
        delta {"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}]}
        delta1 {"tool_calls":[{"index":0,"id":"b","function":{"name":"f","arguments":"["}}]}
        delta {"tool_calls":[{"index":0,"function":{"arguments":"}"}}]}
        delta1 {"tool_calls":[{"index":0,"function":{"arguments":"]"}}]}
        DONE
        "#,
        r#"
        created - -
        +0 call a f
        0 input "{"
        +1/c1 call b f
        1/c1 input "["
        0 input "}"
        1/c1 input "]"
        =0 call a f "{}" completed
        =1/c1 call b f "[]" completed
        == completed -
        sentinels=1
        "#,
    );
}

#[test]
fn text_after_a_call_opens_a_new_message_and_items_are_done_in_order() {
    check_chat(
        r#"
        delta {"content":"a"}
        delta {"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{"}}]}
        delta {"content":"b"}
        delta {"tool_calls":[{"index":0,"function":{"arguments":"}"}}]}
        delta {"content":"c"}
        finish tool_calls
        DONE
        "#,
        r#"
        created - -
        +0 message
        0 text "a"
        =0 message "a" completed
        +1 call c f
        1 input "{"
        +2 message
        2 text "b"
        1 input "}"
        2 text "c"
        ~ finishing
        =1 call c f "{}" completed
        =2 message "bc" completed
        == completed - tool_calls
        sentinels=1
        "#,
    );
}

#[test]
fn the_old_function_call_is_a_call() {
    check_chat(
        r#"
        delta {"function_call":{"name":"f","arguments":"{"}}
        delta {"function_call":{"arguments":"}"}}
        finish function_call
        (end)
        "#,
        r#"
        created - -
        +0 call - f
        0 input "{"
        0 input "}"
        ~ finishing
        =0 call call_0 f "{}" completed
        == completed - function_call
        "#,
    );
}

/// Nobody can make such a call: it is there, and says that it is not whole.
#[test]
fn a_call_that_never_gets_a_name_is_incomplete() {
    check_chat(
        r#"
        delta {"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{}"}}]}
        delta {"tool_calls":[{"index":1,"id":"b","type":"custom","custom":{"input":"x"}}]}
        delta {"tool_calls":[{"index":2,"id":"c","function":{"arguments":"{}"}}]}
        delta {"tool_calls":[{"index":2,"function":{"name":"late"}}]}
        finish tool_calls
        [DONE]
        "#,
        r#"
        created - -
        +0 call a -
        0 input "{}"
        +1 custom b -
        1 input "x"
        +2 call c -
        2 input "{}"
        ~ finishing
        =0 call a - "{}" incomplete
        =1 custom b - "x" incomplete
        =2 call c late "{}" completed
        == completed - tool_calls
        sentinels=1
        "#,
    );
}

#[test]
fn calls_decide_not_the_finish_reason() {
    check_chat(
        "delta {\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}\nfinish stop\n[DONE]",
        r#"
        created - -
        +0 call c f
        0 input "{}"
        ~ finishing
        =0 call c f "{}" completed
        == completed - stop
        sentinels=1
        "#,
    );
}

/// As programs write them that do not leave out what is empty.
#[test]
fn empty_fields_are_no_call() {
    for delta in [
        r#"{"content":"","function_call":{"arguments":"","name":""},"tool_calls":[]}"#,
        r#"{"function_call":{}}"#,
        r#"{"tool_calls":[{}]}"#,
        r#"{"tool_calls":[{"index":0,"id":"","function":{"name":"","arguments":""}}]}"#,
    ] {
        check_chat(
            &format!("delta {{\"content\":\"a\"}}\ndelta {delta}\ndelta {{\"content\":\"b\"}}\nfinish stop\n[DONE]"),
            r#"
            created - -
            +0 message
            0 text "a"
            0 text "b"
            ~ finishing
            =0 message "ab" completed
            == completed - stop
            sentinels=1
            "#,
        );
    }
}

#[test]
fn an_index_alone_waits_for_its_call() {
    check_chat(
        r#"
        delta {"tool_calls":[{"index":0}]}
        delta {"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"}}]}
        "#,
        r#"
        created - -
        +0 call c f
        0 input "{}"
        == open
        "#,
    );
}

#[test]
fn a_call_that_is_said_again_as_a_whole_is_one_call() {
    check_chat(
        r#"
        delta {"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{\"a\""}}]}
        delta {"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}
        delta {"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{\"a\":1}"}}]}
        finish tool_calls
        [DONE]
        "#,
        r#"
        created - -
        +0 call c f
        0 input "{\"a\""
        0 input ":1}"
        ~ finishing
        =0 call c f "{\"a\":1}" completed
        == completed - tool_calls
        sentinels=1
        "#,
    );
}
