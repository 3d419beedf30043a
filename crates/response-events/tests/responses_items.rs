//! Which item of a Responses stream an event belongs to.

mod common;

use common::check_responses;

#[test]
fn ids_that_change_with_every_event_are_no_matter() {
    check_responses(
        r#"
        {"type":"response.created","response":{"id":"r1"}}
        {"type":"response.in_progress","response":{"id":"r2"}}
        {"type":"response.output_item.added","output_index":0,"item":{"type":"message","id":"a"}}
        {"type":"response.output_text.delta","output_index":0,"item_id":"b","delta":"x"}
        {"type":"response.output_item.done","output_index":0,"item":{"type":"message","id":"c","content":[{"type":"output_text","text":"x"}]}}
        {"type":"response.completed","response":{"id":"r3","output":[{"type":"message","id":"d","content":[{"type":"output_text","text":"x"}]}]}}
        "#,
        r#"
        created r1 -
        other response.in_progress {"type":"response.in_progress","response":{"id":"r2"}}
        +0 message
        0 text "x" id=b
        =0 message "x"
        == completed r3
        "#,
    );
}

#[test]
fn an_item_opens_once() {
    check_responses(
        r#"
        {"type":"response.output_item.added","output_index":0,"item":{"type":"message","id":"a"}}
        {"type":"response.output_item.added","output_index":0,"item":{"type":"message","id":"a"}}
        {"type":"response.output_item.done","output_index":0,"item":{"type":"message","id":"a"}}
        {"type":"response.output_item.added","output_index":0,"item":{"type":"message","id":"a"}}
        "#,
        r#"
        +0 message
        other response.output_item.added {"type":"response.output_item.added","output_index":0,"item":{"type":"message","id":"a"}}
        =0 message
        other response.output_item.added {"type":"response.output_item.added","output_index":0,"item":{"type":"message","id":"a"}}
        == open
        "#,
    );
    // Without an index it is known by its names.
    check_responses(
        r#"
        {"type":"response.output_item.added","item":{"type":"message","id":"a"}}
        {"type":"response.output_item.added","item":{"type":"message","id":"a"}}
        {"type":"response.output_item.added","item":{"type":"message","id":"b"}}
        {"type":"response.output_item.done","item":{"type":"message","id":"a"}}
        {"type":"response.output_item.added","item":{"type":"message","id":"a"}}
        "#,
        r#"
        +0 message
        other response.output_item.added {"type":"response.output_item.added","item":{"type":"message","id":"a"}}
        +1 message
        =0 message
        other response.output_item.added {"type":"response.output_item.added","item":{"type":"message","id":"a"}}
        == open
        "#,
    );
}

#[test]
fn events_without_an_output_index_find_their_item() {
    // One item after the other.
    check_responses(
        r#"
        {"type":"response.output_item.added","item":{"type":"reasoning"}}
        {"type":"response.reasoning_text.delta","delta":"h"}
        {"type":"response.output_item.done","item":{"type":"reasoning","content":[{"type":"reasoning_text","text":"h"}]}}
        {"type":"response.output_item.added","item":{"type":"message"}}
        {"type":"response.output_text.delta","delta":"a"}
        {"type":"response.output_item.done","item":{"type":"message","content":[{"type":"output_text","text":"a"}]}}
        "#,
        r#"
        +0 reasoning
        0 reasoning "h"
        =0 reasoning "h"
        +1 message
        1 text "a"
        =1 message "a"
        == open
        "#,
    );
    // Two at a time, told apart by their ids.
    check_responses(
        r#"
        {"type":"response.output_item.added","item":{"type":"function_call","id":"x","call_id":"a","name":"f"}}
        {"type":"response.output_item.added","item":{"type":"function_call","id":"y","call_id":"b","name":"g"}}
        {"type":"response.function_call_arguments.delta","item_id":"x","delta":"1"}
        {"type":"response.function_call_arguments.delta","item_id":"y","delta":"2"}
        {"type":"response.output_item.done","item":{"type":"function_call","id":"x","call_id":"a","name":"f","arguments":"1"}}
        {"type":"response.output_item.done","item":{"type":"function_call","id":"y","call_id":"b","name":"g","arguments":"2"}}
        "#,
        r#"
        +0 call a f
        +1 call b g
        0 input "1" id=x
        1 input "2" id=y
        =0 call a f "1"
        =1 call b g "2"
        == open
        "#,
    );
    // By their call ids, where a service gives both one id.
    check_responses(
        r#"
        {"type":"response.output_item.added","item":{"type":"function_call","id":"x","call_id":"a","name":"f"}}
        {"type":"response.output_item.added","item":{"type":"function_call","id":"x","call_id":"b","name":"g"}}
        {"type":"response.output_item.done","item":{"type":"function_call","id":"x","call_id":"a","name":"f","arguments":"1"}}
        {"type":"response.output_item.done","item":{"type":"function_call","id":"x","call_id":"b","name":"g","arguments":"2"}}
        "#,
        r#"
        +0 call a f
        +1 call b g
        =0 call a f "1"
        =1 call b g "2"
        == open
        "#,
    );
    // Finished items alone, as some servers send them.
    check_responses(
        r#"
        {"type":"response.output_item.done","item":{"type":"message","content":[{"type":"output_text","text":"a"}]}}
        {"type":"response.output_item.done","item":{"type":"message","content":[{"type":"output_text","text":"b"}]}}
        "#,
        "=0 message \"a\"\n=1 message \"b\"\n== open",
    );
}

