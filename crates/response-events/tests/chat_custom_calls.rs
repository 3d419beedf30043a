//! Calls of custom tools on the Chat wire, whose input is any text.

mod common;

use common::{check_chat, interpreter};
use proptest::{collection::vec, prelude::*, sample::select};
use response_events::{Item, ItemKind, Request, SummaryBuilder, TurnEvent, Wire};
use serde_json::{Value, json};

/// The finished items of a stream.
fn items(payloads: &[String]) -> Vec<(u32, Item)> {
    let mut stream = interpreter(Wire::Chat);
    for payload in payloads {
        stream.handle_event(None, payload.as_bytes());
    }
    stream.handle_event(None, b"[DONE]");
    let events = std::iter::from_fn(|| stream.poll_event());
    let done = events.filter_map(|event| match event {
        TurnEvent::ItemDone(done) => Some((done.choice_index, done.item)),
        _ => None,
    });
    done.collect()
}

fn chunk(choice: u32, call: &Value) -> String {
    json!({"choices": [{"index": choice, "delta": {"tool_calls": [call]}}]}).to_string()
}

#[test]
fn a_custom_call_is_an_item_of_its_own_kind() {
    check_chat(
        r#"
        delta {"tool_calls":[{"index":0,"id":"c","type":"custom","custom":{"name":"shell","input":""}}]}
        delta {"tool_calls":[{"index":0,"custom":{"input":"ls -"}}]}
        delta {"tool_calls":[{"index":1,"id":"d","type":"function","function":{"name":"f","arguments":"{"}}]}
        delta {"tool_calls":[{"index":0,"custom":{"input":"l"}},{"index":1,"function":{"arguments":"}"}}]}
        delta1 {"tool_calls":[{"index":0,"id":"e","type":"custom","custom":{"name":"g","input":"{}"}}]}
        finish tool_calls
        finish1 tool_calls
        [DONE]
        "#,
        r#"
        created - -
        +0 custom c shell
        0 input "ls -"
        +1 call d f
        1 input "{"
        0 input "l"
        1 input "}"
        +2/c1 custom e g
        2/c1 input "{}"
        ~ finishing
        =0 custom c shell "ls -l" completed
        =1 call d f "{}" completed
        =2/c1 custom e g "{}" completed
        == completed - tool_calls
        sentinels=1
        "#,
    );
}

/// Checks the finished items of one choice, as `custom id name input` or `call id name arguments`.
#[track_caller]
fn check_calls(pieces: &[Value], expected: &[&str]) {
    let chunks: Vec<String> = pieces.iter().map(|piece| chunk(0, piece)).collect();
    let seen: Vec<String> = items(&chunks).iter().map(|(_, item)| common::item_text(item)).collect();
    let expected: Vec<String> = expected.iter().map(|call| format!("{call} completed")).collect();
    assert_eq!(seen, expected, "{pieces:?}");
}

#[test]
fn the_input_is_text_however_it_looks() {
    // Nothing of it is taken for a whole call that is said again, or for another one.
    for (input, whole) in [("{}", "{}{}"), ("}", "}}"), ("[1]", "[1][1]"), ("\n", "\n\n"), ("ä", "ää")] {
        check_calls(
            &[
                json!({"index": 0, "id": "c", "custom": {"name": "g", "input": input}}),
                json!({"index": 0, "custom": {"name": "g", "input": input}}),
            ],
            &[&format!("custom c g {whole:?}")],
        );
    }
}

