//! Names of secrets: one list for what is shown and for what is written down.

mod support;

use std::{fs, path::Path, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};
use http_transport::{Head, Request, Transport, is_secret_header};
use stream_replay::{Bodies, Cassette, Course, RecordedExchange, RecordedResponse, Recorder, Response};
use support::{playing, soon};

/// Headers whose values are credentials or turn states.
const SECRET: &[&str] = &[
    "api-key",
    "apikey",
    "authorization",
    "cf-aig-authorization",
    "cookie",
    "ocp-apim-subscription-key",
    "private-token",
    "proxy-authorization",
    "sec-websocket-protocol",
    "set-cookie",
    "x-amz-security-token",
    "x-api-key",
    "x-api-key-2",
    "x-apikey",
    "x-auth-key",
    "x-auth-token",
    "x-authorization-extra",
    "x-client-secret",
    "x-codex-turn-state",
    "x-csrftoken",
    "x-functions-key",
    "x-goog-api-key",
    "x-password-hash",
    "x-secret-id",
];

/// Headers that look a little like them.
const OPEN: &[&str] = &[
    "accept",
    "content-type",
    "keep-alive",
    "openai-beta",
    "sec-websocket-accept",
    "sec-websocket-key",
    "x-codex-turn",
    "x-key-count",
    "x-ratelimit-remaining-tokens",
    "x-request-id",
    "x-tokenizer",
];

const VALUE: &str = "s3cret-0123456789";

fn headers(name: &str) -> HeaderMap {
    [(HeaderName::try_from(name).unwrap(), HeaderValue::from_static(VALUE))].into_iter().collect()
}

/// What each place that shows headers shows of this one.
fn shown(name: &str) -> [(&'static str, String); 4] {
    let uri = || "http://host.test/".parse().unwrap();
    let request = Request::get(uri(), headers(name));
    let mut response = http::Response::new(());
    *response.headers_mut() = headers(name);
    let head = Head::from(&response);
    // Spelled as some clients do.
    let pair = (name.to_ascii_uppercase(), VALUE.as_bytes().to_vec());
    let mut exchange = RecordedExchange::new("GET", "/");
    exchange.request_headers = vec![pair.clone()];
    let mut response = RecordedResponse::new(Duration::ZERO, 200, Course::Body(Vec::new()));
    response.headers = vec![pair];
    [
        ("a request", format!("{request:?}")),
        ("a head", format!("{head:?}")),
        ("a recorded request", format!("{exchange:?}")),
        ("a recorded response", format!("{response:?}")),
    ]
}

#[test]
fn every_place_agrees_which_headers_are_secret() {
    let secret = SECRET.iter().map(|name| (name, true));
    for (name, is_secret) in secret.chain(OPEN.iter().map(|name| (name, false))) {
        let known = HeaderName::try_from(*name).unwrap();
        assert_eq!(is_secret_header(&known, &HeaderValue::from_static(VALUE)), is_secret, "{name}");
        for (place, text) in shown(name) {
            assert_eq!(!text.contains(VALUE), is_secret, "{name} in {place}: {text}");
        }
    }
}

#[test]
fn both_copies_of_the_list_are_the_same() {
    let copy = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(name).join("src/secret_name.rs");
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    assert_eq!(copy("http-transport"), copy("stream-replay"));
}

/// Whatever the header is called, its name makes a secret of what stands under it in JSON and in a query, too.
#[tokio::test]
async fn the_recorder_writes_no_value_under_a_secret_name() {
    let value = |place: &str, name: &str| format!("{place}-of-{name}-0123456789");
    let is_body_header = |name: &&&str| !matches!(**name, "accept" | "content-type" | "keep-alive");
    let open: Vec<&str> = OPEN.iter().filter(is_body_header).copied().collect();
    let names = || SECRET.iter().chain(&open);
    let of = |place: &str, joined: &dyn Fn(&str, String) -> String| -> Vec<String> {
        names().map(|name| joined(name, value(place, name))).collect()
    };
    let json = |place: &str| format!("{{{}}}", of(place, &|name, value| format!("{name:?}:{value:?}")).join(","));
    let response = Response::json(200, json("answer"));
    let response = names().fold(response, |response, name| response.header(*name, value("head", name)));
    let server = playing([response]).await;
    let folder = tempfile::tempdir().unwrap();
    let recorder =
        Recorder::builder(server.base_url()).folder(folder.path()).bodies(Bodies::Keep).start().await.unwrap();

    let query = SECRET.iter().map(|name| format!("{name}={}", value("query", name))).collect::<Vec<_>>().join("&");
    let uri = format!("{}/responses?{query}", recorder.base_url()).parse().unwrap();
    let mut headers = HeaderMap::new();
    for name in names() {
        headers.insert(*name, value("header", name).parse().unwrap());
    }
    let transport = Transport::builder().environment(http_transport::Environment::empty()).build().unwrap();
    let mut exchange = transport.open(Request::post(uri, headers, json("body")));
    soon(exchange.head()).await.unwrap();
    while let Some(data) = soon(exchange.data()).await {
        data.unwrap();
    }
    soon(recorder.wait_for_cassettes(1)).await;
    recorder.shutdown().await;

    let path = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let cassette = Cassette::load(&path).unwrap().to_string();
    for place in ["header", "head", "body", "answer"] {
        for name in SECRET {
            assert!(!cassette.contains(&value(place, name)), "{place} {name}:\n{cassette}");
        }
        for name in &open {
            assert!(cassette.contains(&value(place, name)), "{place} {name}:\n{cassette}");
        }
    }
    for name in SECRET {
        assert!(!cassette.contains(&value("query", name)), "query {name}:\n{cassette}");
    }
}
