//! What holds for every sequence of payloads, sensible or not.

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use proptest::{prelude::*, sample::select};
use response_events::{
    ChatHistory, Interpreter, InterpreterOptions, ItemKind, Request, Summary, SummaryBuilder, Transcript, TurnEvent,
    Wire,
};
use serde_json::Value;

/// A payload as it is fed: the event name, the data.
type Payload = (Option<&'static str>, Data);

/// Bytes that a failing test shows as text.
#[derive(Clone)]
struct Data(Vec<u8>);

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(&self.0), f)
    }
}

/// What one stream gave.
struct Run {
    events: Vec<TurnEvent>,
    summary: Summary,
}

/// Feeds the payloads, closes the connection, and checks what holds on both wires.
fn run(wire: Wire, payloads: &[Payload]) -> Run {
    let mut stream = Interpreter::new(wire, InterpreterOptions::default());
    let mut events: Vec<TurnEvent> = Vec::new();
    let mut outcome = None;
    for at in 0..=payloads.len() {
        match payloads.get(at) {
            Some((name, data)) => stream.handle_event(*name, &data.0),
            None => stream.handle_end(),
        }
        let new: Vec<TurnEvent> = std::iter::from_fn(|| stream.poll_event()).collect();
        assert!(outcome.is_none() || new.is_empty(), "events after the outcome: {new:?}");
        events.extend(new);
        match (&outcome, stream.outcome()) {
            (None, Some(settled)) => outcome = Some(settled.clone()),
            (known, now) => assert_eq!(known.as_ref(), now, "the outcome changed"),
        }
        assert!(!(stream.is_finishing() && outcome.is_some()), "finishing after the end");
    }
    let outcome = outcome.expect("an outcome at the end");
    let ledger = stream.ledger();
    assert_eq!(ledger.events, payloads.len() as u64);
    assert_eq!(ledger.dropped(), 0, "a payload that nobody accounts for: {ledger:?}");
    let bytes = payloads.iter().map(|(_, data)| data.0.len() as u64).sum::<u64>();
    let cuts_sentinels = wire == Wire::Chat && ledger.done_sentinels > 0;
    assert!(ledger.payload_bytes == bytes || cuts_sentinels && ledger.payload_bytes < bytes, "{ledger:?} {bytes}");

    let count = |wanted: fn(&TurnEvent) -> bool| events.iter().filter(|event| wanted(event)).count() as u64;
    assert_eq!(ledger.unknown, count(|event| matches!(event, TurnEvent::Unknown(_))));
    let malformed = count(|event| matches!(event, TurnEvent::Malformed(_)));
    assert!(malformed == ledger.malformed || malformed < ledger.malformed && ledger.after_terminal > 0);
    assert!(!events.iter().any(TurnEvent::is_terminal), "the terminal event is the outcome alone");

    let failure = outcome.failure();
    let mut summary = SummaryBuilder::new();
    let mut transcript = Transcript::new();
    for event in &events {
        summary.observe(event);
        let json = serde_json::to_string(event).expect("every event has a JSON form");
        assert!(!json.contains('\n'), "{json}");
        let line = transcript.event(None, event);
        assert_eq!(line.matches('\n').count(), 1, "{line:?}");
        assert!(!line.trim_end_matches('\n').contains(char::is_control), "{line:?}");
    }
    assert_eq!(transcript.end(failure.as_ref(), ledger).matches('\n').count(), 2);
    let summary = summary.finish(wire, ledger, failure.as_ref());
    Run { events, summary }
}

impl Run {
    /// Each place of the answer is done once at most, and no delta is empty.
    fn check_items(&self) {
        let mut done = BTreeSet::new();
        for event in &self.events {
            match event {
                TurnEvent::ItemDone(event) => assert!(done.insert(event.output_index), "{event:?} twice"),
                TurnEvent::TextDelta(delta)
                | TurnEvent::RefusalDelta(delta)
                | TurnEvent::ReasoningDelta(delta)
                | TurnEvent::ReasoningSummaryDelta(delta)
                | TurnEvent::ToolInputDelta(delta) => assert!(!delta.text.is_empty(), "an empty delta"),
                _ => {}
            }
        }
    }

