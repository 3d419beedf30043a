//! How a Chat stream ends: sentinels, finish reasons, the end of the connection.

mod common;

use common::{check, check_chat, interpreter};
use response_events::{InterpreterOptions, Wire};

#[test]
fn both_sentinels_end_the_stream_whatever_space_is_around_them() {
    for sentinel in ["[DONE]", "DONE", " [DONE] ", "\t DONE\t", "[DONE]\u{20}now", "[DONE] ", "\r\n[DONE]\r\n"] {
        let mut stream = interpreter(Wire::Chat);
        stream.handle_event(None, br#"{"choices":[{"index":0,"delta":{"content":"a"}}]}"#);
        assert!(stream.outcome().is_none());
        stream.handle_event(None, sentinel.as_bytes());
        assert_eq!(stream.outcome().map(response_events::Outcome::as_str), Some("completed"), "{sentinel:?}");
        assert_eq!(stream.ledger().done_sentinels, 1, "{sentinel:?}");
    }
}

#[test]
fn what_only_resembles_a_sentinel_is_none() {
    check_chat(
        r#"
        "DONE"
        "[DONE]"
        done
        DONE!
        [done]
        {"DONE":1}
        "#,
        r#"
        !! - "DONE"
        !! - "[DONE]"
        !! - done
        !! - DONE!
        !! - [done]
        !! - {"DONE":1}
        == open
        malformed=6
        "#,
    );
}

#[test]
fn the_word_done_in_text_is_text() {
    check_chat(
        r#"
        delta {"content":"DONE"}
        delta {"content":"[DONE]"}
        delta {"content":"data: [DONE]\n\n"}
        delta {"reasoning_content":"DONE"}
        delta {"tool_calls":[{"index":0,"id":"c","function":{"name":"DONE","arguments":"[DONE]"}}]}
        "#,
        r#"
        created - -
        +0 message
        0 text "DONE"
        0 text "[DONE]"
        0 text "data: [DONE]\n\n"
        =0 message "DONE[DONE]data: [DONE]\n\n" completed
        +1 reasoning
        1 reasoning "DONE"
        =1 reasoning "DONE" completed
        +2 call c DONE
        2 input "[DONE]"
        == open
        "#,
    );
}

#[test]
fn a_sentinel_completes_before_any_choice() {
    check_chat("DONE", "== completed -\n sentinels=1");
    check_chat("[DONE]", "== completed -\n sentinels=1");
    check_chat(
        r#"
        {"id":"","model":"","choices":[],"prompt_filter_results":[]}
        [DONE]
        "#,
        "== completed -\n sentinels=1",
    );
}

#[test]
fn everything_pending_is_flushed_in_the_order_of_opening_and_completed_comes_once() {
    for sentinel in ["DONE", "[DONE]"] {
        check_chat(
            &format!(
                r#"
                {{"id":"r","model":"m","choices":[{{"index":0,"delta":{{"role":"assistant","reasoning_content":"Hm"}}}}]}}
                delta {{"content":"Let me "}}
                delta {{"content":"look"}}
                delta {{"tool_calls":[{{"index":0,"id":"c1","function":{{"name":"get","arguments":"{{\"a\":"}}}}]}}
                delta {{"tool_calls":[{{"index":0,"function":{{"arguments":"1}}"}}}}]}}
                {sentinel}
                {sentinel}
                delta {{"content":"late"}}
                (end)
                "#
            ),
            r#"
            created r m
            +0 reasoning
            0 reasoning "Hm"
            =0 reasoning "Hm" completed
            +1 message
            1 text "Let me "
            1 text "look"
            =1 message "Let me look" completed
            +2 call c1 get
            2 input "{\"a\":"
            2 input "1}"
            =2 call c1 get "{\"a\":1}" completed
            == completed r
            sentinels=2 after=1
            "#,
        );
    }
}

#[test]
fn the_end_of_the_connection_after_a_finish_reason_completes() {
    check_chat(
        r#"
        delta {"content":"a"}
        finish stop
        (end)
        "#,
        r#"
        created - -
        +0 message
        0 text "a"
        ~ finishing
        =0 message "a" completed
        == completed - stop
        "#,
    );
}

#[test]
fn the_end_of_the_connection_without_one_is_a_cut() {
    check_chat(
        r#"
        delta {"reasoning":"hm"}
        delta {"content":"a"}
        delta {"tool_calls":[{"index":0,"id":"c","function":{"name":"get","arguments":"{\"a\":"}}]}
        (end)
        "#,
        r#"
        created - -
        +0 reasoning
        0 reasoning "hm"
        =0 reasoning "hm" reasoning_field="reasoning" completed
        +1 message
        1 text "a"
        =1 message "a" completed
        +2 call c get
        2 input "{\"a\":"
        =2 call c get "{\"a\":" incomplete
        == truncated
        "#,
    );
    check_chat("(end)", "== truncated");
    check_chat(r#"{"choices":[],"usage":{"prompt_tokens":1}}"#.to_owned().as_str(), "== open");
    check_chat("{\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n(end)", "== truncated");
    // An empty finish reason is none.
    check_chat("finish \n(end)", "created - -\n== truncated");
}

#[test]
fn length_and_content_filter_are_incomplete_and_mark_what_grew_last() {
    for reason in ["length", "content_filter"] {
        for end in ["[DONE]", "(end)"] {
            let seen = if end == "(end)" { "" } else { "sentinels=1" };
            check_chat(
                &format!(
                    r#"
                    delta {{"reasoning_content":"hm"}}
                    delta {{"tool_calls":[{{"index":0,"id":"a","function":{{"name":"f","arguments":"{{}}"}}}}]}}
                    delta {{"tool_calls":[{{"index":1,"id":"b","function":{{"name":"g","arguments":"{{\"x"}}}}]}}
                    finish {reason}
                    {end}
                    "#
                ),
                &format!(
                    r#"
                    created - -
                    +0 reasoning
                    0 reasoning "hm"
                    =0 reasoning "hm" completed
                    +1 call a f
                    1 input "{{}}"
                    +2 call b g
                    2 input "{{\"x"
                    ~ finishing
                    =1 call a f "{{}}" completed
                    =2 call b g "{{\"x" incomplete
                    == incomplete {reason} - {reason}
                    {seen}
                    "#
                ),
            );
        }
    }
}

#[test]
fn every_other_finish_reason_completes() {
    for reason in ["stop", "tool_calls", "function_call", "eos", "end_turn", "insufficient_system_resource", "new"] {
        check_chat(
            &format!("delta {{\"content\":\"a\"}}\nfinish {reason}\nDONE"),
            &format!(
                r#"
                created - -
                +0 message
                0 text "a"
                ~ finishing
                =0 message "a" completed
                == completed - {reason}
                sentinels=1
                "#
            ),
        );
    }
}

#[test]
fn what_was_said_to_be_cut_stays_so() {
    for (first, second, end) in [
        ("length", "stop", "incomplete length - length"),
        ("stop", "length", "incomplete length - length"),
        ("length", "content_filter", "incomplete length - length"),
        ("tool_calls", "stop", "completed - stop"),
        ("error", "stop", "completed - error"),
    ] {
        let stream = format!("finish {first}\nfinish {second}\n[DONE]");
        check_chat(&stream, &format!("created - -\n~ finishing\n== {end}\nsentinels=1"));
    }
}

#[test]
fn several_choices_finish_together() {
    check_chat(
        r#"
        delta {"content":"a"}
        delta1 {"content":"b"}
        finish stop
        finish1 length
        [DONE]
        "#,
        r#"
        created - -
        +0 message
        0 text "a"
        +1/c1 message
        1/c1 text "b"
        ~ finishing
        =0 message "a" completed
        =1/c1 message "b" incomplete
        == incomplete length - length
        sentinels=1
        "#,
    );
    // One choice that never ended makes the stream a cut.
    check_chat(
        "delta {\"content\":\"a\"}\ndelta1 {\"content\":\"b\"}\nfinish1 stop\n(end)",
        r#"
        created - -
        +0 message
        0 text "a"
        +1/c1 message
        1/c1 text "b"
        =0 message "a" incomplete
        =1/c1 message "b" completed
        == truncated
        "#,
    );
}

#[test]
fn choices_that_were_asked_for_are_waited_for() {
    let mut options = InterpreterOptions::default();
    options.choices = 2;
    check(
        Wire::Chat,
        options,
        r#"
        delta {"content":"a"}
        finish stop
        delta1 {"content":"b"}
        finish1 stop
        {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}
        (end)
        "#,
        r#"
        created - -
        +0 message
        0 text "a"
        +1/c1 message
        1/c1 text "b"
        ~ finishing
        =0 message "a" completed
        =1/c1 message "b" completed
        == completed - stop 1+2
        "#,
    );
}

#[test]
fn a_stream_that_ends_between_its_choices_is_cut() {
    let mut options = InterpreterOptions::default();
    options.choices = 2;
    let half = "delta {\"content\":\"a\"}\nfinish stop\n(end)";
    check(
        Wire::Chat,
        options,
        half,
        r#"
        created - -
        +0 message
        0 text "a"
        =0 message "a" completed
        == truncated
        "#,
    );
}

#[test]
fn a_choice_that_opens_late_ends_the_grace() {
    check_chat(
        "finish stop\ndelta1 {\"content\":\"b\"}\nfinish1 stop",
        r#"
        created - -
        ~ finishing
        +0/c1 message
        0/c1 text "b"
        ~ not finishing
        ~ finishing
        == open
        "#,
    );
}

#[test]
fn a_sentinel_glued_to_a_chunk_is_no_sentinel_and_hides_no_chunk() {
    for glue in ["", " ", "\n"] {
        let mut stream = interpreter(Wire::Chat);
        let data =
            format!(r#"{{"choices":[{{"index":0,"delta":{{"content":"a"}},"finish_reason":"stop"}}]}}{glue}DONE"#);
        stream.handle_event(None, data.as_bytes());
        assert!(stream.is_finishing());
        let names: Vec<String> = std::iter::from_fn(|| stream.poll_event())
            .map(|event| format!("{event:?}").split('(').next().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["Created", "ItemAdded", "TextDelta", "Malformed"], "{glue:?}");
        stream.handle_end();
        assert_eq!(stream.outcome().map(response_events::Outcome::as_str), Some("completed"));
    }
}
