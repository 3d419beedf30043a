//! The agent against services that do what services do.

use std::{path::Path, time::Duration};

use codex_api::{Client, Environment, Item, Provider, RetryPolicy};
use serde_json::{Value, json};
use stream_replay::{ReplayServer, Response};

use crate::{
    agent::{End, MAX_ROUNDS, run_turn},
    conversation::Conversation,
    service::{self, answer, completed, function},
};

/// One turn: how it ended, what was shown, and what is in the file.
async fn turn(server: &ReplayServer, file: &Path, prompt: &str) -> (End, String, Vec<Value>) {
    let blink = Duration::from_nanos(1);
    let at_once = RetryPolicy::new().with_base(blink).with_cap(blink).with_reconnect_lone(blink);
    let client = Client::builder(Provider::new(&server.base_url()).unwrap())
        .retry(at_once)
        .environment(Environment::empty())
        .build()
        .unwrap();
    let mut conversation = Conversation::load(file).unwrap();
    let mut shown = Vec::new();
    let end = run_turn(&client.session(), &mut conversation, prompt, &mut shown).await.unwrap();
    let saved = Conversation::load(file).unwrap();
    assert_eq!(saved.items(), conversation.items());
    (end, String::from_utf8(shown).unwrap(), saved.items().iter().cloned().map(Item::into).collect())
}

/// A service that says one thing.
async fn saying(response: Response) -> ReplayServer {
    ReplayServer::builder().respond(response).start().await.unwrap()
}

fn outputs(items: &[Value]) -> Vec<&str> {
    items.iter().filter_map(|item| item["output"].as_str()).collect()
}

#[tokio::test]
async fn a_turn_voids_what_was_cut_makes_its_calls_and_goes_on_another_day() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("talk.json");
    let server = service::start().await.unwrap();
    let (end, shown, items) = turn(&server, &file, service::PROMPT).await;
    assert_eq!(end, End::Answered);
    let (void, rest) = shown.split_once("]\n").unwrap();
    let expected = "I guess that \n[what came so far is void; trying again (2 of 9) in 0.0 s: ";
    assert!(void.starts_with(expected), "{shown}");
    assert_eq!(
        rest,
        "Let me look that up.\n\
         [population {\"city\":\"Oslo\"} -> 717710]\n\
         [population {\"city\":\"Bergen\"} -> 291940]\n\
         [distance {\"from\":\"Oslo\",\"to\":\"Bergen\"} -> 305]\n\
         [calc 717710 + 291940 -> 1009650]\n\
         1009650 people live there, and the cities are 305 km apart.\n"
    );
    let types: Vec<&str> = items.iter().map(|item| item["type"].as_str().unwrap()).collect();
    let [message, call, output] = ["message", "function_call", "function_call_output"];
    let expected = [message, message, call, call, call, output, output, output]; // nothing of what was void
    assert_eq!(types[..8], expected);
    assert_eq!(types[8..], ["custom_tool_call", "custom_tool_call_output", message]);

    let server = saying(answer("Bye.", &[], &completed())).await;
    let (end, shown, more) = turn(&server, &file, "Thanks.").await;
    assert_eq!((end, shown.as_str()), (End::Answered, "Bye.\n"));
    let input = server.requests()[0].json().unwrap()["input"].take();
    assert_eq!(input.as_array().unwrap()[..], more[..=items.len()]);
    assert_eq!((&more[..items.len()], more.len()), (&items[..], items.len() + 2));
}

#[tokio::test]
async fn calls_that_were_cut_are_neither_made_nor_kept() {
    let oslo = || function("call_1", "population", &json!({"city": "Oslo"}));
    let mut cut = oslo();
    cut["status"] = "incomplete".into();
    let incomplete =
        json!({"type": "response.incomplete", "response": {"incomplete_details": {"reason": "max_output_tokens"}}});
    let done = answer("Done.", &[], &completed());
    let cut_at_the_end = End::Incomplete("max_output_tokens".into());
    let rows = [
        (answer("", &[oslo(), cut.clone()], &incomplete), cut_at_the_end, vec![]),
        (answer("", &[cut.clone()], &completed()), End::Answered, vec![]),
        (answer("", &[oslo(), cut], &completed()), End::Answered, vec!["717710"]),
    ];
    for (first, expected, output) in rows {
        let folder = tempfile::tempdir().unwrap();
        let server = ReplayServer::builder().respond(first).respond(done.clone()).start().await.unwrap();
        let (end, _, items) = turn(&server, &folder.path().join("talk.json"), "Hi").await;
        assert_eq!((end, outputs(&items)), (expected, output));
        let calls = items.iter().filter(|item| item["type"] == "function_call").count();
        assert_eq!(calls, outputs(&items).len());
    }
}

#[tokio::test]
async fn a_model_that_goes_on_calling_is_asked_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let server = saying(answer("", &[function("call_1", "nonsense", &json!({}))], &completed())).await;
    let (end, _, items) = turn(&server, &folder.path().join("talk.json"), "Hi").await;
    assert_eq!((end, server.requests().len()), (End::OutOfRounds, MAX_ROUNDS));
    assert_eq!(outputs(&items), ["error: there is no tool \"nonsense\""; MAX_ROUNDS]);
}
