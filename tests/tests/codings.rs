//! Compressed answers and compressed requests, in whole turns.

mod support;

use std::io::Write;
use std::time::Duration;

use codex_api::{
    ClientBuilder, DecodeLimits, Decoding, Error, FailureKind, Request, RequestCompression, Timeouts, Transport,
    TurnEvent, Wire,
};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use stream_replay::{Exchange, Gate, ReplayServer, Response, WebSocketScript};
use support::{Tap, drain, impatient, playing, soon};

const CREATED: &str = "data: {\"type\":\"response.created\",\"response\":{\"id\":\"r\"}}\n\n";
const COMPLETED: &str = "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\"}}\n\n";

fn text_event(text: &str) -> String {
    format!("data: {{\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"{text}\"}}\n\n")
}

/// What a server sends that flushes its compressor behind each piece, and at last its end.
fn flushed(pieces: &[String]) -> Vec<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let mut coded = Vec::new();
    for piece in pieces {
        encoder.write_all(piece.as_bytes()).unwrap();
        encoder.flush().unwrap();
        coded.push(std::mem::take(encoder.get_mut()));
    }
    coded.push(encoder.finish().unwrap());
    coded
}

fn gzip(body: impl Into<String>) -> Vec<u8> {
    flushed(&[body.into()]).concat()
}

fn coded(body: Vec<u8>) -> Response {
    Response::sse(body).header("content-encoding", "gzip")
}

/// The answer to one request, its text put together, or the error; and the server that was asked.
async fn ask(
    response: Response,
    settings: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> (Result<String, Error>, ReplayServer) {
    let server = playing([response]).await;
    let client = settings(impatient(&server.base_url())).build().unwrap();
    let (events, error) = soon(drain(client.session().begin_turn().stream(Request::new("m").user("Hi")))).await;
    let texts = events.iter().filter_map(|event| match event {
        TurnEvent::TextDelta(delta) => Some(delta.text.as_str()),
        _ => None,
    });
    (error.map_or_else(|| Ok(texts.collect()), Err), server)
}

#[tokio::test]
async fn a_compressed_answer_is_asked_for_and_understood() {
    let body = format!("{CREATED}{}{COMPLETED}", text_event("Hello"));
    let (answer, server) = ask(coded(gzip(&body)), |client| client).await;
    assert_eq!(answer.unwrap(), "Hello");
    assert_eq!(server.requests()[0].header("accept-encoding"), Some("zstd, br, gzip"));
    // Who wants none gets none, and is understood if one comes all the same.
    let (answer, server) =
        ask(coded(gzip(&body)), |client| client.header("accept-encoding", "identity").unwrap()).await;
    assert_eq!(answer.unwrap(), "Hello");
    assert_eq!(server.requests()[0].header("accept-encoding"), Some("identity"));
}

#[tokio::test]
async fn without_decoding_the_answer_is_asked_for_as_it_is_and_refused_otherwise() {
    let body = format!("{CREATED}{}{COMPLETED}", text_event("Hello"));
    let raw = |client: ClientBuilder| client.decoding(Decoding::Raw);
    let (answer, server) = ask(Response::sse(body.clone()), raw).await;
    assert_eq!(answer.unwrap(), "Hello");
    assert_eq!(server.requests()[0].header("accept-encoding"), Some("identity"));
    let (answer, _) = ask(coded(gzip(&body)), raw).await;
    let error = answer.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (FailureKind::Protocol, false));
    assert!(error.message().contains("\"gzip\", which was not asked for"), "{error}");
}

#[tokio::test]
async fn each_event_comes_when_it_was_flushed() {
    let texts: Vec<String> = (0..20).map(|n| format!("word {n} ")).collect();
    let events: Vec<String> = texts.iter().map(|text| text_event(text)).collect();
    let chunks = flushed(&[&[CREATED.to_owned()], &events[..], &[COMPLETED.to_owned()]].concat());
    let gate = Gate::new();
    let chunks = chunks.into_iter().map(Into::into);
    let server = playing([coded(Vec::new()).chunks(chunks).gate(gate.clone())]).await;
    let client = impatient(&server.base_url()).build().unwrap();
    let mut stream = client.session().begin_turn().stream(Request::new("m").user("Hi"));
    gate.release();
    for text in texts {
        // Nothing of the next event has left the server.
        gate.release();
        loop {
            match soon(stream.try_next()).await.unwrap().expect("more is to come") {
                TurnEvent::TextDelta(delta) => break assert_eq!(delta.text, text),
                other => assert!(!other.is_terminal(), "{other:?}"),
            }
        }
    }
    // The end of the compressed data is not waited for.
    gate.release();
    while !soon(stream.try_next()).await.unwrap().expect("there is an end").is_terminal() {}
}

