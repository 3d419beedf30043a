//! Items that the terminal event of a Responses stream lists: those that were told before, and those that were not.

mod common;

use common::{Lines, check_responses};
use response_events::Wire;

#[test]
fn items_of_a_terminal_list_are_known_by_index_or_id() {
    // The list is shorter than what was done: it starts behind the first item.
    check_responses(
        r#"
        {"type":"response.output_item.done","output_index":2,"item":{"type":"message","id":"i"}}
        {"type":"response.completed","response":{"output":[{"type":"message","id":"i"}]}}
        "#,
        "=2 message\n== completed -",
    );
}

/// What was told of, what the list of the terminal event has, and what is handed out for it.
#[track_caller]
fn check_list(told: &str, list: &str, expected: &str) {
    let mut lines = Lines::of(Wire::Responses);
    for event in told.lines().map(str::trim).filter(|line| !line.is_empty()) {
        lines.feed(None, event.as_bytes());
    }
    let terminal = format!(r#"{{"type":"response.completed","response":{{"output":[{list}]}}}}"#);
    lines.feed(None, terminal.as_bytes());
    let seen = lines.finish();
    let handed_out: Vec<&str> =
        (seen.iter().map(String::as_str)).filter(|line| line.starts_with('=') && !line.contains("early")).collect();
    assert_eq!(handed_out.join(", "), expected, "{told}\n{list}");
}

#[test]
fn an_item_of_a_terminal_list_keeps_the_index_that_it_had() {
    check_list(
        r#"
        {"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning","id":"r0"}}
        {"type":"response.output_item.added","output_index":1,"item":{"type":"message","id":"m1"}}
        {"type":"response.output_text.delta","output_index":1,"item_id":"m1","delta":"a"}
        "#,
        r#"{"type":"message","id":"m1","content":[{"type":"output_text","text":"a"}]}"#,
        "=1 message \"a\", == completed -",
    );
    check_list(
        r#"
        {"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","call_id":"c0"}}
        {"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","call_id":"c1"}}
        "#,
        r#"{"type":"function_call","call_id":"c1","name":"f"},{"type":"function_call","call_id":"c0","name":"g"}"#,
        "=1 call c1 f \"\", =0 call c0 g \"\", == completed -",
    );
}

#[test]
fn an_item_that_only_a_terminal_list_has_is_not_taken_for_another() {
    let done = |index: u32, item: &str| {
        format!("{{\"type\":\"response.output_item.done\",\"output_index\":{index},\"item\":{item}}}\n")
    };
    let message = |id: &str| format!(r#"{{"type":"message","id":"{id}","status":"early"}}"#);
    let reasoning = r#"{"type":"reasoning","id":"r0","status":"early"}"#;
    // In the place of an item of another type, and between two items.
    check_list(&done(0, reasoning), r#"{"type":"message","id":"m1"}"#, "=1 message, == completed -");
    check_list(
        &(done(0, &message("m1")) + &done(1, &message("m3"))),
        r#"{"type":"message","id":"m1"},{"type":"message","id":"m2"},{"type":"message","id":"m3"},{"type":"message"}"#,
        "=2 message, =3 message, == completed -",
    );
    // A call and its output share a name, and two calls never do.
    let call = |call_id: &str| format!(r#"{{"type":"shell_call","call_id":"{call_id}"}}"#);
    let output = r#"{"type":"shell_call_output","call_id":"c"}"#;
    check_list(
        &done(0, r#"{"type":"shell_call","call_id":"c","status":"early"}"#),
        &format!("{},{output},{}", call("c"), call("d")),
        &format!(
            "=1 {}, =2 {}, == completed -",
            r#"{"call_id":"c","type":"shell_call_output"}"#, r#"{"call_id":"d","type":"shell_call"}"#
        ),
    );
    check_list(
        &done(0, r#"{"type":"shell_call","call_id":"c","status":"early"}"#),
        &call("d"),
        r#"=1 {"call_id":"d","type":"shell_call"}, == completed -"#,
    );
}

#[test]
fn items_with_new_ids_in_the_terminal_list_are_the_same_items() {
    let told = r#"
        {"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","id":"r0","status":"early"}}
        {"type":"response.output_item.done","output_index":1,"item":{"type":"message","id":"m1","status":"early"}}
    "#;
    check_list(told, r#"{"type":"reasoning","id":"x"},{"type":"message","id":"y"}"#, "== completed -");
    check_list(told, r#"{"type":"message","id":"y"}"#, "== completed -");
    // One id for two of a type, the second of which was told of first.
    check_list(
        r#"
        {"type":"response.output_item.done","output_index":1,"item":{"type":"message","id":"x","status":"early"}}
        {"type":"response.output_item.added","output_index":0,"item":{"type":"message","id":"x"}}
        "#,
        r#"{"type":"message","id":"x","status":"first"},{"type":"message","id":"x"}"#,
        "=0 message first, == completed -",
    );
    // One id for all of them.
    let told = told.replace("r0", "x").replace("m1", "x");
    check_list(&told, r#"{"type":"message","id":"x"},{"type":"reasoning","id":"x"}"#, "== completed -");
    check_list(&told, r#"{"type":"reasoning","id":"x"},{"type":"message","id":"x"}"#, "== completed -");
}
