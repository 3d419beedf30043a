//! Whole turns: wherever the caller or the service gives a secret, and whatever the service then does with it.

use std::error::Error as _;

use codex_api::{
    Auth, AuthorizeFuture, ClientBuilder, Credentials, OutgoingRequest, Provider, ProxyUrl, Request, Transcriber,
    Transport, Turn,
};
use http::HeaderValue;
use serde_json::json;
use stream_replay::{Cut, Exchange, ReplayServer, Response, WebSocketScript};

use crate::{
    log::Log,
    shown::{SECRET, check, check_text},
    support::{impatient, playing, soon},
};

/// How the secret comes in.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Given {
    Bearer,
    Header(&'static str),
    /// In a header whose name says nothing: it is not known for a secret when the service repeats it.
    OpenHeader,
    Subprotocol,
    Query,
    Hook,
    /// To a proxy, which the service knows nothing of.
    Proxy,
    StateOfHead,
    StateOfEvent,
    ResumedState,
}

const GIVEN: [Given; 11] = [
    Given::Bearer,
    Given::Header("api-key"),
    Given::Header("x-functions-key"),
    Given::OpenHeader,
    Given::Subprotocol,
    Given::Query,
    Given::Hook,
    Given::Proxy,
    Given::StateOfHead,
    Given::StateOfEvent,
    Given::ResumedState,
];

/// What the service does, quoting what it was sent.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Course {
    Answer,
    Refusal,
    ErrorEvent,
    FailedResponse,
    Cut,
    Socket,
    Close,
    Fallback,
    FallbackAfterOutput,
}

const COURSES: [Course; 9] = [
    Course::Answer,
    Course::Refusal,
    Course::ErrorEvent,
    Course::FailedResponse,
    Course::Cut,
    Course::Socket,
    Course::Close,
    Course::Fallback,
    Course::FallbackAfterOutput,
];

struct Hook;

impl Credentials for Hook {
    fn authorize(&self, mut request: OutgoingRequest) -> AuthorizeFuture {
        let mut value = HeaderValue::from_static(SECRET);
        value.set_sensitive(true);
        request.headers.insert("x-signed-by", value);
        check("a hook", &request);
        Box::pin(async move { Ok(request) })
    }
}

impl Given {
    fn builder(self, server: &ReplayServer) -> ClientBuilder {
        let builder = impatient(&server.base_url());
        match self {
            Self::Bearer => builder.auth(Auth::bearer(SECRET).unwrap()),
            Self::Header(name) => builder.header(name, SECRET).unwrap(),
            Self::OpenHeader => builder.header("x-tenant", SECRET).unwrap(),
            Self::Subprotocol => {
                let offered = format!("openai-insecure-api-key.{SECRET}");
                builder.header("sec-websocket-protocol", &offered).unwrap()
            }
            Self::Query => {
                let url = format!("{}?api-version=1&key={SECRET}", server.base_url());
                check("query", &Provider::new(&url).unwrap());
                impatient(&url)
            }
            Self::Hook => builder.auth(Auth::hook(Hook)),
            Self::Proxy => {
                let proxy: ProxyUrl = format!("http://me:{SECRET}@{}", server.addr()).parse().unwrap();
                check("proxy", &proxy);
                impatient("http://model.test/v1").proxy(proxy)
            }
            Self::StateOfHead | Self::StateOfEvent | Self::ResumedState => builder,
        }
    }

    /// What the service repeats of it.
    fn quoted(self) -> &'static str {
        if matches!(self, Self::OpenHeader | Self::Proxy) { "nothing" } else { SECRET }
    }

    /// The answer that brings a state.
    fn first(self) -> Option<Response> {
        let metadata = json!({"type": "response.metadata", "headers": {"x-codex-turn-state": SECRET}});
        let answer = |events: String| Response::sse(format!("{events}{}", sse(&done())));
        match self {
            Self::StateOfHead => Some(answer(String::new()).header("x-codex-turn-state", SECRET)),
            Self::StateOfEvent => Some(answer(sse(&metadata))),
            _ => None,
        }
    }
}

fn done() -> serde_json::Value {
    json!({"type": "response.completed", "response": {"id": "r"}})
}

fn sse(event: &serde_json::Value) -> String {
    format!("data: {event}\n\n")
}

impl Course {
    fn transport(self) -> Transport {
        match self {
            Self::Answer | Self::Refusal | Self::ErrorEvent | Self::FailedResponse | Self::Cut => Transport::Sse,
            Self::Socket | Self::Close => Transport::WebSocket,
            Self::Fallback | Self::FallbackAfterOutput => Transport::Auto,
        }
    }

