//! What a client tells the logs: why it waits, why it changes its ways, why it failed; and nothing secret.

mod support;

use std::{
    fmt::{Debug, Write},
    sync::{Arc, Mutex},
};

use codex_api::{Auth, ClientBuilder, Request, Transport};
use stream_replay::{Cut, ReplayServer, Response};
use support::{drain, impatient, playing, soon};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

/// All that is logged, a line each: the level, the message, the fields.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn push(&self, level: Level, record: impl FnOnce(&mut Line)) {
        let mut line = Line(level.to_string());
        record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    /// The lines that begin so.
    fn lines(&self, begin: &str) -> Vec<String> {
        self.0.lock().unwrap().iter().filter(|line| line.starts_with(begin)).cloned().collect()
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("codex_api")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.push(*span.metadata().level(), |line| span.record(line));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.push(Level::DEBUG, |line| values.record(line));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.push(*event.metadata().level(), |line| event.record(line));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

const KEY: &str = "sk-a-key-of-the-caller";
const STATE: &str = "a-state-of-the-turn";

/// What is logged of one request to a server that answers so; the secrets never are.
async fn logged(server: &ReplayServer, settings: fn(ClientBuilder) -> ClientBuilder) -> Log {
    logged_at(&server.base_url(), |client| settings(client.auth(Auth::bearer(KEY).unwrap()))).await
}

async fn logged_at(base_url: &str, settings: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Log {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let client = settings(impatient(base_url)).build().unwrap();
    soon(drain(client.session().begin_turn().stream(Request::new("m").user("Hi")))).await;
    for secret in [KEY, STATE] {
        assert!(log.lines("").iter().all(|line| !line.contains(secret)), "{:?}", log.lines(""));
    }
    log
}

fn completed() -> Response {
    Response::sse("data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\"}}\n\n")
}

/// Quotes the key that it was given, and the state that it gave.
fn busy() -> Response {
    let body = format!("{{\"error\":{{\"code\":\"slow_down\",\"message\":\"Busy, {KEY}, {STATE}.\"}}}}");
    Response::json(503, body).header("x-request-id", "req_7")
}

#[tokio::test]
async fn a_retry_says_why_it_waits_and_for_how_long() {
    let text = "data: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n";
    let cut = Response::sse(text).header("x-codex-turn-state", STATE).cut(Cut::Close);
    let server = playing([cut, busy(), completed()]).await;
    let log = logged(&server, |client| client).await;
    let url = format!("url=\"{}/responses\"", server.base_url());
    let lines = log.lines("WARN");
    let [first, second] = &lines[..] else { panic!("{lines:?}") };
    assert!(first.contains(&url) && second.contains(&url), "{lines:?}");
    for part in
        ["WARN trying again", " attempt=2 ", " max_attempts=9 ", " delay=", " kind=truncated ", "discarded=true"]
    {
        assert!(first.contains(part), "{part}: {first}");
    }
    for part in [
        " attempt=3 ",
        " kind=api ",
        " code=\"slow_down\" ",
        " error=\"Busy, [redacted], [redacted].\" ",
        " request_id=\"req_7\" ",
        "discarded=false",
    ] {
        assert!(second.contains(part), "{part}: {second}");
    }
    assert_eq!(log.lines("DEBUG failed"), [""; 0]);
}

#[tokio::test]
async fn a_fallback_says_why() {
    let refusal = Response::json(426, format!("{{\"error\":{{\"message\":\"No sockets for {KEY}.\"}}}}"));
    let server = playing([refusal, completed()]).await;
    let log = logged(&server, |client| client.transport(Transport::Auto)).await;
    let lines = log.lines("WARN");
    let [line] = &lines[..] else { panic!("{lines:?}") };
    for part in ["changing the transport", "from=\"ws\" to=\"sse\"", "error=\"No sockets for [redacted].\""] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

#[tokio::test]
async fn a_failure_is_told_with_all_that_identifies_it() {
    let server =
        playing([Response::json(401, format!("{{\"error\":{{\"message\":\"Who is {KEY}?\"}}}}"))
            .header("x-request-id", "req_8")])
        .await;
    let log = logged(&server, |client| client).await;
    let lines = log.lines("DEBUG failed");
    let [line] = &lines[..] else { panic!("{lines:?}") };
    for part in [
        &format!("url=\"{}/responses\"", server.base_url()),
        "kind=api",
        "status=401",
        "error=\"Who is [redacted]?\"",
        "request_id=\"req_8\"",
        "attempts=1",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert_eq!(log.lines("WARN"), [""; 0]);
}

/// Where services take their keys in the URL, nothing says which part of it is one.
#[tokio::test]
async fn of_the_base_url_only_what_is_known_is_told() {
    for (path, shown) in [
        ("/v1", "/v1/responses"),
        ("", "/responses"),
        ("/v2", "/…/responses"),
        (&*format!("/{KEY}/v1"), "/…/responses"),
        (&format!("/proxy/{KEY}?key={KEY}"), "/…/responses"),
    ] {
        let answers = [
            Response::json(404, "{}"),
            Response::json(503, format!("{{\"error\":{{\"message\":\"Nobody is at {path}.\"}}}}")),
            // As a proxy does that wants another host.
            Response::new(302).header("location", format!("https://other.test{path}/responses")),
        ];
        for answer in answers {
            let server = playing([answer]).await;
            let origin = format!("http://{}", server.addr());
            let log = logged_at(&format!("{origin}{path}"), |client| client).await;
            let url = format!("url=\"{origin}{shown}\"");
            let lines = log.lines("DEBUG failed");
            assert!(lines.len() == 1 && lines[0].contains(&url), "{path}: {lines:?}");
            assert!(log.lines("DEBUG url=").iter().all(|span| span.ends_with(&url)), "{path}: {:?}", log.lines(""));
        }
    }
}
