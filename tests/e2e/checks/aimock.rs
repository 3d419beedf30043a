//! A service that others wrote: what its answers mean must not depend on how ours write them.

use std::time::Duration;

use codex_api::{
    Client, ClientBuilder, Error, FailureKind, Item, Request, Timeouts, Transport, TurnEvent, Usage, Wire,
};
use serde_json::json;

use super::{Check, check};
use crate::client::attempts;
use crate::peers::Service;
use crate::support::{drain, impatient};

/// What is spoken with the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Api {
    Chat,
    Responses,
    Socket,
}

pub(super) fn checks() -> Vec<Check<Service>> {
    let mut checks = Vec::new();
    checks.extend(all("a turn of text", text));
    checks.extend(all("a tool call and its follow-up", tool_call));
    checks.extend(all("an error that no retry helps", fatal));
    checks.extend(all("an error that a retry helps", passing));
    checks.extend(all("too many requests", too_many));
    checks.extend(all("a stream that breaks off", broken_off));
    checks.extend(all("a silent service", silent));
    checks.push(check("Chat: a connection that is dropped", |service| hung_up(service, Api::Chat)));
    checks.push(check("Responses: a connection that is dropped", |service| hung_up(service, Api::Responses)));
    checks
}

/// A check with each API.
fn all<F>(name: &str, run: fn(Service, Api) -> F) -> [Check<Service>; 3]
where
    F: Future<Output = ()> + Send + 'static,
{
    [(Api::Chat, "Chat"), (Api::Responses, "Responses"), (Api::Socket, "WebSocket")]
        .map(|(api, shown)| check(format!("{shown}: {name}"), move |service| run(service, api)))
}

fn builder(service: &Service, api: Api) -> ClientBuilder {
    let builder = impatient(&service.base_url).header("x-test-id", &service.test_id).unwrap().retry(attempts(3));
    match api {
        Api::Chat => builder.wire(Wire::Chat),
        Api::Responses => builder,
        Api::Socket => builder.transport(Transport::WebSocket),
    }
}

fn client(service: &Service, api: Api) -> Client {
    builder(service, api).build().unwrap()
}

fn request(prompt: &str) -> Request {
    // A reasoning model would get reasoning that nobody wrote.
    Request::new("gpt-4o").user(prompt)
}

async fn ask(client: &Client, prompt: &str) -> (Vec<TurnEvent>, Option<Error>) {
    drain(client.session().begin_turn().stream(request(prompt))).await
}

fn text_of(events: &[TurnEvent]) -> String {
    let last = crate::client::last_attempt(events).into_iter().filter_map(|event| match event {
        TurnEvent::TextDelta(delta) => Some(delta.text),
        _ => None,
    });
    last.collect()
}

fn retries(events: &[TurnEvent]) -> Vec<(u32, FailureKind, bool)> {
    let retries = events.iter().filter_map(|event| match event {
        TurnEvent::Retry(retry) => Some((retry.attempt, retry.reason, retry.discarded)),
        _ => None,
    });
    retries.collect()
}

async fn text(service: Service, api: Api) {
    let expected = "Grüezi, a “long” enough answer to come in several pieces. 👋";
    let client = client(&service, api);
    let (events, error) = ask(&client, "Say hello").await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(text_of(&events), expected);
    assert!(events.iter().filter(|event| matches!(event, TurnEvent::TextDelta(_))).count() > 1);
    let misread: Vec<_> =
        events.iter().filter(|event| matches!(event, TurnEvent::Malformed(_) | TurnEvent::Unknown(_))).collect();
    assert!(misread.is_empty(), "{misread:?}");
    let answer = client.session().begin_turn().stream(request("Say hello")).collect().await.unwrap();
    assert_eq!((answer.text().as_str(), answer.items.len()), (expected, 1));
    assert_eq!(answer.incomplete_reason, None);
    assert_eq!(answer.response.usage.as_ref().and_then(Usage::total_tokens), Some(18));
}

async fn tool_call(service: Service, api: Api) {
    let turn = client(&service, api).session().begin_turn();
    let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let tool = json!({"type": "function", "name": "weather", "parameters": parameters});
    let request = request("What is the weather in Bern?").tool(tool);
    let answer = turn.stream(request.clone()).collect().await.unwrap();
    let calls: Vec<_> = answer.calls().collect();
    assert_eq!(calls.len(), 1, "{:?}", answer.items);
    assert_eq!((calls[0].name, calls[0].call_id), ("weather", "call_weather"));
    let arguments: serde_json::Value = serde_json::from_str(calls[0].arguments).unwrap();
    assert_eq!(arguments, json!({"city": "Bern", "unit": "°C"}));
    let output = Item::function_output(calls[0].call_id, "21 degrees");
    let follow_up = request.items(answer.items.clone()).item(output);
    assert_eq!(turn.stream(follow_up).collect().await.unwrap().text(), "It is 21 °C in Bern.");
}

async fn fatal(service: Service, api: Api) {
    let (events, error) = ask(&client(&service, api), "Be flagged").await;
    let error = error.expect("a failure");
    assert_eq!(
        (error.kind(), error.code(), error.message()),
        (FailureKind::Api, Some("invalid_prompt"), "Flagged as unsafe.")
    );
    assert_eq!((error.attempts(), error.is_retryable()), (1, false));
    assert_eq!(retries(&events), []);
}

async fn passing(service: Service, api: Api) {
    let (events, error) = ask(&client(&service, api), "Fail once").await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(retries(&events), [(2, FailureKind::Api, false)]);
    assert_eq!(text_of(&events), "Better now.");
}

async fn too_many(service: Service, api: Api) {
    let (events, error) = ask(&client(&service, api), "Be too fast").await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(retries(&events), [(2, FailureKind::Api, false)]);
    assert_eq!(text_of(&events), "Slowly now.");
}

async fn broken_off(service: Service, api: Api) {
    let (events, error) = ask(&client(&service, api), "Break off").await;
    assert!(error.is_none(), "{error:?}");
    let kind = if api == Api::Socket { FailureKind::Closed } else { FailureKind::Truncated };
    assert_eq!(retries(&events), [(2, kind, true)]);
    assert_eq!(text_of(&events), "These are words that are whole.");
}

async fn hung_up(service: Service, api: Api) {
    let (events, error) = ask(&client(&service, api), "Hang up").await;
    let error = error.expect("a failure");
    assert_eq!((error.kind(), error.attempts(), error.is_retryable()), (FailureKind::Connect, 3, true), "{error}");
    assert_eq!(retries(&events).len(), 2);
}

async fn silent(service: Service, api: Api) {
    let mut timeouts = Timeouts::default();
    // It sends the head with the first event.
    timeouts.head = Some(Duration::from_millis(300));
    timeouts.first_event = timeouts.head;
    let client = builder(&service, api).timeouts(timeouts).retry(attempts(1)).build().unwrap();
    let (_, error) = ask(&client, "Take your time").await;
    let error = error.expect("a failure");
    assert_eq!((error.kind(), error.is_retryable()), (FailureKind::Timeout, true), "{error}");
}