    /// In Chat items open and end in order, one end for each opening, and their text is that of the deltas.
    fn check_chat_items(&self) {
        let (mut added, mut done) = (Vec::new(), Vec::new());
        let mut deltas: BTreeMap<u32, String> = BTreeMap::new();
        let mut call_ids = BTreeSet::new();
        for event in &self.events {
            match event {
                TurnEvent::ItemAdded(event) => added.push((event.output_index, event.choice_index)),
                TurnEvent::ItemDone(event) => {
                    done.push((event.output_index, event.choice_index));
                    let text = match event.item.kind() {
                        ItemKind::Message(message) => message.text + &message.refusal.unwrap_or_default(),
                        ItemKind::Reasoning(reasoning) => reasoning.text,
                        ItemKind::FunctionCall(call) | ItemKind::CustomToolCall(call) => {
                            assert!(!call.call_id.is_empty(), "a call without an id");
                            call_ids.insert(event.output_index);
                            call.arguments.to_owned()
                        }
                        other => panic!("{other:?}"),
                    };
                    let seen = deltas.remove(&event.output_index).unwrap_or_default();
                    // Text and refusals may alternate: the item's view sorts them apart.
                    let sorted = |text: &str| {
                        let mut chars: Vec<char> = text.chars().collect();
                        chars.sort_unstable();
                        chars
                    };
                    assert_eq!(sorted(&seen), sorted(&text), "{event:?}");
                    assert!(matches!(event.item.status(), Some("completed" | "incomplete")));
                }
                TurnEvent::TextDelta(delta)
                | TurnEvent::RefusalDelta(delta)
                | TurnEvent::ReasoningDelta(delta)
                | TurnEvent::ToolInputDelta(delta) => {
                    assert!(added.contains(&(delta.output_index, delta.choice_index)), "{delta:?} before its item");
                    assert!(!done.contains(&(delta.output_index, delta.choice_index)), "{delta:?} after its item");
                    deltas.entry(delta.output_index).or_default().push_str(&delta.text);
                }
                _ => {}
            }
        }
        assert_eq!(added, done);
        assert!(added.iter().map(|(index, _)| *index).eq(0..added.len() as u32), "{added:?}");
        assert!(deltas.is_empty());
        assert_eq!(self.summary.items.len(), done.len());
    }
}

/// Checks that the objects in a list have no other members than these.
#[track_caller]
fn check_members(list: &Value, known: &[&str]) {
    for object in list.as_array().into_iter().flatten() {
        let members = object.as_object().expect("a list of objects");
        assert!(members.keys().all(|key| known.contains(&key.as_str())), "{object}");
    }
}

impl Run {
    /// The items of a Chat answer, sent back, have only members that the API of the wire knows.
    fn check_sent_back(&self) {
        let request = Request::new("m").items(self.summary.items.clone()).chat_history(ChatHistory::Standard);
        let body =
            |wire| -> Value { serde_json::from_slice(&request.encode(wire).expect("items have forms")).unwrap() };
        let input = &body(Wire::Responses)["input"];
        check_members(input, &["type", "role", "content", "status", "call_id", "name", "arguments", "input"]);
        for item in input.as_array().into_iter().flatten() {
            assert_ne!(item["type"], "reasoning");
            check_members(&item["content"], &["type", "text", "refusal"]);
        }
        let messages = &body(Wire::Chat)["messages"];
        check_members(messages, &["role", "content", "refusal", "tool_calls"]);
        for message in messages.as_array().into_iter().flatten() {
            assert!(message["content"].is_string() || message["content"].is_null(), "{message}");
            check_members(&message["tool_calls"], &["id", "type", "function", "custom"]);
        }
    }
}

fn name() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![8 => Just(None), 1 => Just(Some("message")), 1 => Just(Some("error"))]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-c]{0,3}",
        1 => select(vec!["DONE", "[DONE]", "{}", "\n", "é", "\u{1f600}", "\u{7}", "\"", "{\"a\":1}"]).prop_map(str::to_owned),
    ]
    .prop_map(|text| serde_json::to_string(&text).unwrap())
}