#[test]
fn the_kind_may_come_late_and_in_company() {
    let nothing = json!({"name": "", "arguments": ""});
    for pieces in [
        // Whatever `type` says.
        [
            json!({"index": 0, "id": "c", "type": "function", "custom": {"name": "g", "input": "a"}}),
            json!({"index": 0, "type": "function", "function": nothing, "custom": {"name": "", "input": "b"}}),
        ],
        // By the type alone, and by nothing at first.
        [
            json!({"index": 0, "id": "c", "type": "custom", "function": nothing}),
            json!({"index": 0, "custom": {"name": "g", "input": "ab"}}),
        ],
        [json!({"index": 0, "id": "c"}), json!({"index": 0, "custom": {"name": "g", "input": "ab"}})],
        [
            json!({"id": "c", "custom": {"name": "g", "input": "a"}, "function": null}),
            json!({"custom": {"input": "b"}, "type": null}),
        ],
    ] {
        check_calls(&pieces, &[r#"custom c g "ab""#]);
    }
    // A function's call stays one beside an empty form of the other kind.
    check_calls(
        &[
            json!({"index": 0, "id": "c", "custom": {"name": "", "input": ""}, "function": {"name": "f", "arguments": "{"}}),
            json!({"index": 0, "custom": null, "function": {"arguments": "}"}}),
        ],
        &[r#"call c f "{}""#],
    );
}

#[test]
fn one_index_for_two_kinds_is_two_calls() {
    check_calls(
        &[
            json!({"index": 0, "function": {"name": "f", "arguments": "{}"}}),
            json!({"index": 0, "custom": {"name": "f", "input": "{}"}}),
            json!({"index": 0, "custom": {"input": "!"}}),
        ],
        &[r#"call call_0 f "{}""#, r#"custom call_1 f "{}!""#],
    );
}

#[test]
fn a_summary_has_custom_calls_among_the_calls_of_a_choice() {
    let mut stream = interpreter(Wire::Chat);
    stream.handle_event(None, chunk(0, &json!({"index": 4, "custom": {"name": "g", "input": "a"}})).as_bytes());
    stream.handle_event(None, b"[DONE]");
    let mut summary = SummaryBuilder::new();
    while let Some(event) = stream.poll_event() {
        summary.observe(&event);
    }
    let summary = summary.finish(Wire::Chat, stream.ledger(), None);
    let calls: Vec<_> = summary.choices[0].calls.iter().map(|call| (call.index, call.call().unwrap().name)).collect();
    assert_eq!(calls, [(4, "g")]);
}

/// One call of a stream: its choice, its kind, and its text in the pieces in which it comes.
#[derive(Clone, Debug)]
struct Call {
    choice: u32,
    is_custom: bool,
    pieces: Vec<String>,
}

fn call() -> impl Strategy<Value = Call> {
    let piece = select(vec!["", "{", "}", "{}", "\"a\":1", "text ", "\n", "é", "[DONE]"]).prop_map(str::to_owned);
    (0..3_u32, any::<bool>(), vec(piece, 0..6)).prop_map(|(choice, is_custom, mut pieces)| {
        if !is_custom {
            // What a function's arguments can be.
            pieces = pieces.iter().map(|piece| piece.replace(['{', '}'], "")).collect();
        }
        Call { choice, is_custom, pieces }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn calls_of_both_kinds_come_together_from_any_pieces(
        calls in vec(call(), 1..5),
        order in vec(any::<prop::sample::Index>(), 40),
    ) {
        let form = |call: &Call, name: Option<&str>, text: &str| {
            let mut form = json!({if call.is_custom { "input" } else { "arguments" }: text});
            if let Some(name) = name {
                form["name"] = json!(name);
            }
            form
        };
        let key = |call: &Call| if call.is_custom { "custom" } else { "function" };
        // Each call opens in turn; then their pieces come in any order among the calls.
        let mut chunks: Vec<String> = calls.iter().enumerate().map(|(at, call)| {
            let key = key(call);
            chunk(call.choice, &json!({"index": at, "id": format!("c{at}"), "type": key, key: form(call, Some("t"), "")}))
        }).collect();
        let mut rest: Vec<_> = calls.iter().map(|call| call.pieces.iter()).collect();
        for index in order {
            let left: Vec<usize> = (0..rest.len()).filter(|at| rest[*at].len() > 0).collect();
            if left.is_empty() {
                break;
            }
            let at = *index.get(&left);
            let text = rest[at].next().unwrap();
            chunks.push(chunk(calls[at].choice, &json!({"index": at, key(&calls[at]): form(&calls[at], None, text)})));
        }
        let seen = items(&chunks);
        prop_assert_eq!(seen.len(), calls.len());
        for ((choice, item), (at, call)) in seen.iter().zip(calls.iter().enumerate()) {
            prop_assert_eq!(*choice, call.choice);
            prop_assert_eq!(matches!(item.kind(), ItemKind::CustomToolCall(_)), call.is_custom);
            let (id, text) = (format!("c{at}"), call.pieces.concat());
            let seen = item.as_call().unwrap();
            prop_assert_eq!((seen.call_id, seen.name, seen.arguments), (&*id, "t", &*text));
        }
    }
}

/// What the stream brings goes back as it came.
#[test]
fn a_custom_call_and_its_output_make_the_next_request() {
    let first = r#"{"id":"r","choices":[{"index":0,"delta":{"content":"Let me see."}}]}"#.to_owned();
    let calls = [
        json!({"index": 0, "id": "c", "type": "custom", "custom": {"name": "shell", "input": "ls"}}),
        json!({"index": 1, "id": "d", "type": "function", "function": {"name": "f", "arguments": "{}"}}),
        json!({"index": 0, "custom": {"input": " -l"}}),
    ];
    let payloads: Vec<String> = std::iter::once(first).chain(calls.iter().map(|call| chunk(0, call))).collect();
    let answer = items(&payloads).into_iter().map(|(_, item)| item);
    let tool = json!({"type": "custom", "custom": {"name": "shell"}});
    let request = Request::new("m")
        .tool(tool.clone())
        .items(answer)
        .item(Item::custom_tool_output("c", "a\nb"))
        .item(Item::function_output("d", "ok"));
    let body: Value = serde_json::from_slice(&request.encode(Wire::Chat).unwrap()).unwrap();
    assert_eq!(body["tools"], json!([tool]));
    assert_eq!(
        body["messages"],
        json!([
            {"role": "assistant", "content": "Let me see.", "tool_calls": [
                {"id": "c", "type": "custom", "custom": {"name": "shell", "input": "ls -l"}},
                {"id": "d", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            ]},
            {"role": "tool", "tool_call_id": "c", "content": "a\nb"},
            {"role": "tool", "tool_call_id": "d", "content": "ok"},
        ])
    );
}
