//! Coded bodies, from the socket to the caller.
#![cfg(feature = "gzip")]

mod support;

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, Method};
use http_transport::{BodyEnd, BodyLimits, DecodeLimits, Decoding, Environment, ErrorKind, Phase, Request, Transport};
use support::{finish, post, read_request, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

fn gzip(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn automatic() -> Transport {
    Transport::builder().environment(Environment::empty()).build().unwrap()
}

/// A whole answer with a `content-length`.
fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// What comes of an answer: the two headers of the head that the caller sees, the body, and how it ends.
async fn check(
    transport: &Transport,
    method: Method,
    answer: Vec<u8>,
    expected: (Option<&str>, Option<usize>, &str, &str),
) {
    let (uri, server) = serve(async move |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(&answer).await.unwrap();
        // The client keeps the connection, or closes it.
        let _ = stream.read_u8().await;
    })
    .await;
    let mut request = Request::get(uri.parse().unwrap(), HeaderMap::new());
    request.method = method;
    let mut exchange = transport.open(request);
    let head = exchange.head().await.unwrap();
    let mut body = Vec::new();
    let end = loop {
        match exchange.data().await {
            Some(Ok(data)) => body.extend_from_slice(&data),
            Some(Err(error)) => {
                assert_eq!((error.phase(), exchange.phase()), (Phase::Body, Phase::Body));
                assert!(std::error::Error::source(&error).is_some());
                break format!("{:?}: {error}", error.kind()).replace(uri.strip_prefix("http://").unwrap(), "HOST");
            }
            None => break exchange.phase().to_string(),
        }
    };
    assert!(exchange.data().await.is_none(), "the end is final");
    let coding = head.headers.get("content-encoding").map(|value| value.to_str().unwrap());
    let length = head.headers.get("content-length").map(|value| value.to_str().unwrap().parse().unwrap());
    let body = body.escape_ascii().to_string();
    assert_eq!((coding, length, body.as_str(), end.as_str()), expected);
    // It may wait for another request on the connection.
    server.abort();
}

#[tokio::test]
async fn a_coded_body_comes_decoded_and_its_head_tells_nothing_of_it() {
    let transport = automatic();
    for name in ["gzip", "x-gzip", "GZIP", "identity, gzip"] {
        let answer = answer("200 OK", &format!("content-encoding: {name}\r\n"), &gzip("hello"));
        check(&transport, Method::GET, answer, (None, None, "hello", "done")).await;
    }
    let twice = answer("200 OK", "content-encoding: gzip\r\ncontent-encoding: gzip\r\n", &gzip(gzip("hello")));
    check(&transport, Method::GET, twice, (None, None, "hello", "done")).await;
    let nothing = b"HTTP/1.1 204 No Content\r\ncontent-encoding: gzip\r\n\r\n".to_vec();
    check(&transport, Method::GET, nothing, (None, None, "", "done")).await;
}

#[tokio::test]
async fn what_is_not_to_be_decoded_is_left_alone() {
    let transport = automatic();
    let plain = |headers: &str| answer("200 OK", headers, b"hello");
    check(&transport, Method::GET, plain(""), (None, Some(5), "hello", "done")).await;
    for name in ["identity", "odd", "gzip, odd", "gzip, gzip, gzip, gzip"] {
        let answer = plain(&format!("content-encoding: {name}\r\n"));
        check(&transport, Method::GET, answer, (Some(name), Some(5), "hello", "done")).await;
    }
    let part = answer("206 Partial Content", "content-encoding: gzip\r\n", b"hello");
    check(&transport, Method::GET, part, (Some("gzip"), Some(5), "hello", "done")).await;
    let head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 25\r\n\r\n".to_vec();
    check(&transport, Method::HEAD, head, (Some("gzip"), Some(25), "", "done")).await;
    let raw = Transport::builder().environment(Environment::empty()).decoding(Decoding::Raw).build().unwrap();
    let coded = plain("content-encoding: gzip\r\n");
    check(&raw, Method::GET, coded, (Some("gzip"), Some(5), "hello", "done")).await;
}

#[tokio::test]
async fn what_is_wrong_with_a_coded_body_is_told() {
    let coded = |body: &[u8]| answer("200 OK", "content-encoding: gzip\r\n", body);
    let check = async |answer, text: &str, end: &str| {
        check(&automatic(), Method::GET, answer, (None, None, text, end)).await;
    };
    check(coded(b"hello"), "", "Protocol: HOST sent a malformed response body").await;
    check(coded(&[&gzip("hello")[..], b"!"].concat()), "hello", "Protocol: HOST sent a malformed response body").await;
    let whole = gzip("hello");
    check(coded(&whole[..whole.len() - 1]), "hello", "Truncated: HOST ended the response body too early").await;
}

#[tokio::test]
async fn a_limit_in_bytes_is_a_setting() {
    let limits = DecodeLimits { bytes: Some(4), ..DecodeLimits::default() };
    let short = Transport::builder().environment(Environment::empty()).decode_limits(limits).build().unwrap();
    let expected = (None, None, "", "TooLarge: HOST sent a response body that is too large to decode");
    check(&short, Method::GET, answer("200 OK", "content-encoding: gzip\r\n", &gzip("hello")), expected).await;
}

#[tokio::test]
async fn a_bomb_is_left_and_its_socket_closed() {
    let (uri, server) = serve(async |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n").await.unwrap();
        let bomb = gzip(vec![0; 32 << 20]);
        let mut sent = 0;
        // Again and again, as long as anyone listens.
        while stream.write_all(&bomb).await.is_ok() {
            sent += bomb.len();
        }
        sent
    })
    .await;
    let mut exchange = post(&automatic(), &uri);
    exchange.head().await.unwrap();
    let mut length = 0;
    let error = loop {
        match exchange.data().await.expect("it does not end") {
            Ok(data) => length += data.len(),
            Err(error) => break error,
        }
    };
    assert_eq!((error.kind(), error.phase()), (ErrorKind::TooLarge, Phase::Body));
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "it expands more than 200 : 1");
    assert!(length <= 8 << 20, "{length}");
    // The exchange is still there, its socket is not.
    finish(server).await;
    drop(exchange);
}