/// Payloads that are nothing on either wire, or end it.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let known = select(vec![
        "",
        ":",
        ": x",
        "{",
        "{}",
        "[]",
        "null",
        "1",
        "\"x\"",
        "<p>",
        "{\"type\":",
        "{\"type\":\"new\\nline\"}",
        "{\"type\":\"\\u001b[2J\",\"x-codex-turn-state\":\"s\"}",
        "{\"error\":null}",
        "DONE x",
        "{}{}",
        "\n\n",
        "{\"type\":\"keepalive\",\n\"a\":\r\n1}",
        "{\"type\":\"keepalive\",\"a\":\"\\ud800 \\u00e9\"}",
    ])
    .prop_map(|text| text.as_bytes().to_vec());
    prop_oneof![4 => known, 1 => proptest::collection::vec(any::<u8>(), 0..12)]
}

fn sentinel() -> impl Strategy<Value = Vec<u8>> {
    select(vec!["DONE", "[DONE]", " [DONE]\n"]).prop_map(|text| text.as_bytes().to_vec())
}

fn maybe(key: &'static str, value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    prop_oneof![2 => Just(String::new()), 1 => value.prop_map(move |value| format!("{key:?}:{value},"))]
}

fn tool_call() -> impl Strategy<Value = String> {
    let index = select(vec!["0", "1", "2", "null", "\"x\"", "-1"]).prop_map(str::to_owned);
    let id = select(vec!["a", "b", "c", ""]).prop_map(|id| format!("{id:?}"));
    let called = select(vec!["f", "g", ""]).prop_map(|name| format!("{name:?}"));
    let arguments = prop_oneof![text(), Just("{\"a\":1}".to_owned()), Just("null".to_owned())];
    let form = prop_oneof![4 => Just(("function", "arguments")), 1 => Just(("custom", "input"))];
    (maybe("index", index), maybe("id", id), maybe("name", called), arguments, form).prop_map(
        |(index, id, name, arguments, (form, field))| {
            format!(r#"{{{index}{id}"type":"{form}","{form}":{{{name}"{field}":{arguments},"x":0}}}}"#)
        },
    )
}

const SIGNED: &str = r#"{"google":{"thought_signature":"s"}}"#;

fn chat_delta() -> impl Strategy<Value = String> {
    let parts = text().prop_map(|text| {
        format!(r#"[{{"type":"thinking","thinking":[{{"type":"text","text":{text}}}]}},{{"type":"text","text":{text}}},{{"type":"new"}}]"#)
    });
    let content = prop_oneof![3 => text(), 1 => parts, 1 => Just("null".to_owned()), 1 => Just("7".to_owned())];
    let details = select(vec![
        "[]",
        "null",
        "[1]",
        r#"[{"type":"reasoning.text","index":0,"text":"x"}]"#,
        r#"[{"type":"reasoning.encrypted","data":"y"}]"#,
        r#"{"type":"reasoning.encrypted","data":"z"}"#,
    ])
    .prop_map(str::to_owned);
    let calls = proptest::collection::vec(tool_call(), 0..3).prop_map(|calls| format!("[{}]", calls.join(",")));
    (
        maybe("content", content),
        maybe("reasoning", text()),
        maybe("reasoning_content", prop_oneof![3 => text(), 1 => text().prop_map(|text| format!("[{text}]"))]),
        maybe("refusal", text()),
        maybe("reasoning_details", details),
        maybe("tool_calls", calls),
        maybe("reasoning_encrypted", select(vec!["true", "false", "null"]).prop_map(str::to_owned)),
        maybe("extra_content", select(vec!["null", "{}", SIGNED]).prop_map(str::to_owned)),
    )
        .prop_map(|(content, reasoning, thinking, refusal, details, calls, encrypted, extra)| {
            format!(
                r#"{{{content}{reasoning}{thinking}{refusal}{details}{calls}{encrypted}{extra}"role":"assistant"}}"#
            )
        })
}

fn chat_chunk() -> impl Strategy<Value = Vec<u8>> {
    let finish = select(vec!["null", "\"\"", "\"stop\"", "\"length\"", "\"tool_calls\"", "\"error\""]);
    let finish = prop_oneof![9 => Just("null"), 1 => finish];
    let delta = prop_oneof![9 => chat_delta(), 1 => Just("null".to_owned())];
    let choice = (select(vec!["0", "0", "0", "1", "null"]), delta, finish, maybe("text", text())).prop_map(
        |(index, delta, finish, text)| format!(r#"{{"index":{index},{text}"delta":{delta},"finish_reason":{finish}}}"#),
    );
    let choices = proptest::collection::vec(choice, 0..3).prop_map(|choices| format!("[{}]", choices.join(",")));
    let error = select(vec!["null", "{}", "\"no\"", r#"{"code":"x","message":"m"}"#]).prop_map(str::to_owned);
    let error = prop_oneof![19 => Just("null".to_owned()), 1 => error];
    let usage = select(vec!["null", r#"{"prompt_tokens":1}"#]).prop_map(str::to_owned);
    (choices, error, maybe("usage", usage), maybe("id", text())).prop_map(|(choices, error, usage, id)| {
        format!(r#"{{{id}{usage}"choices":{choices},"error":{error}}}"#).into_bytes()
    })
}

fn responses_event() -> impl Strategy<Value = Vec<u8>> {
    let index = select(vec!["0", "1", "2", "5", "null", "\"x\""]).prop_map(str::to_owned);
    let id = select(vec!["a", "b", "c", ""]).prop_map(|id| format!("{id:?}"));
    let item = (
        select(vec!["message", "reasoning", "function_call", "new"]),
        maybe("id", id.clone()),
        maybe("call_id", id.clone()),
    )
        .prop_map(|(item_type, id, call_id)| format!(r#"{{{id}{call_id}"type":"{item_type}"}}"#))
        .boxed();
    let event_type = select(vec![
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.output_item.added",
        "response.output_item.done",
        "response.output_item.done",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.function_call_arguments.delta",
        "response.reasoning_text.delta",
        "response.metadata",
        "codex.rate_limits",
        "brand.new",
        "bad\ttype",
    ]);
    let terminal =
        select(vec!["response.completed", "response.incomplete", "response.failed", "error", "response.cancelled"]);
    let event_type = prop_oneof![30 => event_type, 1 => terminal];
    let output = proptest::collection::vec(item.clone(), 0..4).prop_map(|items| items.join(","));
    (event_type, maybe("output_index", index), maybe("item_id", id), maybe("delta", text()), item, output).prop_map(
        |(event_type, index, id, delta, item, output)| {
            let event_type = serde_json::to_string(event_type).unwrap();
            format!(
                r#"{{"type":{event_type},{index}{id}{delta}"item":{item},"headers":{{"x-codex-turn-state":"s"}},"response":{{"id":"r","output":[{output}]}}}}"#
            )
            .into_bytes()
        },
    )
}

fn payloads(wire: impl Strategy<Value = Vec<u8>> + 'static) -> impl Strategy<Value = Vec<Payload>> {
    let data = prop_oneof![30 => wire.boxed(), 3 => noise().boxed(), 1 => sentinel().boxed()].prop_map(Data).boxed();
    // Names are rare where they would end most streams.
    let payload = prop_oneof![
        20 => data.clone().prop_map(|data| (None, data)),
        1 => (name(), data),
    ];
    proptest::collection::vec(payload, 0..24)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_chat_stream_keeps_its_promises_whatever_comes(payloads in payloads(chat_chunk())) {
        let run = run(Wire::Chat, &payloads);
        run.check_items();
        run.check_chat_items();
        run.check_sent_back();
    }

    #[test]
    fn a_responses_stream_keeps_its_promises_whatever_comes(payloads in payloads(responses_event())) {
        run(Wire::Responses, &payloads).check_items();
    }

    #[test]
    fn a_stream_of_the_other_wire_does_no_harm(
        chat in payloads(chat_chunk()),
        responses in payloads(responses_event()),
    ) {
        run(Wire::Responses, &chat).check_items();
        run(Wire::Chat, &responses).check_chat_items();
    }

    #[test]
    fn what_follows_the_end_changes_nothing_but_counts(
        payloads in payloads(responses_event()),
        late in payloads(responses_event()),
    ) {
        let mut payloads = payloads;
        payloads.push((None, Data(br#"{"type":"response.completed"}"#.to_vec())));
        let first = run(Wire::Responses, &payloads);
        let mut longer = payloads.clone();
        longer.extend(late);
        let second = run(Wire::Responses, &longer);
        prop_assert_eq!(&first.events, &second.events);
        prop_assert_eq!(first.summary.outcome, second.summary.outcome);
        prop_assert_eq!(&first.summary.ledger.usage, &second.summary.ledger.usage);
        prop_assert_eq!(&first.summary.ledger.response_id, &second.summary.ledger.response_id);
    }
}
