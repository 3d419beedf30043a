//! The bodies of requests on both wires.

use response_events::{
    ChatHistory, EncodeError, Interpreter, InterpreterOptions, Item, Outcome, Request, TurnEvent, Wire,
};
use serde_json::{Value, json};

#[track_caller]
fn body(request: &Request, wire: Wire) -> Value {
    serde_json::from_slice(&request.encode(wire).unwrap()).unwrap()
}

#[track_caller]
fn check(request: &Request, wire: Wire, expected: &Value) {
    assert_eq!(body(request, wire), *expected);
}

/// Checks the messages that a conversation becomes on the Chat wire.
#[track_caller]
fn check_messages(items: &[Value], expected: &Value) {
    let items = items.iter().map(|item| Item::from_json(item.clone()).unwrap());
    assert_eq!(body(&Request::new("m").items(items), Wire::Chat)["messages"], *expected);
}

#[test]
fn default_bodies() {
    let request = Request::new("gpt-5").user("Say hi");
    check(
        &request,
        Wire::Responses,
        &json!({
            "model": "gpt-5",
            "stream": true,
            "store": false,
            "include": ["reasoning.encrypted_content"],
            "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Say hi"}]}],
        }),
    );
    check(
        &request,
        Wire::Chat,
        &json!({
            "model": "gpt-5",
            "stream": true,
            "stream_options": {"include_usage": true},
            "messages": [{"role": "user", "content": "Say hi"}],
        }),
    );
}

#[test]
fn instructions_tools_and_effort_stand_where_each_wire_has_them() {
    let tool = json!({"type": "function", "name": "f", "parameters": {}});
    let request = Request::new("m").instructions("Be brief.").tool(tool.clone()).reasoning_effort("low").user("a");
    let responses = body(&request, Wire::Responses);
    assert_eq!(responses["instructions"], "Be brief.");
    assert_eq!(responses["tools"], json!([tool]));
    assert_eq!(responses["reasoning"], json!({"effort": "low"}));
    let chat = body(&request, Wire::Chat);
    assert_eq!(chat["messages"], json!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "a"}]));
    assert_eq!(chat["tools"], json!([tool]));
    assert_eq!(chat["reasoning_effort"], "low");
}

#[test]
fn what_the_caller_sets_has_the_last_word() {
    let request = Request::new("m")
        .reasoning_effort("low")
        .set("model", "other")
        .set("store", Value::Null)
        .set("stream_options", Value::Null)
        .set("reasoning.summary", "auto")
        .set("metadata.a.b", 1)
        .set("temperature", 0.5)
        .set("temperature", 0.7);
    check(
        &request,
        Wire::Responses,
        &json!({
            "model": "other",
            "stream": true,
            "include": ["reasoning.encrypted_content"],
            "input": [],
            "reasoning": {"effort": "low", "summary": "auto"},
            "metadata": {"a": {"b": 1}},
            "temperature": 0.7,
        }),
    );
    assert_eq!(body(&request, Wire::Chat).get("stream_options"), None);
}

#[test]
fn encrypted_reasoning_need_not_be_asked_for() {
    let request = Request::new("m").set("include", Value::Null);
    check(&request, Wire::Responses, &json!({"model": "m", "stream": true, "store": false, "input": []}));
    let message = request.encode_create(None, None).unwrap();
    let message: Value = serde_json::from_slice(&message).unwrap();
    assert_eq!(message, json!({"type": "response.create", "model": "m", "store": false, "input": []}));
}

#[test]
fn a_path_that_leads_nowhere_is_refused() {
    for path in ["", ".", "a..b", "model.x", "input.0"] {
        let error = Request::new("m").set(path, 1).encode(Wire::Responses).unwrap_err();
        assert_eq!(error, EncodeError::Path(path.to_owned()));
        assert!(error.to_string().starts_with(&format!("cannot set {path:?}: ")), "{error}");
    }
}

#[test]
fn the_number_of_choices_is_read_from_the_fields() {
    for (request, choices) in [
        (Request::new("m"), 1),
        (Request::new("m").set("n", 3), 3),
        (Request::new("m").set("n", 3).set("n", 2), 2),
        (Request::new("m").set("n", 3).set("n", Value::Null), 1),
        (Request::new("m").set("n", 0), 1),
        (Request::new("m").set("n", "x"), 1),
        (Request::new("m").set("x.n", 3), 1),
    ] {
        assert_eq!(request.interpreter_options().choices, choices, "{request:?}");
    }
}

