//! Turns through a proxy, as the settings or the environment say.

mod support;

use codex_api::{Environment, FailureKind, ProxySettings, ProxyUrl, Request};
use stream_replay::Response;
use support::{drain, impatient, playing};

const DONE: &str = "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\"}}\n\n";

/// A host that no resolver knows: who reaches it goes through a proxy.
const ELSEWHERE: &str = "http://service.invalid/v1";

fn request() -> Request {
    Request::new("m").user("Hi")
}

#[tokio::test]
async fn a_proxied_host_is_not_resolved_here() {
    let server = playing([Response::sse(DONE)]).await;
    let proxy: ProxyUrl = format!("http://me:pw@{}", server.addr()).parse().unwrap();
    let client = impatient(ELSEWHERE).proxy(proxy).build().unwrap();
    client.session().begin_turn().stream(request()).collect().await.unwrap();
    let request = &server.requests()[0];
    assert_eq!(
        (request.path.as_str(), request.header("host")),
        ("http://service.invalid/v1/responses", Some("service.invalid"))
    );
    assert_eq!(request.header("proxy-authorization"), Some("Basic bWU6cHc="));
}

#[tokio::test]
async fn the_environment_names_the_proxy_and_a_setting_overrules_it() {
    let server = playing([Response::sse(DONE)]).await;
    let proxy = format!("http://{}", server.addr());
    let environment = Environment::from_fn(move |name| (name == "HTTP_PROXY").then(|| proxy.clone().into()));
    let client = impatient(ELSEWHERE).environment(environment.clone()).build().unwrap();
    client.session().begin_turn().stream(request()).collect().await.unwrap();
    let client = impatient(ELSEWHERE).environment(environment).proxy(ProxySettings::Direct).build().unwrap();
    let (_, error) = drain(client.session().begin_turn().stream(request())).await;
    assert_eq!(error.map(|error| error.kind()), Some(FailureKind::Dns));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_proxy_that_wants_credentials_is_asked_once_and_shows_none() {
    let server = playing([Response::new(407).header("proxy-authenticate", "Basic realm=\"office\"")]).await;
    let proxy: ProxyUrl = format!("http://me:very-secret@{}", server.addr()).parse().unwrap();
    let client = impatient(ELSEWHERE).proxy(proxy).build().unwrap();
    let (events, error) = drain(client.session().begin_turn().stream(request())).await;
    let error = error.expect("a failure");
    assert_eq!((error.kind(), error.is_retryable(), error.attempts()), (FailureKind::Proxy, false, 1));
    assert_eq!(server.requests().len(), 1);
    assert!(!format!("{client:?} {events:?} {error:?} {error}").contains("very-secret"));
}

#[tokio::test]
async fn a_proxy_that_is_down_is_tried_again() {
    let server = playing([Response::new(200)]).await;
    let proxy: ProxyUrl = format!("http://{}", server.addr()).parse().unwrap();
    server.shutdown().await;
    let client = impatient(ELSEWHERE).proxy(proxy).build().unwrap();
    let (_, error) = drain(client.session().begin_turn().stream(request())).await;
    let error = error.expect("a failure");
    assert_eq!((error.kind(), error.attempts()), (FailureKind::Connect, 9));
    assert!(error.message().contains("proxy"), "{error}");
}
