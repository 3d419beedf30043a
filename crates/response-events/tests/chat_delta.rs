//! What the deltas of a Chat stream bring: text, refusals, reasoning, identity, usage.

mod common;

use common::check_chat;

#[test]
fn empty_and_missing_text_means_nothing() {
    check_chat(
        r#"
        delta {"role":"assistant","content":"","refusal":null}
        delta {"role":"assistant","content":null,"reasoning_content":"","reasoning":null,"reasoning_details":[],"tool_calls":[]}
        delta {"content":[],"tool_calls":null,"function_call":null,"refusal":""}
        delta {"content":7,"reasoning":true}
        delta {}
        delta null
        {"choices":[{"index":0}]}
        {"choices":[{"index":0,"content_filter_results":{},"content_filter_offsets":null}]}
        "#,
        "created - -\n== open",
    );
}

/// As programs write that know no types: what is empty spoils nothing, and what is not is reported.
#[test]
fn something_empty_of_another_type_counts_as_absent() {
    let places = [
        r#"{"choices":#}"#,
        r#"{"choices":[#,{"index":0,"delta":{"content":"a"}}]}"#,
        r#"{"choices":[{"index":0,"delta":#,"message":{"content":"a"}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"a"},"message":#}]}"#,
        r#"delta {"content":"a","tool_calls":#}"#,
        r#"delta {"content":"a","tool_calls":[#]}"#,
        r#"delta {"content":"a","function_call":#}"#,
        r#"delta {"content":"a","tool_calls":[{"index":0,"function":#,"custom":null}]}"#,
        r#"delta {"content":"a","tool_calls":[{"index":0,"custom":#}]}"#,
    ];
    for place in places {
        let takes_object = !place.contains(r#"s":#"#);
        for empty in ["null", "\"\"", "[]", "{}"] {
            // An object that is empty is no less an object: of a choice, a delta.
            let brings = match (place.contains("content"), place.contains(r#""delta":#"#) && empty == "{}") {
                (true, false) => "created - -\n+0 message\n0 text \"a\"\n== open",
                (true, true) => "created - -\n== open",
                (false, _) => "== open",
            };
            check_chat(&place.replace('#', empty), brings);
        }
        for wrong in ["\"x\"", "7", "true", "[7]", r#"{"x":1}"#] {
            let fits = takes_object && wrong.starts_with('{');
            let (_, data) = common::payload(&place.replace('#', wrong));
            if !fits {
                check_chat(&data, &format!("!! - {data}\n== open\nmalformed=1"));
            }
        }
    }
}

#[test]
fn a_repeated_role_starts_no_second_message() {
    check_chat(
        r#"
        delta {"role":"assistant","content":"a"}
        delta {"role":"assistant","content":"b"}
        "#,
        "created - -\n+0 message\n0 text \"a\"\n0 text \"b\"\n== open",
    );
}

#[test]
fn choices_null_and_missing_carry_usage_all_the_same() {
    check_chat(
        r#"
        {"id":"r","model":"m","choices":null}
        {"usage":{"prompt_tokens":1,"completion_tokens":2}}
        {"choices":null,"usage":null}
        DONE
        "#,
        "created r m\n== completed r 1+2\nsentinels=1",
    );
}

#[test]
fn a_finish_reason_counts_although_the_delta_is_null_or_missing() {
    for delta in [r#","delta":null"#, "", r#","delta":{}"#] {
        check_chat(
            &format!(r#"{{"choices":[{{"index":0{delta},"finish_reason":"stop"}}]}}"#),
            "created - -\n~ finishing\n== open",
        );
    }
}

#[test]
fn the_delta_of_the_last_chunk_comes_before_its_finish_reason() {
    check_chat(
        r#"
        {"choices":[{"index":0,"finish_reason":"length","delta":{"content":"a","tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"}}]}}]}
        (end)
        "#,
        r#"
        created - -
        +0 message
        0 text "a"
        =0 message "a" completed
        +1 call c f
        1 input "{}"
        ~ finishing
        =1 call c f "{}" incomplete
        == incomplete length - length
        "#,
    );
}

