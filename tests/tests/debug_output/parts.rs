//! The parts that others build on, each with a secret in it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use codex_stream::{HtmlRenderer, TimelineBuilder};
use http::{HeaderMap, HeaderValue};
use http_transport::{BodyLimits, BodyReader, ProxySettings, ProxyUrl, Transport};
use response_events::{
    ApiError, Interpreter, InterpreterOptions, ResponseHeaders, SummaryBuilder, Transcript, TurnStateMark, Wire,
};
use stream_replay::{
    Cassette, Content, Course, FaultScript, FrameKind, Peer, RecordedChunk, RecordedExchange, RecordedFrame,
    RecordedResponse, Recorder, ReplayServer, Response, WebSocketScript,
};
use turn_session::{EngineConfig, ResponseHead, SessionMemory, Target, TurnEngine, TurnState};

use crate::{
    shown::{SECRET, check, check_text},
    support::{playing, soon},
};

fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for name in ["authorization", "set-cookie", "x-codex-turn-state", "x-functions-key"] {
        headers.insert(name, HeaderValue::from_static(SECRET));
    }
    headers
}

fn pairs() -> Vec<(String, Vec<u8>)> {
    headers().iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect()
}

fn metadata() -> String {
    format!(r#"{{"type":"response.metadata","headers":{{"x-codex-turn-state":"{SECRET}"}}}}"#)
}

/// `http-transport`, without a server.
fn http() {
    let uri = format!("https://me:{SECRET}@host.test/v1?key={SECRET}").parse().unwrap();
    let request = http_transport::Request::post(uri, headers(), SECRET);
    check("http", &request);
    let mut response = http::Response::new(());
    *response.headers_mut() = headers();
    check("http", &http_transport::Head::from(&response));
    let url = format!("socks5://me:{SECRET}@127.0.0.1:1");
    let proxy: ProxyUrl = url.parse().unwrap();
    check("proxy", &proxy);
    check("proxy", &ProxySettings::from(proxy.clone()));
    let wrong = format!("http://me:{SECRET}@:1").parse::<ProxyUrl>().unwrap_err();
    check("a wrong proxy", &wrong);
    let environment =
        http_transport::Environment::from_fn(move |name| (name == "ALL_PROXY").then(|| url.clone().into()));
    check("environment", &environment);
    for builder in [Transport::builder().proxy(proxy), Transport::builder().environment(environment)] {
        check("transport", &builder);
        let transport = builder.build().unwrap();
        check("transport", &transport);
        check("transport", &transport.open(request.clone()));
    }
    check("a body", &BodyReader::new(BodyLimits::default()).with_arrived(SECRET.as_bytes()));
}

/// `http-transport`, with bodies and refusals.
async fn http_over_sockets() {
    let server = playing([Response::json(401, SECRET).header("set-cookie", SECRET)]).await;
    let transport = Transport::builder().environment(http_transport::Environment::empty()).build().unwrap();
    let with_user = server.base_url().replace("://", &format!("://me:{SECRET}@"));
    let request = |url: &str| http_transport::Request::get(url.parse().unwrap(), headers());
    check("user information", &soon(transport.open(request(&with_user)).head()).await.unwrap_err());

    let mut exchange = transport.open(request(&server.base_url()));
    check("a head", &soon(exchange.head()).await.unwrap());
    check("an exchange", &exchange);
    let body = soon(exchange.read_body_limited(BodyLimits::default())).await;
    assert_eq!(body.bytes, SECRET);
    check("a body", &body);
    check("a step", &http_transport::BodyStep::End(body));

    // A proxy that quotes the password that it refuses.
    let proxy = playing([Response::new(407).body(format!("not {SECRET}"))]).await;
    let proxy: ProxyUrl = format!("http://me:{SECRET}@{}", proxy.addr()).parse().unwrap();
    let transport = Transport::builder().proxy(proxy).build().unwrap();
    let error = soon(transport.open(request("https://host.test/")).head()).await.unwrap_err();
    check("a proxy's refusal", &error);
    check("a proxy's refusal", error.proxy_answer().unwrap());
    check_text("a proxy's refusal", &format!("{error} {:?}", std::error::Error::source(&error)));
}

/// `turn-session`.
fn engine() {
    let state = TurnState::new();
    state.capture(SECRET.as_bytes());
    check("a state", &state);
    let head = headers();
    check("a head", &ResponseHead::new(200, head.clone()));
    let target = Target::new(format!("https://me:{SECRET}@host.test/v1?key={SECRET}"));
    check("a target", &target);
    let memory = SessionMemory::new();
    memory.restate(SECRET);
    check("a memory", &memory);

    let now = Instant::now();
    let mut config = EngineConfig::new(Wire::Responses, target, now);
    config.memory = memory;
    config.turn_state = state;
    check("a config", &config);
    let mut engine = TurnEngine::new(config);
    check("an engine", &engine);
    check("an action", &engine.poll_action().unwrap());
    engine.handle_opened(ResponseHead::new(200, head), now);
    let piece = format!("data: {}", metadata());
    engine.handle_data(piece.as_bytes(), now);
    check("an engine that has seen the beginning of a body", &engine);
    engine.handle_payload(None, metadata().as_bytes(), now);
    check("an engine with an event", &engine);
    while let Some(event) = engine.poll_event() {
        check("an event", &event.unwrap());
    }
    let memory = engine.socket_memory(&response_events::Request::new("m"));
    check("a socket", &memory);
    check("an engine", &engine);
}

/// `response-events` and what is drawn of its events.
fn events() {
    check("headers", &ResponseHeaders::from(headers()));
    check("a mark", &TurnStateMark::new(SECRET));
    let body = format!(r#"{{"error":{{"message":"no","headers":{{"x-codex-turn-state":"{SECRET}"}}}}}}"#);
    let error = ApiError::from_body(body.as_bytes()).unwrap();
    check("an error", &error);
    check("a failure", &response_events::Failure::from_api(error.clone()));
    check("an outcome", &response_events::Outcome::Failed(error));
    let mut stream = Interpreter::new(Wire::Responses, InterpreterOptions::default());
    let mut timeline = TimelineBuilder::new();
    let (mut summary, mut transcript) = (SummaryBuilder::new(), Transcript::new());
    let broken = metadata().replace('}', "");
    for payload in [metadata(), metadata().replace("response.metadata", "brand.new"), broken] {
        stream.handle_event(None, payload.as_bytes());
        let event = stream.poll_event().unwrap();
        match &event {
            response_events::TurnEvent::Other(other) | response_events::TurnEvent::Unknown(other) => {
                check("an event", other);
                check("its JSON", &other.raw);
            }
            response_events::TurnEvent::Malformed(malformed) => check("a malformed event", malformed),
            _ => panic!("{event:?}"),
        }
        timeline.event(None, &event);
        summary.observe(&event);
        check_text("a transcript", &transcript.event(None, &event));
    }
    check("a summary", &summary);
    check("a summary", &summary.finish(Wire::Responses, stream.ledger(), None));
    check("a transcript", &transcript);
    check_text("a transcript", &transcript.end(None, stream.ledger()));
    check("a page", &HtmlRenderer::new("a file"));
    check("a stream", &stream);
    check("a ledger", stream.ledger());
    check("a timeline", &timeline);
    let timeline = timeline.finish();
    check("a timeline", &timeline);
    timeline.attempts.iter().for_each(|attempt| check("an attempt", attempt));
}

/// `stream-replay`: recordings that nobody has redacted, servers and scripts.
async fn recordings() {
    let content = Content::Kept(Bytes::from_static(SECRET.as_bytes()));
    let mut exchange = RecordedExchange::new("POST", format!("/v1?key={SECRET}"));
    exchange.request_headers = pairs();
    exchange.request_body = content.clone();
    let chunk = RecordedChunk::new(Duration::ZERO, SECRET);
    let frame = RecordedFrame::new(Duration::ZERO, Peer::Client, FrameKind::Text, content.clone());
    check("content", &content);
    check("a chunk", &chunk);
    check("a frame", &frame);
    for course in [Course::Body(vec![chunk]), Course::WebSocket(vec![frame])] {
        check("a course", &course);
        let mut response = RecordedResponse::new(Duration::ZERO, 200, course);
        response.headers = pairs();
        check("a response", &response);
        exchange.response = Some(response);
        check("an exchange", &exchange);
        let cassette: Cassette = [exchange.clone()].into_iter().collect();
        check("a cassette", &cassette);
        assert!(cassette.to_string().contains(SECRET), "it is a file's text, not redacted before");
        let server = ReplayServer::builder().cassette(&cassette, stream_replay::Speed::default());
        check("a server of a cassette", &server);
        let cut = cassette.to_string().replace("body", "bo dy");
        check("a cassette that cannot be read", &Cassette::parse(cut).unwrap_err());
    }

    let exchange = stream_replay::Exchange::new().text(SECRET).close(1000, SECRET);
    check("an exchange", &exchange);
    let script = WebSocketScript::new().greet([SECRET]).exchange(exchange);
    check("a script", &script);
    for response in [
        Response::websocket(script).header("x-codex-turn-state", SECRET),
        Response::sse(SECRET).header("set-cookie", SECRET),
    ] {
        check("a response", &response);
        check("a server", &ReplayServer::builder().respond(response));
    }
    let fault = FaultScript::parse(&format!("send \"{SECRET}\"\nfin\n"));
    check("a fault script", &fault.unwrap());
    let wrong = FaultScript::parse(&format!("send \"{SECRET}\nfin\n"));
    check("a script that cannot be read", &wrong.unwrap_err());

    for upstream in [format!("http://me:{SECRET}@host.test"), format!("http://host.test/?key={SECRET}")] {
        let recorder = Recorder::builder(upstream);
        check("a recorder", &recorder);
        check("a refused upstream", &recorder.start().await.unwrap_err());
    }
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::builder(format!("http://{SECRET}.test/")).folder(folder.path()).start().await.unwrap();
    check("a recorder", &recorder);
    recorder.shutdown().await;
}

/// All of them.
pub(crate) async fn show() {
    http();
    http_over_sockets().await;
    engine();
    events();
    recordings().await;
}

#[test]
fn requests_proxies_and_transports_show_no_secret() {
    http();
}

#[tokio::test]
async fn bodies_and_refusals_show_no_secret() {
    http_over_sockets().await;
}

#[test]
fn an_engine_shows_no_turn_state() {
    engine();
}

#[test]
fn events_and_pictures_show_no_turn_state() {
    events();
}

#[tokio::test]
async fn recordings_and_servers_show_no_secret() {
    recordings().await;
}
