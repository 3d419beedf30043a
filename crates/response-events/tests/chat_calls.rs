//! Which pieces of tool calls belong together.

mod common;

use common::{Lines, check_chat, interpreter};
use response_events::{Interpreter, InterpreterOptions, SummaryBuilder, TurnEvent, Wire};

/// Checks the finished calls of pieces (`tool_calls` entries, one list a line) in one choice.
#[track_caller]
fn check_calls(pieces: &str, expected: &[&str]) {
    let mut lines = Lines::of(Wire::Chat);
    for line in pieces.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let delta = format!("delta {{\"tool_calls\":[{line}]}}");
        let (name, data) = common::payload(&delta);
        lines.feed(name, data.as_bytes());
    }
    lines.feed(None, b"DONE");
    let seen = lines.finish();
    let done: Vec<&str> = seen.iter().filter_map(|line| line.strip_prefix('=')).collect();
    let done: Vec<&str> = done.into_iter().filter(|line| !line.starts_with('=')).collect();
    let expected: Vec<String> = expected.iter().map(|call| format!("{call} completed")).collect();
    assert_eq!(done, expected, "\n{}", seen.join("\n"));
    let added = seen.iter().filter(|line| line.starts_with('+')).count();
    assert_eq!(added, expected.len(), "\n{}", seen.join("\n"));
    assert!(!seen.iter().any(|line| line.ends_with(r#"input """#)), "an empty delta\n{}", seen.join("\n"));
}

#[test]
fn fragments_join_by_index() {
    check_calls(
        r#"
        {"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}
        {"index":0,"function":{"arguments":"{\"x\""}}
        {"index":1,"id":"b","type":"function","function":{"name":"g","arguments":""}}
        {"index":0,"function":{"arguments":":1}"}}, {"index":1,"function":{"arguments":"{}"}}
        "#,
        &[r#"0 call a f "{\"x\":1}""#, r#"1 call b g "{}""#],
    );
}

#[test]
fn an_answer_may_have_thousands_of_calls() {
    const COUNT: u32 = 10_000;
    let mut stream = interpreter(Wire::Chat);
    // Each call is opened, and gets its arguments when all others are open, too.
    for arguments in ["", "{}"] {
        for index in 0..COUNT {
            let call =
                format!(r#"{{"index":{index},"id":"c{index}","function":{{"name":"f","arguments":"{arguments}"}}}}"#);
            let chunk = format!(r#"{{"choices":[{{"index":0,"delta":{{"tool_calls":[{call}]}}}}]}}"#);
            stream.handle_event(None, chunk.as_bytes());
            while stream.poll_event().is_some() {}
        }
    }
    stream.handle_event(None, b"[DONE]");
    let done = std::iter::from_fn(|| stream.poll_event()).filter(|event| match event {
        TurnEvent::ItemDone(done) => done.item.as_call().is_some_and(|call| call.arguments == "{}"),
        _ => false,
    });
    assert_eq!(done.count(), COUNT as usize);
}

#[test]
fn the_first_index_need_not_be_zero() {
    check_calls(
        r#"
        {"index":1,"id":"a","function":{"name":"f","arguments":"{"}}
        {"index":1,"function":{"arguments":"}"}}
        {"index":7,"id":"b","function":{"name":"g","arguments":"{}"}}
        "#,
        &[r#"0 call a f "{}""#, r#"1 call b g "{}""#],
    );
}

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
fn without_an_index_the_id_decides() {
    check_calls(
        r#"
        {"id":"a","function":{"name":"f","arguments":"{"}}
        {"id":"b","function":{"name":"f","arguments":"{"}}
        {"id":"a","function":{"arguments":"}"}}
        {"id":"b","function":{"name":"f","arguments":"}"}}
        "#,
        &[r#"0 call a f "{}""#, r#"1 call b f "{}""#],
    );
}

#[test]
fn without_index_and_id_a_new_name_opens_a_call_and_everything_else_continues_one() {
    check_calls(
        r#"
        {"function":{"name":"f","arguments":"{"}}
        {"function":{"arguments":"}"}}
        {"function":{"name":"g","arguments":"{"}}
        {"function":{"arguments":"}"}}
        "#,
        &[r#"0 call call_0 f "{}""#, r#"1 call call_1 g "{}""#],
    );
}

#[test]
fn calls_without_arguments_are_told_apart_by_their_names() {
    for index in ["", r#""index":0,"#] {
        check_calls(
            &format!(
                "{{{index}\"function\":{{\"name\":\"f\"}}}}\n{{{index}\"function\":{{\"name\":\"g\",\"arguments\":\"\"}}}}"
            ),
            &[r#"0 call call_0 f """#, r#"1 call call_1 g """#],
        );
    }
}

#[test]
fn a_new_id_on_a_used_index_opens_a_call() {
    check_calls(
        r#"
        {"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}
        {"index":0,"id":"b","function":{"name":"f","arguments":"{"}}
        {"index":0,"function":{"arguments":"}"}}
        {"index":0,"id":"a","function":{"arguments":" "}}
        "#,
        &[r#"0 call a f "{} ""#, r#"1 call b f "{}""#],
    );
}

#[test]
fn another_index_is_another_call_whatever_its_id() {
    check_calls(
        r#"
        {"index":0,"id":"call_0","function":{"name":"t","arguments":"{\"a\":1}"}}, {"index":1,"id":"call_0","function":{"name":"u","arguments":"{\"b\":2}"}}
        "#,
        &[r#"0 call call_0 t "{\"a\":1}""#, r#"1 call call_0 u "{\"b\":2}""#],
    );
    // The same tool twice, in pieces that alternate.
    check_calls(
        r#"
        {"index":0,"id":"a","function":{"name":"f","arguments":"{"}}
        {"index":1,"id":"a","function":{"name":"f","arguments":"["}}
        {"index":0,"id":"a","function":{"arguments":"}"}}
        {"index":1,"id":"a","function":{"arguments":"]"}}
        "#,
        &[r#"0 call a f "{}""#, r#"1 call a f "[]""#],
    );
    // An index that comes late is no other index.
    check_calls(
        r#"
        {"id":"a","function":{"name":"f","arguments":"{"}}
        {"index":3,"id":"a","function":{"arguments":"}"}}
        "#,
        &[r#"0 call a f "{}""#],
    );
}

#[test]
fn another_name_under_the_same_id_is_another_call() {
    for index in ["", r#""index":0,"#] {
        check_calls(
            &format!(
                r#"{{{index}"id":"a","function":{{"name":"f","arguments":"{{}}"}}}}
                {{{index}"id":"a","function":{{"name":"g","arguments":"["}}}}
                {{{index}"id":"a","function":{{"arguments":"]"}}}}"#
            ),
            &[r#"0 call a f "{}""#, r#"1 call a g "[]""#],
        );
    }
}

#[test]
fn whole_calls_without_ids_that_all_have_index_zero_stay_apart() {
    check_calls(
        r#"
        {"index":0,"function":{"name":"f","arguments":"{\"x\":1}"}}
        {"index":0,"function":{"name":"f","arguments":"{\"x\":2}"}}
        {"index":0,"function":{"name":"g","arguments":"{}"}}
        "#,
        &[r#"0 call call_0 f "{\"x\":1}""#, r#"1 call call_1 f "{\"x\":2}""#, r#"2 call call_2 g "{}""#],
    );
}

#[test]
fn empty_ids_and_names_count_as_missing() {
    check_calls(
        r#"
        {"index":0,"id":"a","function":{"name":"f","arguments":"{"}}
        {"index":0,"id":"","function":{"name":"","arguments":"\"x\":"}}
        {"index":0,"id":"","function":{"name":null,"arguments":"1"}}
        {"index":0,"id":null,"function":{"arguments":"}"}}
        {"index":0,"id":"","function":{"arguments":""}}
        {"index":0,"id":""}
        {"index":0,"function":null}
        "#,
        &[r#"0 call a f "{\"x\":1}""#],
    );
}

#[test]
fn repeated_ids_and_names_are_not_joined() {
    check_calls(
        r#"
        {"index":0,"id":"a","function":{"name":"f","arguments":"{"}}
        {"index":0,"id":"a","function":{"name":"f","arguments":"}"}}
        "#,
        &[r#"0 call a f "{}""#],
    );
    check_calls(
        r#"
        {"index":0,"function":{"name":"f","arguments":"{"}}
        {"index":0,"function":{"name":"f","arguments":"}"}}
        "#,
        &[r#"0 call call_0 f "{}""#],
    );
}

#[test]
fn a_late_id_and_a_late_name_are_taken() {
    check_calls(
        r#"
        {"index":0,"function":{"name":"f","arguments":"{"}}
        {"index":0,"id":"a","function":{"arguments":"}"}}
        "#,
        &[r#"0 call a f "{}""#],
    );
    check_calls(
        r#"
        {"index":0,"id":"a","function":{"arguments":"{"}}
        {"index":0,"function":{"name":"f","arguments":"}"}}
        "#,
        &[r#"0 call a f "{}""#],
    );
    check_calls(
        r#"
        {"function":{"name":"f","arguments":"{"}}
        {"id":"a","function":{"arguments":"}"}}
        "#,
        &[r#"0 call a f "{}""#],
    );
}

#[test]
fn arguments_may_be_an_object() {
    check_calls(
        r#"{"index":0,"id":"a","function":{"name":"f","arguments":{"x":[1,{"y":null}]}}}"#,
        &[r#"0 call a f "{\"x\":[1,{\"y\":null}]}""#],
    );
    // As the server wrote it: its order, its numbers, its spaces.
    for object in [r#"{"z":1,"a":{"y":2, "b":1.50}}"#, r#"[ {"b":1e2,"a":18446744073709551616} ]"#, r#"{"z":1,"z":2}"#]
    {
        check_calls(
            &format!(r#"{{"index":0,"id":"a","function":{{"name":"f","arguments":{object}}}}}"#),
            &[&format!("0 call a f {object:?}")],
        );
    }
    check_calls(r#"{"index":0,"id":"a","function":{"arguments":"{\n\u007d","name":"f"}}"#, &[r#"0 call a f "{\n}""#]);
    for nothing in ["true", "-1", "1.5"] {
        let piece = format!(r#"{{"index":0,"id":"a","function":{{"name":"f","arguments":{nothing}}}}}"#);
        check_calls(&piece, &[r#"0 call a f """#]);
    }
    check_calls(r#"{"index":0,"id":"a","function":{"name":"f","arguments":null}}"#, &[r#"0 call a f """#]);
}

#[test]
fn the_raw_arguments_are_kept_however_they_look() {
    for raw in ["", " ", "{", "not json", r"\u00e9"] {
        let text = format!("{raw:?}");
        check_calls(
            &format!(r#"{{"index":0,"id":"a","function":{{"name":"f","arguments":{text}}}}}"#),
            &[&format!("0 call a f {text}")],
        );
    }
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