#[test]
fn items_go_back_exactly_as_they_came_on_the_responses_wire() {
    let items = [
        json!({"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "gA==", "status": null, "new": {"a": [1.5, null]}}),
        json!({"type": "message", "id": "msg", "role": "assistant", "phase": "commentary", "status": "completed",
            "content": [{"type": "output_text", "text": "a\u{0}\u{1f600}", "annotations": [], "logprobs": []}]}),
        json!({"type": "function_call", "id": "fc", "call_id": "c", "name": "f", "arguments": "{\"a\": 1}", "status": "completed"}),
        json!({"type": "custom_tool_call", "call_id": "d", "name": "g", "input": "free\ntext"}),
        json!({"type": "from_the_future", "x": {"type": "reasoning"}}),
    ];
    let outputs = [Item::function_output("c", "ok"), Item::custom_tool_output("d", "fine")];
    let received = items.iter().map(|item| Item::from_json(item.clone()).unwrap());
    let request = Request::new("m").items(received).items(outputs);
    let mut expected: Vec<Value> = items.to_vec();
    expected.push(json!({"type": "function_call_output", "call_id": "c", "output": "ok"}));
    expected.push(json!({"type": "custom_tool_call_output", "call_id": "d", "output": "fine"}));
    assert_eq!(body(&request, Wire::Responses)["input"], Value::Array(expected));
}

#[test]
fn a_tool_loop_becomes_the_messages_that_the_chat_wire_asks_for() {
    check_messages(
        &[
            json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Weather?"}]}),
            json!({"type": "reasoning", "content": [{"type": "reasoning_text", "text": "Hm."}], "summary": [], "chat": {"reasoning_field": "reasoning_content"}}),
            json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Let me see."}]}),
            json!({"type": "function_call", "call_id": "a", "name": "f", "arguments": "{\"x\":1}"}),
            json!({"type": "function_call", "call_id": "b", "name": "g", "arguments": ""}),
            json!({"type": "function_call_output", "call_id": "a", "output": "sun"}),
            json!({"type": "function_call_output", "call_id": "b", "output": [{"type": "input_text", "text": "ra"}, {"type": "input_text", "text": "in"}]}),
            json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}),
            json!({"type": "function_call_output", "call_id": "c", "output": {"t": 1}}),
            json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Mixed."}]}),
            json!({"type": "message", "role": "user", "content": "Thanks"}),
        ],
        &json!([
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": "Let me see.", "reasoning_content": "Hm.", "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}},
                {"id": "b", "type": "function", "function": {"name": "g", "arguments": ""}},
            ]},
            {"role": "tool", "tool_call_id": "a", "content": "sun"},
            {"role": "tool", "tool_call_id": "b", "content": "rain"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            ]},
            {"role": "tool", "tool_call_id": "c", "content": "{\"t\":1}"},
            {"role": "assistant", "content": "Mixed."},
            {"role": "user", "content": "Thanks"},
        ]),
    );
}

#[test]
fn the_outputs_of_calls_follow_their_message_whatever_stood_between_the_calls() {
    check_messages(
        &[
            json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "One."}]}),
            json!({"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}),
            json!({"type": "reasoning", "content": [{"type": "reasoning_text", "text": "Hm."}], "chat": {"reasoning_field": "reasoning_content"}}),
            json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Two."}]}),
            json!({"type": "function_call", "call_id": "b", "name": "g", "arguments": "{}"}),
            json!({"type": "function_call_output", "call_id": "a", "output": "1"}),
            json!({"type": "function_call_output", "call_id": "b", "output": "2"}),
        ],
        &json!([
            {"role": "assistant", "content": "One.\nTwo.", "reasoning_content": "Hm.", "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
            ]},
            {"role": "tool", "tool_call_id": "a", "content": "1"},
            {"role": "tool", "tool_call_id": "b", "content": "2"},
        ]),
    );
}

/// Reasoning of a Chat answer.
fn reasoning(field: &str, text: &str) -> Value {
    let content = json!([{"type": "reasoning_text", "text": text}]);
    json!({"type": "reasoning", "content": content, "summary": [], "chat": {"reasoning_field": field}})
}

fn said(text: &str) -> Value {
    json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]})
}

fn with_chat(mut item: Value, key: &str, value: Value) -> Value {
    item["chat"][key] = value;
    item
}