#[test]
fn an_item_that_is_done_twice_is_done_once() {
    check_responses(
        r#"
        {"type":"response.output_item.done","output_index":0,"item":{"type":"message","id":"a"}}
        {"type":"response.output_item.done","output_index":0,"item":{"type":"message","id":"a"}}
        {"type":"response.output_item.done","output_index":0,"item":{"type":"message","id":"b"}}
        "#,
        r#"
        =0 message
        other response.output_item.done {"type":"response.output_item.done","output_index":0,"item":{"type":"message","id":"a"}}
        =1 message
        == open
        "#,
    );
    check_responses(
        r#"
        {"type":"response.output_item.done","output_index":0,"item":{"type":"message","id":"a"}}
        {"type":"response.output_item.added","output_index":0,"item":{"type":"message","id":"b"}}
        {"type":"response.completed","response":{"output":[{"type":"message","id":"z"}]}}
        "#,
        "=0 message\n+0 message\n== completed -",
    );
}

#[test]
fn items_pass_through_whole_whatever_their_type() {
    check_responses(
        r#"
        {"type":"response.output_item.done","output_index":0,"item":{"type":"image_generation_call","id":"i","result":"QUJD","new":{"a":[1.5,null]}}}
        {"type":"response.output_item.done","output_index":1,"item":{"type":"custom_tool_call","call_id":"c","name":"n","input":"raw\n"}}
        {"type":"response.output_item.done","output_index":2,"item":{"type":"from_the_future"}}
        "#,
        r#"
        =0 {"id":"i","new":{"a":[1.5,null]},"result":"QUJD","type":"image_generation_call"}
        =1 custom c n "raw\n"
        =2 {"type":"from_the_future"}
        == open
        "#,
    );
}

#[test]
fn pieces_without_any_index_follow_in_the_next_item_once_the_latest_is_done() {
    let item = |id: &str, text: &str| {
        format!(r#"{{"type":"message","id":"{id}","content":[{{"type":"output_text","text":"{text}"}}]}}"#)
    };
    let done = |id, text| format!(r#"{{"type":"response.output_item.done","item":{}}}"#, item(id, text));
    for id in ["m9", ""] {
        let delta = |id: &str, text: &str| {
            format!(r#"{{"type":"response.output_text.delta","item_id":"{id}","delta":"{text}"}}"#)
        };
        let note = if id.is_empty() { "" } else { " id=m9" };
        check_responses(
            &[delta("m0", "a"), done("m0", "a"), delta(id, "b"), delta(id, "c"), done("m9", "bc")].join("\n"),
            &format!(
                "0 text \"a\" id=m0\n=0 message \"a\"\n1 text \"b\"{note}\n1 text \"c\"{note}\n=1 message \"bc\"\n== open"
            ),
        );
    }
}

#[test]
fn a_call_and_its_output_are_two_items() {
    check_responses(
        r#"
        {"type":"response.output_item.done","item":{"type":"shell_call","call_id":"c"}}
        {"type":"response.output_item.done","item":{"type":"shell_call_output","call_id":"c"}}
        "#,
        r#"
        =0 {"call_id":"c","type":"shell_call"}
        =1 {"call_id":"c","type":"shell_call_output"}
        == open
        "#,
    );
}
