//! Turns that are given up, or whose time is over, wherever they are: what becomes of their connection, how far
//! they say that they came, and that the next turn finds everything in order.

mod support;

use std::{
    future::pending,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use codex_api::{
    Auth, ClientBuilder, FailureKind, HttpVersions, Phase, Request, Session, Timeouts, Transport, TurnStream, connector,
};
use stream_replay::{FaultScript, Gate, ReplayServer, Response};
use support::{
    drain,
    faults::{COMPLETED, CREATED, SSE, TEXT, send, step, stream},
    impatient,
    sockets::{created, exchange, hello, socket},
    soon,
};
use tokio::net::TcpStream;

const LIMIT: Duration = Duration::from_secs(3600);
const H2: &str = "h2-preface\nh2-settings\nread-request\n";
const H2_HEAD: &str = "h2-headers 200 \"content-type: text/event-stream\"\n";
const H2_WHOLE: &str = "h2-read rst_stream\nread-request\nh2-headers 200 \"content-type: text/event-stream\"\n\
    h2-data \"data: {\\\"type\\\":\\\"response.completed\\\",\\\"response\\\":{}}\\n\\n\" end-stream\nhold";

/// A turn that comes so far, and no further.
struct Row {
    name: &'static str,
    https: bool,
    /// What the first connection does, up to a gate; all later ones are served. Empty if that is served, too.
    script: String,
    /// What comes behind the gate.
    rest: &'static str,
    /// The answers to what is served.
    answers: Vec<Response>,
    /// Where an answer that is served stops, or nothing if the service is not reached.
    gate: Option<Gate>,
    client: fn(ClientBuilder) -> ClientBuilder,
    /// How many requests of the turn are answered before.
    before: usize,
    phase: Phase,
    /// Which connection carries the next turn.
    next: usize,
}

impl Row {
    /// Over HTTP/1.1, where the connection goes with the turn.
    fn new(name: &'static str, phase: Phase, script: impl Into<String>) -> Self {
        let script = script.into();
        let (answers, client) = (vec![support::sockets::stream()], |client| client);
        Self { name, https: false, script, rest: "hold", answers, gate: None, client, before: 0, phase, next: 1 }
    }

    fn of(self, client: fn(ClientBuilder) -> ClientBuilder) -> Self {
        Self { client, ..self }
    }

    fn over_tls(self) -> Self {
        Self { https: true, script: format!("tls-accept\n{}", self.script), ..self }
    }

    /// Over HTTP/2, where the stream alone is taken back.
    fn over_http2(self) -> Self {
        let script = format!("{H2}{}", self.script);
        Self { script, rest: H2_WHOLE, client: |client| client.http_versions(HttpVersions::Http2), next: 0, ..self }
    }

    /// Over a WebSocket that is open, whose exchanges are these.
    fn over_socket(name: &'static str, phase: Phase, before: usize, last: &[&str]) -> Self {
        let gate = Gate::new();
        let stops = last.iter().fold(exchange(&[]), |all, event| all.text(*event)).gate(gate.clone());
        let exchanges = (0..before).map(|n| hello(&format!("r{n}"))).chain([stops]);
        let answers = vec![socket(exchanges), socket([hello("r")])];
        Self { answers, gate: Some(gate), before, ..Self::new(name, phase, "") }
            .of(|client| client.transport(Transport::WebSocket))
    }

    /// The service, a session with it, and a stream that is as far as it comes.
    async fn reach(&self) -> (ReplayServer, Session, TurnStream) {
        let name = self.name;
        let mut server = ReplayServer::builder();
        for answer in &self.answers {
            server = server.respond(answer.clone());
        }
        let mut gate = self.gate.clone();
        if !self.script.is_empty() {
            let later = if self.https { "tls-accept\nserve" } else { "serve" };
            let text = format!("connection 1:\n{}gate\n{}\nconnection 2:\n{later}", self.script, self.rest);
            let script = FaultScript::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            gate = Some(script.gate().clone());
            server = server.fault(script);
        }
        let server = server.start().await.unwrap();
        let url = if self.https { server.base_url().replace("http:", "https:") } else { server.base_url() };
        let most = Some(24 * LIMIT);
        let others = Timeouts { connect: most, head: most, first_event: most, idle: most, ..Timeouts::default() };
        let timeouts = Timeouts { turn: Some(LIMIT), progress: most, ..others };
        let mut client = (self.client)(impatient(&url)).timeouts(timeouts);
        if self.https {
            client = client.extra_root_certificate(server.root_certificate().unwrap());
        }
        let session = client.build().unwrap().session();
        let turn = session.begin_turn();
        for _ in 0..self.before {
            turn.stream(request()).collect().await.unwrap();
        }
        let mut stream = turn.stream(request());
        let there = async {
            if let Some(gate) = &gate {
                gate.wait_for_arrivals(1).await;
            }
            // Tasks of connections have their turns, and what was sent is read.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        };
        let arrival = async {
            tokio::pin!(there);
            loop {
                tokio::select! {
                    biased;
                    item = stream.try_next() => {
                        let event = item.unwrap_or_else(|error| panic!("{name}: {error:?}"));
                        assert!(event.is_some_and(|event| !event.is_terminal()), "{name}: it ended");
                    }
                    () = &mut there => break,
                }
            }
        };
        soon(arrival).await;
        if let Some(gate) = gate {
            gate.open();
        }
        (server, session, stream)
    }

    /// Whatever there was is over, and the next turn is served.
    async fn check_next(&self, server: &ReplayServer, session: &Session) {
        if self.next > 0 {
            soon(server.wait_for_disconnects(self.next)).await;
        }
        let (_, error) = soon(drain(session.begin_turn().stream(request()))).await;
        assert!(error.is_none(), "{}: {error:?}", self.name);
        assert_eq!(server.requests().last().map(|last| last.connection), Some(self.next), "{}", self.name);
    }
}

fn request() -> Request {
    Request::new("m").user("Hi")
}

async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// The first request's credentials never come.
fn without_credentials(client: ClientBuilder) -> ClientBuilder {
    let is_first = Arc::new(AtomicBool::new(true));
    client.auth(Auth::from_fn(move |request| {
        let is_first = is_first.swap(false, Relaxed);
        async move { if is_first { pending().await } else { Ok(request) } }
    }))
}

/// The first connection never opens.
fn without_connection(client: ClientBuilder) -> ClientBuilder {
    let is_first = AtomicBool::new(true);
    client.connector(connector::from_fn(move |to| {
        let is_first = is_first.swap(false, Relaxed);
        async move {
            let stream = if is_first { pending().await } else { TcpStream::connect((to.host(), to.port())).await };
            stream.map_err(io::Error::other)
        }
    }))
}

fn rows() -> Vec<Row> {
    let document = format!("read-request\nhead 200 \"content-type: application/json\"\n{}", send("{"));
    let first = format!("read-request\n{}last-chunk\n", stream([COMPLETED], ""));
    let h2_text = step("h2-data", format!("data: {TEXT}\n\n"));
    vec![
        Row { next: 0, ..Row::new("credentials", Phase::Connect, "").of(without_credentials) },
        Row { next: 0, ..Row::new("connection", Phase::Connect, "").of(without_connection) },
        Row { https: true, ..Row::new("TLS", Phase::Tls, "tls-read-hello\n") },
        Row::new("head", Phase::Head, "read-request\n"),
        Row::new("head over TLS", Phase::Head, "read-request\n").over_tls(),
        Row::new("half a head", Phase::Head, "read-request\nsend \"HTTP/1.1 200 OK\\r\\n\"\n"),
        Row::new("head over HTTP/2", Phase::Head, "").over_http2(),
        Row::new("handshake", Phase::Head, "read-head\n").of(|client| client.transport(Transport::WebSocket)),
        Row::new("document", Phase::FirstEvent, document),
        Row::new("first event", Phase::FirstEvent, format!("read-request\n{SSE}")),
        Row::new("first event over TLS", Phase::FirstEvent, format!("read-request\n{SSE}")).over_tls(),
        Row::new("first event over HTTP/2", Phase::FirstEvent, H2_HEAD).over_http2(),
        Row::new("events", Phase::Streaming, format!("read-request\n{}", stream([CREATED, TEXT], ""))),
        Row::new("events over HTTP/2", Phase::Streaming, format!("{H2_HEAD}{h2_text}")).over_http2(),
        Row { before: 1, ..Row::new("head of a follow-up", Phase::Head, format!("{first}read-request\n")) },
        Row::over_socket("first message", Phase::FirstEvent, 0, &[]),
        Row::over_socket("messages", Phase::Streaming, 0, &[&created("r").to_string(), TEXT]),
        Row::over_socket("first message of a follow-up", Phase::FirstEvent, 1, &[]),
        Row::over_socket("messages of a follow-up", Phase::Streaming, 2, &[&created("r").to_string()]),
    ]
}

#[tokio::test]
async fn a_turn_that_is_given_up_leaves_nothing_behind_wherever_it_was() {
    // It has a time of its own, which is over first.
    let refusal = format!("read-request\nhead 500 \"content-length: 100\"\n{}", send("Overheat"));
    for row in rows().into_iter().chain([Row::new("refusal", Phase::FirstEvent, refusal)]) {
        let (server, session, stream) = row.reach().await;
        drop(stream);
        row.check_next(&server, &session).await;
    }
}

#[tokio::test]
async fn a_turn_whose_time_is_over_says_how_far_it_came() {
    for row in rows() {
        let name = row.name;
        let (server, session, mut stream) = row.reach().await;
        pass(LIMIT).await;
        let error = soon(stream.try_next()).await.err().unwrap_or_else(|| panic!("{name}: no failure"));
        assert_eq!((error.kind(), error.phase()), (FailureKind::Timeout, row.phase), "{name}: {error:?}");
        assert_eq!((error.is_retryable(), error.attempts()), (false, 1), "{name}: {error:?}");
        assert_eq!(error.message(), "the turn took longer than 3600s (turn timeout)", "{name}");
        // The stream, which is done, is still there.
        row.check_next(&server, &session).await;
        assert!(matches!(stream.try_next().await, Ok(None)), "{name}: a stream ends once");
    }
}