/// The compressed data has no end of its own, and comes in any pieces.
#[tokio::test]
async fn an_end_that_was_flushed_is_the_end() {
    let failed =
        json!({"type": "response.failed", "response": {"error": {"code": "invalid_prompt", "message": "No."}}});
    let chat = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n";
    for (wire, body, expected) in [
        (Wire::Responses, format!("{CREATED}data: {failed}\n"), Err("No.")),
        (
            Wire::Responses,
            format!("{CREATED}{}{}", text_event("Hi"), COMPLETED.trim_end_matches('\n')) + "\r",
            Ok("Hi"),
        ),
        (Wire::Chat, format!("{chat}data: DONE\n"), Ok("Hi")),
        (Wire::Chat, format!("{chat}data: [DONE]\r\n\r\n"), Ok("Hi")),
    ] {
        let begun = flushed(std::slice::from_ref(&body)).swap_remove(0);
        for length in [1, begun.len()] {
            let response = coded(begun.clone()).chunk_bytes(length).hold_until(Gate::new());
            let (answer, server) = ask(response, |client| client.wire(wire)).await;
            assert_eq!(answer.as_deref().map_err(Error::message), expected, "{length} {body}");
            assert_eq!(server.requests().len(), 1, "{length} {body}");
        }
    }
}

#[tokio::test]
async fn a_compressed_refusal_is_read() {
    let refusal = json!({"error": {"code": "invalid_prompt", "message": "No.", "type": "invalid_request_error"}});
    let response = Response::json(400, gzip(refusal.to_string())).header("content-encoding", "gzip");
    let (answer, server) = ask(response, |client| client).await;
    let error = answer.unwrap_err();
    assert_eq!((error.code(), error.message(), error.status()), (Some("invalid_prompt"), "No.", Some(400)));
    assert_eq!(server.requests().len(), 1);
}

/// A response that cannot be decoded: the kind of the error, how many requests were made, a part of its message.
async fn check_fails(name: &str, body: Vec<u8>, limits: DecodeLimits, expected: (FailureKind, usize, &str)) {
    let (answer, server) = ask(coded(body), |client| client.decode_limits(limits)).await;
    let error = answer.expect_err(name);
    let (kind, requests, message) = expected;
    assert_eq!((error.kind(), server.requests().len()), (kind, requests), "{name}: {error:?}");
    assert_eq!((error.attempts() as usize, error.is_retryable()), (requests, requests > 1), "{name}: {error:?}");
    assert!(error.message().contains(message), "{name}: {error}");
    assert!(std::error::Error::source(&error).is_some(), "{name}");
}

#[tokio::test]
async fn what_cannot_be_decoded_is_tried_again_where_that_could_help() {
    use FailureKind::{Protocol, TooLarge, Truncated};

    let limits = DecodeLimits::default();
    let start = format!("{CREATED}{}", text_event("Hello"));
    // A comment without end: no event is too large, and no event comes.
    let bomb = gzip(format!("{start}{}", ": nothing\n".repeat(2_000_000)));
    check_fails("36 bomb", bomb, limits, (TooLarge, 1, "it expands more than 200 : 1")).await;
    let long = gzip(format!("{start}{COMPLETED}"));
    let short = DecodeLimits { bytes: Some(100), ..limits };
    check_fails("36 longer than was set", long, short, (TooLarge, 1, "the limit of 100 bytes")).await;
    let plain = start.clone().into_bytes();
    check_fails("36 no gzip at all", plain, limits, (Protocol, 2, "does not begin as gzip does")).await;
    let chunks = flushed(std::slice::from_ref(&start));
    let corrupt = [&chunks[0][..], &[0xff; 20]].concat();
    check_fails("36 corrupt behind an event", corrupt, limits, (Protocol, 2, "the gzip data is corrupt")).await;
    check_fails("36 cut", chunks[0].clone(), limits, (Truncated, 9, "the gzip data ends too early")).await;
    // Nothing is missing of the compressed data, only of the answer.
    let (answer, server) = ask(coded(gzip(&start)), |client| client).await;
    assert_eq!((answer.unwrap_err().kind(), server.requests().len()), (Truncated, 9));
}