#[test]
fn a_whole_message_counts_only_where_there_is_no_delta() {
    check_chat(
        r#"
        {"choices":[{"index":0,"delta":{"content":"a"},"message":{"role":"assistant","content":"a"}}]}
        {"choices":[{"index":0,"delta":{"content":"b"},"message":{"role":"assistant","content":"ab"}}]}
        {"object":"chat.completion.done","choices":[{"index":0,"delta":{"content":""},"message":{"content":"ab"},"finish_reason":"stop"}]}
        (end)
        "#,
        r#"
        created - -
        +0 message
        0 text "a"
        0 text "b"
        ~ finishing
        =0 message "ab" completed
        == completed - stop
        "#,
    );
    check_chat(
        r#"
        {"id":"r","object":"chat.completion","choices":[{"index":0,"message":{"content":"whole","refusal":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}
        (end)
        "#,
        r#"
        created r -
        +0 message
        0 text "whole"
        ~ finishing
        =0 message "whole" completed
        == completed r stop 1+2
        "#,
    );
}

#[test]
fn a_whole_message_behind_deltas_repeats_them() {
    let deltas = r#"
        delta {"reasoning_content":"hm"}
        delta {"content":"a"}
        delta {"content":"b"}
        delta {"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"}}]}
        {"choices":[{"index":0,DELTA"message":{"role":"assistant","content":"ab","reasoning_content":"hm","tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"stop"}]}
        (end)
        "#;
    for delta in ["", r#""delta":null,"#, r#""delta":{},"#] {
        check_chat(
            &deltas.replace("DELTA", delta),
            r#"
            created - -
            +0 reasoning
            0 reasoning "hm"
            =0 reasoning "hm" completed
            +1 message
            1 text "a"
            1 text "b"
            =1 message "ab" completed
            +2 call c f
            2 input "{}"
            ~ finishing
            =2 call c f "{}" completed
            == completed - stop
            "#,
        );
    }
}

#[test]
fn a_choice_may_come_in_messages() {
    check_chat(
        r#"
        {"choices":[{"index":0,"message":{"role":"assistant","content":"ha"}}]}
        {"choices":[{"index":0,"message":{"content":"ha"}}]}
        {"choices":[{"index":0,"message":{"content":"!"},"finish_reason":"stop"}]}
        (end)
        "#,
        r#"
        created - -
        +0 message
        0 text "ha"
        0 text "ha"
        0 text "!"
        ~ finishing
        =0 message "haha!" completed
        == completed - stop
        "#,
    );
}

#[test]
fn content_may_be_a_list_of_parts() {
    check_chat(
        r#"
        delta {"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}]}
        delta {"content":[{"type":"thinking","thinking":[{"type":"text","text":" so"}],"closed":true},{"type":"text","text":"a"}]}
        delta {"content":"b"}
        delta {"content":[{"type":"text","text":"c"},"d",{"type":"text","text":""},{"type":"text","text":null}]}
        delta {"content":{"type":"text","text":"e"}}
        [DONE]
        "#,
        r#"
        created - -
        +0 reasoning
        0 reasoning "hm"
        0 reasoning " so"
        =0 reasoning "hm so" reasoning_field="content" completed
        +1 message
        1 text "a"
        1 text "b"
         1 text "cd"
        1 text "e"
        =1 message "abcde" completed
        == completed -
        sentinels=1
        "#,
    );
}

#[test]
fn an_unknown_part_is_passed_on() {
    check_chat(
        r#"delta {"content":[{"type":"hologram","x":1},{"type":"text","text":"a"}]}"#,
        r#"
        created - -
        ?? content part hologram {"choices":[{"index":0,"delta":{"content":[{"type":"hologram","x":1},{"type":"text","text":"a"}]}}]}
        +0 message
        0 text "a"
        == open
        unknown=1
        "#,
    );
}

#[test]
fn refusals_are_parts_of_the_message() {
    check_chat(
        r#"
        delta {"content":"Well. "}
        delta {"refusal":"I can"}
        delta {"refusal":"not."}
        delta {"content":[{"type":"refusal","refusal":" Sorry."}]}
        delta {"content":"Bye."}
        [DONE]
        "#,
        r#"
        created - -
        +0 message
        0 text "Well. "
        0 refusal "I can" content=1
        0 refusal "not." content=1
        0 refusal " Sorry." content=1
        0 text "Bye." content=2
        =0 message "Well. " + refusal "I cannot. Sorry." + "Bye." completed
        == completed -
        sentinels=1
        "#,
    );
}

#[test]
fn reasoning_comes_in_either_field_and_never_twice() {
    check_chat(
        r#"
        delta {"reasoning_content":"a"}
        delta {"reasoning_content":"b","reasoning":"b"}
        delta {"reasoning":"c","reasoning_content":null}
        delta {"reasoning":"d","reasoning_content":""}
        [DONE]
        "#,
        r#"
        created - -
        +0 reasoning
        0 reasoning "a"
        0 reasoning "b"
        0 reasoning "c"
        0 reasoning "d"
        =0 reasoning "abcd" completed
        == completed -
        sentinels=1
        "#,
    );
    check_chat(
        "delta {\"reasoning\":\"a\",\"channel\":\"analysis\"}\n[DONE]",
        r#"
        created - -
        +0 reasoning
        0 reasoning "a"
        =0 reasoning "a" reasoning_field="reasoning" completed
        == completed -
        sentinels=1
        "#,
    );
}

#[test]
fn fields_of_text_may_have_the_shapes_of_content() {
    check_chat(
        r#"
        delta {"reasoning_content":["a",{"type":"text","text":"b"}],"reasoning":"never twice"}
        delta {"reasoning_content":{"text":"c"},"reasoning_details":{"type":"reasoning.encrypted","data":"e"}}
        delta {"reasoning_content":7,"reasoning_details":""}
        delta {"refusal":["N"]}
        delta {"refusal":{"text":"o."}}
        DONE
        "#,
        r#"
        created - -
        +0 reasoning
        0 reasoning "ab"
        0 reasoning "c"
        =0 reasoning "abc" reasoning_details=[{"data":"e","type":"reasoning.encrypted"}] completed
        +1 message
        1 refusal "N"
        1 refusal "o."
        =1 message refusal "No." completed
        == completed -
        sentinels=1
        "#,
    );
}

#[test]
fn the_text_of_a_choice_counts_where_it_has_no_delta() {
    check_chat(
        r#"
        {"id":"r","choices":[{"index":0,"text":"a"}]}
        {"id":"r","choices":[{"index":0,"delta":null,"text":"b","logprobs":null}]}
        {"id":"r","choices":[{"index":0,"delta":{"content":"c"},"text":"c"}]}
        {"id":"r","choices":[{"index":0,"delta":{},"text":"c"}]}
        {"id":"r","choices":[{"index":0,"text":"","finish_reason":"stop"}]}
        DONE
        "#,
        r#"
        created r -
        +0 message
        0 text "a"
        0 text "b"
        0 text "c"
        ~ finishing
        =0 message "abc" completed
        == completed r stop
        sentinels=1
        "#,
    );
}

#[test]
fn thinking_tags_in_text_stay_text() {
    check_chat(
        r#"delta {"content":"<think>hm</think>a"}"#,
        "created - -\n+0 message\n0 text \"<think>hm</think>a\"\n== open",
    );
}

#[test]
fn reasoning_after_text_and_text_after_reasoning_open_items_of_their_own() {
    check_chat(
        r#"
        delta {"content":"a"}
        delta {"reasoning":"b"}
        delta {"content":"c"}
        [DONE]
        "#,
        r#"
        created - -
        +0 message
        0 text "a"
        =0 message "a" completed
        +1 reasoning
        1 reasoning "b"
        =1 reasoning "b" reasoning_field="reasoning" completed
        +2 message
        2 text "c"
        =2 message "c" completed
        == completed -
        sentinels=1
        "#,
    );
}

#[test]
fn reasoning_details_are_joined_and_kept() {
    check_chat(
        r#"
        delta {"reasoning":"a","reasoning_details":[{"type":"reasoning.text","text":"a","index":0,"format":"x","signature":null}]}
        delta {"reasoning":"b","reasoning_details":[{"type":"reasoning.text","text":"b","index":0,"format":"x","signature":"s"}]}
        delta {"reasoning_details":[{"type":"reasoning.encrypted","data":"e1","index":1,"id":"t1"}]}
        delta {"reasoning_details":[{"type":"reasoning.encrypted","data":"e2","index":1,"id":"t2"}]}
        delta {"reasoning_details":[{"type":"reasoning.summary","summary":"s"},{"type":"reasoning.summary","summary":"t"}]}
        [DONE]
        "#,
        r#"
        created - -
        +0 reasoning
        0 reasoning "a"
        0 reasoning "b"
        =0 reasoning "ab" reasoning_field="reasoning" reasoning_details=[{"format":"x","index":0,"signature":"s","text":"ab","type":"reasoning.text"},{"data":"e1","id":"t1","index":1,"type":"reasoning.encrypted"},{"data":"e2","id":"t2","index":1,"type":"reasoning.encrypted"},{"summary":"s","type":"reasoning.summary"},{"summary":"t","type":"reasoning.summary"}] completed
        == completed -
        sentinels=1
        "#,
    );
}

#[test]
fn late_reasoning_details_do_not_split_the_message() {
    check_chat(
        r#"
        delta {"content":"a"}
        delta {"content":"b","reasoning_details":[{"type":"reasoning.encrypted","data":"e"}]}
        delta {"content":"c"}
        finish length
        [DONE]
        "#,
        r#"
        created - -
        +0 message
        0 text "a"
        0 text "b"
        0 text "c"
        ~ finishing
        +1 reasoning
        =0 message "abc" incomplete
        =1 reasoning "" reasoning_details=[{"data":"e","type":"reasoning.encrypted"}] completed
        == incomplete length - length
        sentinels=1
        "#,
    );
}

#[test]
fn reasoning_details_alone_make_an_item_without_text() {
    check_chat(
        r#"
        delta {"reasoning_details":[{"type":"reasoning.encrypted","data":"e"}]}
        delta {"content":"a"}
        DONE
        "#,
        r#"
        created - -
        +0 reasoning
        =0 reasoning "" reasoning_details=[{"data":"e","type":"reasoning.encrypted"}] completed
        +1 message
        1 text "a"
        =1 message "a" completed
        == completed -
        sentinels=1
        "#,
    );
}

#[test]
fn an_opaque_block_of_reasoning_is_kept_apart_from_its_text() {
    check_chat(
        r#"
        delta {"reasoning_content":null,"reasoning_encrypted":false,"content":""}
        delta {"reasoning_content":"a","reasoning_encrypted":false}
        delta {"reasoning_content":"=block=","reasoning_encrypted":true}
        delta {"reasoning_content":"b","reasoning_encrypted":null}
        delta {"reasoning_content":"","reasoning_encrypted":true}
        delta {"content":"c","reasoning_encrypted":false}
        DONE
        "#,
        r#"
        created - -
        +0 reasoning
        0 reasoning "a"
        0 reasoning "b"
        =0 reasoning "ab" encrypted "=block=" completed
        +1 message
        1 text "c"
        =1 message "c" completed
        == completed -
        sentinels=1
        "#,
    );
}

#[test]
fn the_first_id_and_the_last_model_that_are_not_empty_count() {
    check_chat(
        r#"
        {"id":"","model":"","created":0,"choices":[],"prompt_filter_results":[]}
        {"id":"r1","model":"","object":"","choices":[{"index":0,"delta":{"role":"assistant"}}]}
        {"id":"r2","model":"m1","choices":[{"index":0,"delta":{"content":"a"}}]}
        {"id":"","model":"m2","choices":[]}
        {"id":7,"model":null,"choices":[]}
        [DONE]
        "#,
        r#"
        created r1 -
        +0 message
        0 text "a"
        =0 message "a" completed
        == completed r1
        sentinels=1
        "#,
    );
}

#[test]
fn usage_is_the_last_that_was_stated_wherever_it_stands() {
    let cases = [
        // Its own chunk behind the finish reason.
        (r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#, "1+2"),
        // In more than one chunk, with null behind it.
        (
            "{\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}\n\
             {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":5}}\n\
             {\"choices\":[],\"usage\":null}",
            "1+5",
        ),
        (r#"{"choices":[],"x_groq":{"id":"q","usage":{"prompt_tokens":3,"completion_tokens":4}}}"#, "3+4"),
        (r#"{"x_groq":{"usage":{"prompt_tokens":3,"completion_tokens":4}}}"#, "3+4"),
        (
            r#"{"choices":[],"x_groq":{"usage":{"prompt_tokens":0}},"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
            "1+2",
        ),
        (r#"{"choices":[],"x_groq":"odd","usage":{"prompt_tokens":1,"prompt_tokens_details":null,"cost":0.1}}"#, "1+-"),
        (r#"{"choices":[],"usage":"odd"}"#, ""),
        (r#"{"choices":[],"usage":{"prompt_tokens":"odd","completion_tokens":-1}}"#, "-+-"),
    ];
    for (chunks, tokens) in cases {
        check_chat(
            &format!("finish stop\n{chunks}\nDONE"),
            &format!("created - -\n~ finishing\n== completed - stop {tokens}\nsentinels=1"),
        );
    }
}

#[test]
fn odd_choice_indices_are_tolerated() {
    check_chat(
        r#"
        {"choices":[{"delta":{"content":"a"}}]}
        {"choices":[{"index":null,"delta":{"content":"b"}}]}
        {"choices":[{"index":"x","delta":{"content":"c"}}]}
        {"choices":[{"index":4000000000,"delta":{"content":"d"}}]}
        "#,
        r#"
        created - -
        +0 message
        0 text "a"
        0 text "b"
        0 text "c"
        +1/c4000000000 message
        1/c4000000000 text "d"
        == open
        "#,
    );
}
