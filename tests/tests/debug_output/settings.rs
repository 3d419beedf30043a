//! Secrets among the settings of a client.

use codex_api::{Auth, Client, ClientBuilder, Environment, Provider, ProxyUrl};

const SECRET: &str = "s3cret-0123456789";

fn provider(query: &str) -> Provider {
    Provider::new(&format!("http://127.0.0.1:1/v1{query}")).unwrap()
}

fn builder() -> ClientBuilder {
    Client::builder(provider("")).environment(Environment::empty())
}

/// Everything that keeps the settings, shown.
#[track_caller]
fn check(given: &str, builder: ClientBuilder) {
    let before = format!("{builder:?} {builder:#?}");
    let client = builder.build().unwrap();
    let session = client.session();
    let turn = session.begin_turn();
    let stream = turn.stream(codex_api::Request::new("m"));
    let shown = format!("{before} {client:?} {client:#?} {session:?} {turn:?} {turn:#?} {stream:?}");
    assert!(!shown.contains(SECRET), "{given}: {shown}");
}

#[test]
fn settings_are_shown_without_their_secrets() {
    check("bearer", builder().auth(Auth::bearer(SECRET).unwrap()));
    for name in ["api-key", "authorization", "x-functions-key", "x-tenant"] {
        check(name, builder().header(name, SECRET).unwrap());
    }
    let query = format!("?api-version=1&key={SECRET}");
    assert!(!format!("{:?}", provider(&query)).contains(SECRET));
    check("query", Client::builder(provider(&query)).environment(Environment::empty()));
    let proxy = format!("http://me:{SECRET}@127.0.0.1:1");
    check("proxy", builder().proxy(proxy.parse::<ProxyUrl>().unwrap()));
    let environment = Environment::from_fn(move |name| (name == "HTTP_PROXY").then(|| proxy.clone().into()));
    check("proxy of the environment", builder().environment(environment));
}

#[test]
fn settings_that_are_no_secrets_are_shown() {
    let builder = builder().header("openai-beta", "x").unwrap();
    let shown = format!("{builder:?} {:?} {:?}", builder.clone().build().unwrap(), provider("?a=b"));
    for open in ["127.0.0.1:1", "/v1", "openai-beta", "Auth::none", "[redacted]"] {
        assert!(shown.contains(open), "{open}: {shown}");
    }
}