#[tokio::test]
async fn each_event_comes_when_the_server_flushes_it() {
    let (seen, mut told) = mpsc::channel::<()>(1);
    let (uri, server) = serve(async move |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n").await.unwrap();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        for n in 0..20 {
            encoder.write_all(format!("data: {n}\n\n").as_bytes()).unwrap();
            encoder.flush().unwrap();
            stream.write_all(&std::mem::take(encoder.get_mut())).await.unwrap();
            told.recv().await.expect("the event was seen");
        }
        stream.write_all(&encoder.finish().unwrap()).await.unwrap();
    })
    .await;
    let mut exchange = post(&automatic(), &uri);
    exchange.head().await.unwrap();
    let mut received = 0;
    for n in 0..20 {
        assert_eq!(exchange.data().await.unwrap().unwrap(), format!("data: {n}\n\n"));
        assert!(exchange.coded_bytes_received() > received, "signs of life are counted");
        received = exchange.coded_bytes_received();
        seen.send(()).await.unwrap();
    }
    assert!(exchange.data().await.is_none());
    finish(server).await;
}

#[tokio::test]
async fn a_connection_is_used_again_behind_a_coded_body() {
    let (uri, server) = serve(async |mut stream| {
        for _ in 0..2 {
            read_request(&mut stream).await;
            let answer = answer("200 OK", "content-encoding: gzip\r\n", &gzip("hello"));
            stream.write_all(&answer).await.unwrap();
        }
    })
    .await;
    let transport = automatic();
    let mut exchange = post(&transport, &uri);
    exchange.head().await.unwrap();
    while exchange.data().await.is_some() {}
    // What is left of this one is not even decoded.
    let mut exchange = post(&transport, &uri);
    exchange.head().await.unwrap();
    exchange.finish();
    finish(server).await;
}

#[tokio::test]
async fn the_text_of_a_refusal_is_decoded_within_its_limits() {
    for (limit, expected, is_whole) in [(100, "No such model.", true), (7, "No such", false)] {
        let (uri, server) = serve(async |mut stream| {
            read_request(&mut stream).await;
            let answer = answer("404 Not Found", "content-encoding: gzip\r\n", &gzip("No such model."));
            stream.write_all(&answer).await.unwrap();
        })
        .await;
        let mut exchange = post(&automatic(), &uri);
        exchange.head().await.unwrap();
        let limits = BodyLimits { bytes: limit, ..BodyLimits::default() };
        let body = exchange.read_body_limited(limits).await;
        assert_eq!((&body.bytes[..], matches!(body.end, BodyEnd::Complete)), (expected.as_bytes(), is_whole));
        finish(server).await;
    }
}