    fn responses(self, said: &str) -> Vec<Response> {
        let error =
            json!({"message": said, "code": format!("bad_{said}"), "param": said, "type": said, "more": [said]});
        let delta = json!({"type": "response.output_text.delta", "output_index": 0, "delta": "Hi"});
        let events = [
            json!({"type": "response.created", "response": {"id": "r"}}),
            json!({"type": "response.metadata", "headers": {"x-codex-turn-state": said}}),
            json!({"type": "brand.new", "text": said}),
            json!({"type": "response.in_progress", "response": {"id": "r", "note": said}}),
            delta.clone(),
        ];
        // Neither of them can be decoded.
        let broken = format!("data: {said}\n\nevent: {said}\ndata: {{\"type\":\"{said}\"\n\n");
        let body = format!("{}{broken}", events.iter().map(sse).collect::<String>());
        let refusal = Response::json(403, json!({"error": error}).to_string());
        let good = Response::sse(format!("{body}{}", sse(&done())))
            .header("x-request-id", "req")
            .header("x-said", said)
            .header("set-cookie", said);
        // One for each stream, should all of them go over the same socket.
        let script = |exchange: Exchange| WebSocketScript::new().exchange(exchange.clone()).exchange(exchange);
        let socket = |exchange: Exchange| Response::websocket(script(exchange));
        match self {
            Self::Answer => vec![good],
            Self::Refusal => vec![refusal],
            Self::ErrorEvent => {
                vec![Response::sse(format!("{body}{}", sse(&json!({"type": "error", "error": error}))))]
            }
            Self::FailedResponse => {
                let failed = json!({"type": "response.failed", "response": {"id": "r", "error": error}});
                vec![Response::sse(sse(&failed))]
            }
            Self::Cut => vec![Response::sse(body.clone()).cut_at(body.len() - 1, Cut::Reset), good],
            Self::Socket => vec![socket(Exchange::new().sse(&body).text(done().to_string()))],
            Self::Close => vec![socket(Exchange::new().text(delta.to_string()).close(1008, said))],
            Self::Fallback => vec![refusal, good],
            Self::FallbackAfterOutput => {
                vec![socket(Exchange::new().text(delta.to_string()).close(1009, said)), good]
            }
        }
    }
}

/// Reads a stream to its end and looks at everything that can be printed on the way.
async fn look_at_all(name: &str, session: &codex_api::Session, turn: &Turn) {
    let mut stream = turn.stream(Request::new("m").user("Hi"));
    loop {
        check(name, &stream);
        let item = stream.try_next().await;
        check(name, session);
        check(name, turn);
        check(name, &stream);
        check(name, &session.fallback_reason());
        if let Some(state) = turn.export_state() {
            check(name, &state);
        }
        match item {
            Ok(Some(event)) => {
                check(name, &event);
                if let codex_api::TurnEvent::Opened(opened) = &event {
                    // With the values, as the caller has them.
                    check(name, &*opened.headers);
                }
                check_text(name, &serde_json::to_string(&event).unwrap());
            }
            Ok(None) => return,
            Err(error) => {
                check(name, &error);
                check(name, error.failure());
                check_text(name, &error.to_string());
                let mut cause = error.source();
                while let Some(error) = cause {
                    check_text(name, &format!("{error} {error:?}"));
                    cause = error.source();
                }
            }
        }
    }
}

/// One way of giving it and one course.
async fn play(given: Given, course: Course) {
    let name = format!("{given:?}, {course:?}");
    let log = Log::new();
    let _listening = log.listen();
    let first = given.first();
    let prelude = first.is_some();
    let server = playing(first.into_iter().chain(course.responses(given.quoted()))).await;
    check(&name, &Auth::bearer(SECRET).unwrap());
    let builder = given.builder(&server).transport(if prelude { Transport::Sse } else { course.transport() });
    check(&name, &builder);
    let client = builder.clone().build().unwrap();
    check(&name, &client);
    let session = client.session();
    let mut turn = session.begin_turn();
    if given == Given::ResumedState {
        turn = session.resume_turn(SECRET.parse().unwrap());
    }
    if prelude {
        look_at_all(&name, &session, &turn).await;
        assert_eq!(turn.export_state().map(|state| state.expose().to_owned()).as_deref(), Some(SECRET), "{name}");
        // The state goes on over the transport of the course.
        let client = builder.transport(course.transport()).build().unwrap();
        turn = client.session().resume_turn(turn.export_state().unwrap());
        look_at_all(&name, &client.session(), &turn).await;
    } else {
        look_at_all(&name, &session, &turn).await;
    }
    let mut transcriber = Transcriber::new();
    let answer = transcriber.read(turn.stream(Request::new("m").user("Hi"))).await;
    check(&name, &transcriber);
    check_text(&name, transcriber.as_str());
    match answer {
        Ok(answer) => check(&name, &answer),
        Err(error) => check(&name, &error),
    }
    check(&name, &server);
    // A server has only the name to go by.
    let tells = !matches!(given, Given::OpenHeader | Given::Hook);
    for request in server.requests().iter().filter(|_| tells) {
        check(&name, request);
    }
    for message in server.messages() {
        check(&name, &message);
    }
    check_text(&name, &log.text());
    // Otherwise all this would prove nothing.
    assert!(log.text().contains("attempt"), "{name}: {}", log.text());
    let sent: Vec<_> =
        server.requests().iter().map(|request| format!("{} {:?}", request.path, request.headers)).collect();
    let is_sent = sent.iter().any(|request| request.contains(SECRET) || request.contains("Basic "));
    assert!(is_sent, "{name}: {sent:?}");
}

/// Every way and every course.
pub(crate) async fn show() {
    for given in GIVEN {
        for course in COURSES {
            Box::pin(soon(play(given, course))).await;
        }
    }
}

#[tokio::test]
async fn a_secret_is_shown_by_nothing_wherever_it_was_given_and_whatever_the_service_does() {
    Box::pin(show()).await;
}