#[tokio::test]
async fn compressed_data_without_an_event_is_a_sign_of_life() {
    // The name of the file in the header of the member, letter by letter; then the rest.
    let body = gzip(format!("{CREATED}{COMPLETED}"));
    let mut named = body[..10].to_vec();
    named[3] = 8;
    let letters = (0..10).map(|_| b"x".to_vec());
    let end = [b"\0", &body[10..]].concat();
    let chunks: Vec<_> = [named].into_iter().chain(letters).chain([end]).map(Into::into).collect();
    let gate = Gate::new();
    let server = playing([coded(Vec::new()).chunks(chunks).gate(gate.clone())]).await;
    let idle = Duration::from_secs(10);
    let timeouts = Timeouts { idle: Some(idle), ..Timeouts::default() };
    let client = impatient(&server.base_url()).timeouts(timeouts).build().unwrap();
    let mut stream = client.session().begin_turn().stream(Request::new("m").user("Hi"));
    let mut tap = Tap::new(&gate);
    loop {
        tokio::select! {
            biased;
            item = stream.try_next() => {
                if item.unwrap().expect("there is an end").is_terminal() {
                    break;
                }
            }
            () = tap.arrived() => {
                // Sockets are not waited for in virtual time.
                tokio::time::pause();
                tokio::time::advance(idle * 9 / 10).await;
                tokio::time::resume();
                tap.release();
            }
        }
    }
    assert_eq!(server.requests().len(), 1);
}

fn unpacked(body: &[u8]) -> Value {
    let mut text = Vec::with_capacity(1 << 20);
    zstd_safe::decompress(&mut text, body).unwrap();
    serde_json::from_slice(&text).unwrap()
}

#[tokio::test]
async fn requests_are_compressed_once_where_it_is_worth_it() {
    let long = Request::new("m").user("Say it again. ".repeat(1000));
    let short = Request::new("m").user("Hi");
    let failing = Response::new(503);
    let done = || Response::sse(format!("{CREATED}{COMPLETED}"));
    let server = playing([failing, done()]).await;
    let settings =
        |compression| impatient(&server.base_url()).compress_requests(compression).build().unwrap().session();
    let (packing, plain) = (settings(RequestCompression::Zstd), settings(RequestCompression::Off));
    for (session, request) in [(&packing, &long), (&plain, &long), (&packing, &short)] {
        soon(session.begin_turn().stream(request.clone()).collect()).await.unwrap();
    }
    let requests = server.requests();
    let codings: Vec<_> = requests.iter().map(|request| request.header("content-encoding")).collect();
    assert_eq!(codings, [Some("zstd"), Some("zstd"), None, None]);
    assert_eq!(requests[0].body, requests[1].body, "all attempts send the same");
    assert!(requests[0].body.len() < requests[2].body.len() / 10);
    assert_eq!(unpacked(&requests[0].body), serde_json::from_slice::<Value>(&requests[2].body).unwrap());
    assert_eq!(requests[0].header("content-length"), Some(requests[0].body.len().to_string().as_str()));
    // A header of the caller's own says that the body is what it is.
    let client = impatient(&server.base_url()).compress_requests(RequestCompression::Zstd);
    let session = client.header("content-encoding", "identity").unwrap().build().unwrap().session();
    soon(session.begin_turn().stream(long).collect()).await.unwrap();
    let last = server.requests().pop().unwrap();
    assert_eq!((last.header("content-encoding"), &last.body), (Some("identity"), &requests[2].body));
}

#[tokio::test]
async fn messages_of_a_websocket_are_sent_as_they_are() {
    let events = [json!({"type": "response.completed", "response": {"id": "r"}}).to_string()];
    let exchange = events.iter().fold(Exchange::new(), |all, event| all.text(event.clone()));
    let server = playing([Response::websocket(WebSocketScript::new().exchange(exchange))]).await;
    let client = impatient(&server.base_url()).compress_requests(RequestCompression::Zstd);
    let session = client.transport(Transport::WebSocket).build().unwrap().session();
    soon(session.begin_turn().stream(Request::new("m").user("Again. ".repeat(1000))).collect()).await.unwrap();
    let handshake = &server.requests()[0];
    assert_eq!((handshake.header("content-encoding"), handshake.header("accept-encoding")), (None, None));
    assert!(server.messages()[0].text.contains("Again. Again."));
}
