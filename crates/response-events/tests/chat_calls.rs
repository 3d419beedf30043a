//! Which pieces of tool calls belong together.

mod common;

use common::{Lines, interpreter};
use response_events::{TurnEvent, Wire};

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
fn an_index_may_be_missing_on_any_piece() {
    let first = r#"
        {"id":"a","function":{"name":"f","arguments":""}}
        {"index":0,"function":{"arguments":"{\"x\""}}
        {"index":0,"function":{"arguments":":1}"}}
        "#;
    let later = r#"
        {"index":0,"id":"a","function":{"name":"f","arguments":"{"}}
        {"function":{"arguments":"\"x\""}}
        {"index":0,"function":{"arguments":":1}"}}
        "#;
    for pieces in [first, later] {
        check_calls(pieces, &[r#"0 call a f "{\"x\":1}""#]);
        let other = r#"{"index":1,"id":"b","function":{"name":"g","arguments":"{}"}}"#;
        check_calls(&format!("{pieces}\n{other}"), &[r#"0 call a f "{\"x\":1}""#, r#"1 call b g "{}""#]);
    }
    // What is whole takes no more.
    check_calls(
        r#"
        {"id":"a","function":{"name":"f","arguments":"{}"}}
        {"index":1,"function":{"arguments":"{"}}
        {"index":1,"id":"b","function":{"name":"g","arguments":"}"}}
        "#,
        &[r#"0 call a f "{}""#, r#"1 call b g "{}""#],
    );
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
