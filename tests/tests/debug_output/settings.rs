//! Secrets among the settings of a client.

use codex_api::{Auth, Client, ClientBuilder, Environment, Provider, ProxyUrl};

use crate::shown::{SECRET, check};

fn provider(query: &str) -> Provider {
    Provider::new(&format!("http://127.0.0.1:1/v1{query}")).unwrap()
}

fn builder() -> ClientBuilder {
    Client::builder(provider("")).environment(Environment::empty())
}

/// Everything that keeps the settings, shown.
#[track_caller]
fn check_all(given: &str, builder: ClientBuilder) {
    check(given, &builder);
    let client = builder.build().unwrap();
    let session = client.session();
    let turn = session.begin_turn();
    let stream = turn.stream(codex_api::Request::new("m"));
    check(given, &client);
    check(given, &session);
    check(given, &turn);
    check(given, &stream);
}

/// Every way of giving one.
pub(crate) fn show() {
    check_all("bearer", builder().auth(Auth::bearer(SECRET).unwrap()));
    for name in ["api-key", "authorization", "x-functions-key", "x-tenant"] {
        check_all(name, builder().header(name, SECRET).unwrap());
    }
    let query = format!("?api-version=1&key={SECRET}");
    check("query", &provider(&query));
    check_all("query", Client::builder(provider(&query)).environment(Environment::empty()));
    let proxy = format!("http://me:{SECRET}@127.0.0.1:1");
    check_all("proxy", builder().proxy(proxy.parse::<ProxyUrl>().unwrap()));
    let environment = Environment::from_fn(move |name| (name == "HTTP_PROXY").then(|| proxy.clone().into()));
    check_all("proxy of the environment", builder().environment(environment));
}

#[test]
fn settings_are_shown_without_their_secrets() {
    show();
}

#[test]
fn settings_that_are_no_secrets_are_shown() {
    let builder = builder().header("openai-beta", "x").unwrap();
    let shown = format!("{builder:?} {:?} {:?}", builder.clone().build().unwrap(), provider("?a=b"));
    for open in ["127.0.0.1:1", "/v1", "openai-beta", "Auth::none", "[redacted]"] {
        assert!(shown.contains(open), "{open}: {shown}");
    }
}