#[test]
fn reasoning_goes_back_in_its_own_field_with_its_details_unchanged() {
    let details = json!([{"type": "reasoning.text", "text": "Hm.", "signature": "s", "index": 0}]);
    let late = json!([{"type": "reasoning.encrypted", "data": "e"}]);
    check_messages(
        &[
            with_chat(reasoning("reasoning", "Hm."), "reasoning_details", details),
            said("a"),
            with_chat(reasoning("reasoning_content", ""), "reasoning_details", late),
            json!({"type": "message", "role": "user", "content": "b"}),
        ],
        &json!([
            {"role": "assistant", "content": "a", "reasoning": "Hm.", "reasoning_details": [
                {"type": "reasoning.text", "text": "Hm.", "signature": "s", "index": 0},
                {"type": "reasoning.encrypted", "data": "e"},
            ]},
            {"role": "user", "content": "b"},
        ]),
    );
    // Alone it makes no message.
    check_messages(&[reasoning("reasoning_content", "Hm.")], &json!([]));
    check_messages(&[reasoning("content", "Hm.")], &json!([]));
}

#[test]
fn thinking_parts_go_back_before_the_text_of_their_message() {
    let call = json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"});
    let thinking =
        |text: &str| json!({"type": "thinking", "thinking": [{"type": "text", "text": text}], "closed": true});
    check_messages(
        &[reasoning("content", "Hm."), said("a"), reasoning("content", "So."), call, said("")],
        &json!([
            {"role": "assistant", "content": [thinking("Hm."), {"type": "text", "text": "a"}]},
            {"role": "assistant", "content": [thinking("So.")], "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        ]),
    );
}

#[test]
fn what_only_one_wire_knows_stays_off_the_other() {
    let call = json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"});
    let details = json!([{"type": "reasoning.encrypted", "data": "e"}]);
    let of_chat = [
        with_chat(reasoning("reasoning", "Hm."), "reasoning_details", details),
        with_chat(said("a"), "extra_content", json!({"google": {"thought_signature": "s"}})),
        with_chat(call.clone(), "extra_content", json!({"google": {"thought_signature": "t"}})),
        reasoning("content", "So."),
    ];
    let of_chat = of_chat.map(|item| Item::from_json(item).unwrap());
    assert_eq!(body(&Request::new("m").items(of_chat), Wire::Responses)["input"], json!([said("a"), call]));
    // The other way round.
    let text = json!([{"type": "reasoning_text", "text": "Hm."}]);
    let sealed = json!({"type": "reasoning", "id": "rs", "summary": [], "content": text, "encrypted_content": "gA==",
        "reasoning_details": [{"type": "reasoning.text"}], "format": "f", "signature": "s", "status": "completed"});
    let message = json!({"type": "message", "id": "msg", "role": "assistant", "phase": "final_answer", "status": "completed",
        "content": [{"type": "output_text", "text": "a", "annotations": [], "logprobs": []}], "extra_content": {"x": 1}});
    let call = json!({"type": "function_call", "id": "fc", "call_id": "c", "name": "f", "arguments": "{}", "namespace": "n",
        "status": "completed", "caller": {"type": "direct"}, "extra_content": {"x": 1}});
    check_messages(
        &[sealed, message, call],
        &json!([{"role": "assistant", "content": "a", "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}]),
    );
}

#[test]
fn a_service_that_refuses_what_the_api_does_not_define_is_sent_none_of_it() {
    let call = json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"});
    let signed = json!({"google": {"thought_signature": "s"}});
    let items = [
        with_chat(reasoning("reasoning_content", "Hm."), "reasoning_details", json!([{"type": "reasoning.text"}])),
        with_chat(said("a"), "extra_content", signed.clone()),
        with_chat(call, "extra_content", signed.clone()),
        reasoning("content", "So."),
        said("b"),
    ];
    let request = Request::new("m").items(items.map(|item| Item::from_json(item).unwrap()));
    assert_eq!(request.chat_history, ChatHistory::AsReceived);
    let function = json!({"name": "f", "arguments": "{}"});
    let received = json!([{"role": "assistant", "reasoning_content": "Hm.",
        "reasoning_details": [{"type": "reasoning.text"}], "extra_content": signed,
        "content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": "So."}], "closed": true},
            {"type": "text", "text": "a\nb"}],
        "tool_calls": [{"id": "c", "type": "function", "function": function, "extra_content": signed}]}]);
    assert_eq!(body(&request, Wire::Chat)["messages"], received);
    let standard = json!([{"role": "assistant", "content": "a\nb",
        "tool_calls": [{"id": "c", "type": "function", "function": function}]}]);
    assert_eq!(body(&request.chat_history(ChatHistory::Standard), Wire::Chat)["messages"], standard);
}

#[test]
fn messages_of_every_role_and_shape() {
    check_messages(
        &[
            json!({"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]}),
            json!({"type": "message", "role": "system", "content": "c"}),
            json!({"type": "message", "role": "user", "content": [
                {"type": "input_text", "text": "d"}, {"type": "input_image", "image_url": "data:,", "detail": "low"},
                {"type": "input_image", "image_url": "data:,", "detail": null, "file_id": null}]}),
            json!({"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}),
            json!({"type": "message", "role": "assistant", "content": []}),
        ],
        &json!([
            {"role": "developer", "content": "ab"},
            {"role": "system", "content": "c"},
            {"role": "user", "content": [
                {"type": "text", "text": "d"}, {"type": "image_url", "image_url": {"url": "data:,", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "data:,"}}]},
            {"role": "assistant", "content": null, "refusal": "No."},
            {"role": "assistant", "content": ""},
        ]),
    );
}

#[test]
fn messages_that_are_made_by_hand_have_the_parts_of_their_role() {
    let request = Request::new("m").item(Item::developer("a")).user("b").item(Item::assistant("c"));
    let message = |role: &str, part: &str, text: &str| json!({"type": "message", "role": role, "content": [{"type": part, "text": text}]});
    let (text, said) = ("input_text", "output_text");
    let expected =
        json!([message("developer", text, "a"), message("user", text, "b"), message("assistant", said, "c")]);
    assert_eq!(body(&request, Wire::Responses)["input"], expected);
    let message = |role: &str, text: &str| json!({"role": role, "content": text});
    let expected = json!([message("developer", "a"), message("user", "b"), message("assistant", "c")]);
    assert_eq!(body(&request, Wire::Chat)["messages"], expected);
}

#[test]
fn what_the_chat_wire_has_no_form_for_is_refused_by_name() {
    for (item, name) in [
        (json!({"type": "web_search_call", "id": "w"}), "web_search_call"),
        (
            json!({"type": "message", "role": "user", "content": [{"type": "input_file", "file_id": "f"}]}),
            "message/input_file",
        ),
        (
            json!({"type": "message", "role": "user", "content": [{"type": "input_image", "file_id": "f"}]}),
            "message/input_image",
        ),
    ] {
        let error = Request::new("m").item(Item::from_json(item).unwrap()).encode(Wire::Chat).unwrap_err();
        assert_eq!(error, EncodeError::Item(name.to_owned()));
        assert!(error.to_string().contains(name), "{error}");
    }
}

/// What an interpreter hands out can be sent back on its wire.
#[test]
fn the_items_of_an_answer_make_the_next_request() {
    let mut stream = Interpreter::new(Wire::Chat, InterpreterOptions::default());
    for payload in [
        r#"{"id":"r","choices":[{"index":0,"delta":{"reasoning":"Hm."}}]}"#,
        r#"{"id":"r","choices":[{"index":0,"delta":{"content":"Let me see."}}]}"#,
        r#"{"id":"r","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{}"}}]}}]}"#,
        "DONE",
    ] {
        stream.handle_event(None, payload.as_bytes());
    }
    assert!(matches!(stream.outcome(), Some(Outcome::Completed(_))));
    let items: Vec<Item> = std::iter::from_fn(|| stream.poll_event())
        .filter_map(|event| match event {
            TurnEvent::ItemDone(done) => Some(done.item),
            _ => None,
        })
        .collect();
    let call_id = items[2].as_call().unwrap().call_id.to_owned();
    let request = Request::new("m").items(items).item(Item::function_output(&call_id, "ok"));
    let messages = &body(&request, Wire::Chat)["messages"];
    assert_eq!(
        *messages,
        json!([
            {"role": "assistant", "content": "Let me see.", "reasoning": "Hm.", "tool_calls": [
                {"id": call_id, "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": call_id, "content": "ok"},
        ])
    );
    // What was noted for the Chat wire alone does not reach the other one.
    let input = &body(&request, Wire::Responses)["input"];
    assert_eq!(
        *input,
        json!([
            {"type": "message", "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": "Let me see."}]},
            {"type": "function_call", "call_id": call_id, "name": "f", "arguments": "{}", "status": "completed"},
            {"type": "function_call_output", "call_id": call_id, "output": "ok"},
        ])
    );
}
