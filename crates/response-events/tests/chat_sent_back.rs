//! What a Chat service wants back with a call or a message, and has no field for on the other wire.

mod common;

use common::interpreter;
use response_events::{Item, Request, TurnEvent, Wire};
use serde_json::{Value, json};

/// The finished items of the deltas, and the messages that they become in the next request.
fn follow_up(deltas: &[Value]) -> (Vec<Item>, Value) {
    let mut stream = interpreter(Wire::Chat);
    for delta in deltas {
        let chunk = json!({"choices": [{"index": 0, "delta": delta}]});
        stream.handle_event(None, chunk.to_string().as_bytes());
    }
    stream.handle_event(None, b"[DONE]");
    let events = std::iter::from_fn(|| stream.poll_event());
    let items: Vec<Item> = events
        .filter_map(|event| match event {
            TurnEvent::ItemDone(done) => Some(done.item),
            TurnEvent::Other(other) => {
                assert_eq!(other.event, "members extra_content", "of a delta, which may say more than goes back");
                None
            }
            _ => None,
        })
        .collect();
    // As they are kept between two processes.
    let items: Vec<Item> = serde_json::from_str(&serde_json::to_string(&items).unwrap()).unwrap();
    let request = Request::new("m").items(items.clone()).encode(Wire::Chat).unwrap();
    let body: Value = serde_json::from_slice(&request).unwrap();
    (items, body["messages"].clone())
}

#[track_caller]
fn check(pieces: &[Value], expected: &[Value]) {
    let deltas: Vec<Value> = pieces.iter().map(|piece| json!({"tool_calls": [piece]})).collect();
    let calls = follow_up(&deltas).1[0]["tool_calls"].take();
    let extras: Vec<Value> = calls.as_array().unwrap().iter().map(|call| call["extra_content"].clone()).collect();
    assert_eq!(extras, expected, "{calls}");
}

#[test]
fn a_signature_goes_back_with_its_call() {
    let signed = |signature: &str| json!({"google": {"thought_signature": signature, "n": 1.50}});
    let whole = |id: &str| json!({"index": 0, "id": id, "function": {"name": "f", "arguments": "{}"}});
    let with = |mut piece: Value, extra: Value| {
        piece["extra_content"] = extra;
        piece
    };
    // Of calls side by side the first has one.
    check(&[with(whole("a"), signed("s")), whole("b")], &[signed("s"), Value::Null]);
    // On whatever piece it comes, the first one counts.
    let piece = |arguments: &str| json!({"index": 0, "function": {"arguments": arguments}});
    let named = json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}});
    check(&[named.clone(), with(piece("{"), signed("s")), piece("}")], &[signed("s")]);
    check(&[named.clone(), with(piece("{}"), signed("s")), with(piece(""), signed("t"))], &[signed("s")]);
    check(&[named.clone(), piece("{}"), json!({"index": 0, "extra_content": signed("s")})], &[signed("s")]);
    // What says nothing is none.
    for nothing in [json!(null), json!(""), json!({})] {
        check(&[with(named.clone(), nothing), with(piece("{}"), signed("s"))], &[signed("s")]);
    }
    // Custom tools, and the reader of what is unusual.
    let custom = json!({"index": 0, "id": "c", "type": "custom", "custom": {"name": "g", "input": "x"}});
    check(&[with(custom, signed("s"))], &[signed("s")]);
    check(&[with(whole("a"), json!("text"))], &[json!("text")]);
}

#[test]
fn the_signature_of_a_text_goes_back_with_its_message() {
    let signed = |signature: &str| json!({"google": {"thought_signature": signature}});
    let call = json!({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}]});
    let of_call = json!({"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let thought = json!({"content": "<thought>", "extra_content": {"google": {"thought": true}}});
    for (deltas, expected) in [
        // Behind the text, where it mostly comes; the last one counts.
        (
            vec![json!({"content": "a"}), json!({"content": "", "extra_content": signed("s")})],
            json!([{"role": "assistant", "content": "a", "extra_content": signed("s")}]),
        ),
        (
            vec![
                json!({"content": "a", "extra_content": signed("s")}),
                json!({"content": "b"}),
                json!({"extra_content": {"vertex": {"thought_signature": "t"}}}),
            ],
            json!([{"role": "assistant", "content": "ab", "extra_content": {"vertex": {"thought_signature": "t"}}}]),
        ),
        // Before it.
        (
            vec![json!({"reasoning": "r"}), json!({"extra_content": signed("s")}), json!({"content": "a"})],
            json!([{"role": "assistant", "reasoning": "r", "content": "a", "extra_content": signed("s")}]),
        ),
        (
            vec![json!({"content": "a", "extra_content": signed("s")}), call.clone()],
            json!([{"role": "assistant", "content": "a", "extra_content": signed("s"), "tool_calls": [of_call]}]),
        ),
        // Without a text, and where it signs nothing.
        (
            vec![json!({"extra_content": signed("s")}), call],
            json!([{"role": "assistant", "content": null, "tool_calls": [of_call]}]),
        ),
        (
            vec![thought.clone(), json!({"content": "a", "extra_content": {"google": {"thought_signature": ""}}})],
            json!([{"role": "assistant", "content": "<thought>a"}]),
        ),
        (
            vec![thought, json!({"extra_content": signed("s")}), json!({"extra_content": "text"})],
            json!([{"role": "assistant", "content": "<thought>", "extra_content": signed("s")}]),
        ),
    ] {
        assert_eq!(follow_up(&deltas).1, expected);
    }
}

#[test]
fn an_opaque_block_of_reasoning_goes_back_behind_its_text() {
    let deltas = [
        json!({"reasoning_content": "a", "reasoning_encrypted": false}),
        json!({"reasoning_content": "=block=", "reasoning_encrypted": true}),
        json!({"reasoning_content": "b", "reasoning_encrypted": false}),
        json!({"content": "c", "reasoning_encrypted": false}),
    ];
    let message = json!({"role": "assistant", "reasoning_content": "ab=block=", "content": "c"});
    assert_eq!(follow_up(&deltas).1, json!([message]));
}

#[test]
fn it_stays_on_its_wire() {
    let call = json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}, "extra_content": {"x": 1}});
    let (items, _) = follow_up(&[json!({"tool_calls": [call]})]);
    assert_eq!(items[0].as_json()["chat"]["extra_content"], json!({"x": 1}));
    let body = Request::new("m").items(items).encode(Wire::Responses).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let call = json!({"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}", "status": "completed"});
    assert_eq!(body["input"], json!([call]));
}

#[test]
fn outputs_are_of_the_kind_of_their_call() {
    for (call, output) in [
        (json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}), "function_call_output"),
        (json!({"type": "custom_tool_call", "call_id": "c", "name": "f", "input": "x"}), "custom_tool_call_output"),
    ] {
        let item = Item::from_json(call).unwrap();
        let answer = item.as_call().unwrap().output("o");
        assert_eq!(Value::from(answer), json!({"type": output, "call_id": "c", "output": "o"}));
    }
}
