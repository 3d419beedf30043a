//! What servers do to single streams of HTTP/2, frame by frame.

#![cfg(feature = "http2")]

mod support;

use std::future::Future;

use http::{StatusCode, Version};
use http_transport::{BodyLimits, Environment, Error, ErrorKind, Exchange, HttpVersions, Phase, Transport};
use support::frames::{
    CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, Frames, HEADERS, INTERNAL_ERROR, NO_ERROR,
    OK, PROTOCOL_ERROR, REFUSED_STREAM,
};
use support::{finish, post};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A transport with prior knowledge.
fn knowing() -> Transport {
    Transport::builder().environment(Environment::empty()).http_versions(HttpVersions::Http2).build().unwrap()
}

/// Serves the connections one after another by the script, which gets the number of each.
async fn serve<S, F>(connections: usize, script: S) -> (String, JoinHandle<Vec<F::Output>>)
where
    S: Fn(usize, Frames<TcpStream>) -> F + Send + 'static,
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut tasks = Vec::new();
        for number in 0..connections {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let frames = Frames::accept(stream).await;
            tasks.push(tokio::spawn(script(number, frames)));
        }
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.unwrap());
        }
        results
    });
    (uri, server)
}

/// The body of the answer to a request.
async fn ask(transport: &Transport, uri: &str) -> Result<String, Error> {
    let mut exchange = post(transport, uri);
    exchange.head().await?;
    rest(&mut exchange).await
}

async fn rest(exchange: &mut Exchange) -> Result<String, Error> {
    let mut body = Vec::new();
    while let Some(data) = exchange.data().await {
        body.extend_from_slice(&data?);
    }
    Ok(String::from_utf8(body).unwrap())
}

#[track_caller]
fn check(error: &Error, kind: ErrorKind, phase: Phase, message: &str, uri: &str) {
    assert_eq!((error.kind(), error.phase()), (kind, phase), "{error:?}");
    assert_eq!(error.to_string().replace(&uri.replace("http://", ""), "SERVER"), message);
}

#[tokio::test]
async fn requests_one_after_another_use_one_connection() {
    let (uri, server) = serve(1, |_, mut frames| async move {
        let mut seen = Vec::new();
        for _ in 0..3 {
            let stream = frames.request().await;
            frames.answer(stream, "hello").await;
            seen.push(stream);
        }
        assert!(frames.is_closed().await);
        seen
    })
    .await;
    let transport = knowing();
    for _ in 0..3 {
        let mut exchange = post(&transport, &uri);
        let head = exchange.head().await.unwrap();
        assert_eq!((head.status, head.version), (StatusCode::OK, Version::HTTP_2));
        assert_eq!(rest(&mut exchange).await.unwrap(), "hello");
        assert_eq!(exchange.phase(), Phase::Done);
    }
    drop(transport);
    assert_eq!(finish(server).await, [[1, 3, 5]]);
}

/// A server that resets the first `refused` requests, each on a connection of its own, and answers the next.
async fn refusing(refused: usize, connections: usize, reason: u32) -> (Result<String, Error>, Vec<u32>, String) {
    let (uri, server) = serve(connections, move |number, mut frames| async move {
        let stream = frames.request().await;
        if number < refused {
            frames.reset(stream, reason).await;
        } else {
            frames.answer(stream, "hello").await;
        }
        assert!(frames.is_closed().await, "one request each");
        stream
    })
    .await;
    let transport = knowing();
    let result = ask(&transport, &uri).await;
    drop(transport);
    (result, finish(server).await, uri)
}

#[tokio::test]
async fn a_refused_stream_is_sent_once_more_on_another_connection() {
    let (result, streams, _) = refusing(1, 2, REFUSED_STREAM).await;
    assert_eq!(result.unwrap(), "hello");
    assert_eq!(streams, [1, 1]);
}

#[tokio::test]
async fn a_stream_that_is_refused_again_is_an_error() {
    let (result, streams, uri) = refusing(2, 2, REFUSED_STREAM).await;
    let message = "SERVER refused the request before it looked at it (REFUSED_STREAM)";
    check(&result.unwrap_err(), ErrorKind::NotSent, Phase::Head, message, &uri);
    assert_eq!(streams, [1, 1]);
}

#[tokio::test]
async fn other_resets_before_the_head_are_not_repeated() {
    for (reason, kind, message) in [
        (INTERNAL_ERROR, ErrorKind::Unanswered, "SERVER reset the request before it answered (INTERNAL_ERROR)"),
        (PROTOCOL_ERROR, ErrorKind::Unanswered, "SERVER reset the request before it answered (PROTOCOL_ERROR)"),
        (NO_ERROR, ErrorKind::Unanswered, "SERVER reset the request before it answered (NO_ERROR)"),
        (ENHANCE_YOUR_CALM, ErrorKind::Overloaded, "SERVER asks for fewer requests (ENHANCE_YOUR_CALM)"),
    ] {
        let (result, _, uri) = refusing(1, 1, reason).await;
        check(&result.unwrap_err(), kind, Phase::Head, message, &uri);
    }
}

#[tokio::test]
async fn a_reset_in_the_body_is_told_by_its_name() {
    for (reason, kind, message) in [
        (INTERNAL_ERROR, ErrorKind::Truncated, "SERVER reset the response body (INTERNAL_ERROR)"),
        (CANCEL, ErrorKind::Truncated, "SERVER reset the response body (CANCEL)"),
        (255, ErrorKind::Truncated, "SERVER reset the response body (error code 255)"),
        // No word of an end: what came is not the whole.
        (NO_ERROR, ErrorKind::Truncated, "SERVER reset the response body (NO_ERROR)"),
        (ENHANCE_YOUR_CALM, ErrorKind::Overloaded, "SERVER asks for fewer requests (ENHANCE_YOUR_CALM)"),
    ] {
        let (uri, server) = serve(1, move |_, mut frames| async move {
            let stream = frames.request().await;
            frames.write(HEADERS, END_HEADERS, stream, OK).await;
            frames.write(DATA, 0, stream, b"hel").await;
            frames.reset(stream, reason).await;
            assert!(frames.is_closed().await);
        })
        .await;
        let mut exchange = post(&knowing(), &uri);
        exchange.head().await.unwrap();
        assert_eq!(exchange.data().await.unwrap().unwrap(), "hel");
        check(&exchange.data().await.unwrap().unwrap_err(), kind, Phase::Body, message, &uri);
        assert!(exchange.data().await.is_none());
        drop(exchange);
        finish(server).await;
    }
}

#[tokio::test]
async fn an_early_answer_is_whole_although_the_rest_of_the_request_is_refused() {
    // RFC 9113, section 8.1.
    let (uri, server) = serve(1, |_, mut frames| async move {
        let stream = frames.next().await.unwrap().stream;
        frames.answer(stream, "enough").await;
        frames.reset(stream, NO_ERROR).await;
        frames
    })
    .await;
    assert_eq!(ask(&knowing(), &uri).await.unwrap(), "enough");
    drop(finish(server).await);
}

/// Two requests, the first of which gets what `first` does and the second an answer; how many connections there were
/// is `connections`.
async fn check_next<F>(connections: usize, first: impl Fn(Frames<TcpStream>, u32) -> F + Send + Copy + 'static)
where
    F: Future<Output = Frames<TcpStream>> + Send + 'static,
{
    let (uri, server) = serve(connections, move |number, mut frames| async move {
        if number == 0 {
            let stream = frames.request().await;
            frames = first(frames, stream).await;
        }
        if number == connections - 1 {
            let stream = frames.request().await;
            frames.answer(stream, "hello").await;
        }
        assert!(frames.is_closed().await);
    })
    .await;
    let transport = knowing();
    let mut exchange = post(&transport, &uri);
    if exchange.head().await.is_ok() {
        exchange.read_body_limited(BodyLimits::default()).await;
    }
    drop(exchange);
    assert_eq!(ask(&transport, &uri).await.unwrap(), "hello");
    drop(transport);
    finish(server).await;
}

#[tokio::test]
async fn a_connection_is_used_again_unless_a_stream_of_it_went_wrong() {
    check_next(1, |mut frames, stream| async move {
        frames.answer(stream, "hello").await;
        frames
    })
    .await;
    // The service is tired, not the connection.
    check_next(1, |mut frames, stream| async move {
        frames.reset(stream, ENHANCE_YOUR_CALM).await;
        frames
    })
    .await;
    check_next(2, |mut frames, stream| async move {
        frames.reset(stream, PROTOCOL_ERROR).await;
        frames
    })
    .await;
    // 421: literal `:status`, name from the table.
    check_next(2, |mut frames, stream| async move {
        frames.write(HEADERS, END_HEADERS | END_STREAM, stream, b"\x08\x03421").await;
        frames
    })
    .await;
}

#[tokio::test]
async fn after_goaway_the_open_stream_goes_on_and_the_next_is_on_a_new_connection() {
    let (uri, server) = serve(2, |number, mut frames| async move {
        let stream = frames.request().await;
        if number == 0 {
            frames.write(HEADERS, END_HEADERS, stream, OK).await;
            frames.write(DATA, 0, stream, b"one").await;
            frames.go_away(stream, NO_ERROR).await;
            frames.write(DATA, 0, stream, b"two").await;
            // The client's answer to this says that it has seen what is before it.
            frames.write(support::frames::PING, 0, 0, &[0; 8]).await;
            while frames.read().await.unwrap().kind != support::frames::PING {}
        } else {
            frames.answer(stream, "next").await;
        }
        (frames, stream)
    })
    .await;
    let transport = knowing();
    let mut first = post(&transport, &uri);
    first.head().await.unwrap();
    assert_eq!(first.data().await.unwrap().unwrap(), "one");
    assert_eq!(first.data().await.unwrap().unwrap(), "two");
    assert_eq!(ask(&transport, &uri).await.unwrap(), "next");

    let mut connections = finish(server).await;
    let (frames, stream) = &mut connections[0];
    frames.write(DATA, END_STREAM, *stream, b"three").await;
    assert_eq!(rest(&mut first).await.unwrap(), "three");
    assert!(frames.is_closed().await, "nobody needs the old connection any more");
}

#[tokio::test]
async fn a_request_behind_the_last_stream_of_a_goaway_is_sent_once_more() {
    let (uri, server) = serve(2, |number, mut frames| async move {
        let stream = frames.request().await;
        match number {
            0 => frames.go_away(0, NO_ERROR).await,
            _ => frames.answer(stream, "hello").await,
        }
        assert!(frames.is_closed().await);
    })
    .await;
    let transport = knowing();
    assert_eq!(ask(&transport, &uri).await.unwrap(), "hello");
    drop(transport);
    finish(server).await;
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_costs_nothing() {
    // Once before the request, once behind it.
    for read in [false, true] {
        let (uri, server) = serve(2, move |number, mut frames| async move {
            let stream = frames.request().await;
            frames.answer(stream, "hello").await;
            if number == 0 && read {
                frames.request().await;
            }
            if number == 1 {
                assert!(frames.is_closed().await);
            }
        })
        .await;
        let transport = knowing();
        for _ in 0..2 {
            assert_eq!(ask(&transport, &uri).await.unwrap(), "hello");
        }
        drop(transport);
        finish(server).await;
    }
}

#[tokio::test]
async fn a_fresh_connection_that_is_closed_behind_the_request_is_unanswered() {
    let (uri, server) = serve(1, |_, mut frames| async move {
        frames.request().await;
    })
    .await;
    let error = post(&knowing(), &uri).head().await.unwrap_err();
    check(&error, ErrorKind::Unanswered, Phase::Head, "SERVER closed the connection before it answered", &uri);
    finish(server).await;
}

#[tokio::test]
async fn dropping_an_exchange_cancels_its_stream_alone() {
    let (seen, are_seen) = oneshot::channel();
    let (uri, server) = support::serve(|stream| async move {
        let mut frames = Frames::accept(stream).await;
        // One before its head, one in its body.
        let waiting = frames.request().await;
        let streaming = frames.request().await;
        frames.write(HEADERS, END_HEADERS, streaming, OK).await;
        for stream in [waiting, streaming] {
            let reset = frames.next().await.unwrap();
            assert_eq!((reset.stream, reset.reason()), (stream, CANCEL));
        }
        seen.send(()).unwrap();
        let next = frames.request().await;
        frames.answer(next, "hello").await;
        assert!(frames.is_closed().await);
    })
    .await;
    let transport = knowing();
    let mut waiting = post(&transport, &uri);
    let mut streaming = post(&transport, &uri);
    tokio::select! {
        biased;
        _ = waiting.head() => unreachable!("it gets no answer"),
        head = streaming.head() => head.unwrap(),
    };
    drop(waiting);
    drop(streaming);
    are_seen.await.unwrap();
    assert_eq!(ask(&transport, &uri).await.unwrap(), "hello");
    drop(transport);
    finish(server).await;
}

#[tokio::test]
async fn a_finished_exchange_is_drained_before_it_is_cancelled() {
    let (uri, server) = serve(1, |_, mut frames| async move {
        let stream = frames.request().await;
        frames.write(HEADERS, END_HEADERS, stream, OK).await;
        frames.write(DATA, 0, stream, b"the last event").await;
        let next = frames.request().await;
        // Whatever is late comes within the time.
        frames.write(DATA, END_STREAM, stream, b"").await;
        frames.answer(next, "hello").await;
        let reset = frames.next().await;
        assert!(reset.is_none(), "{reset:?}");
    })
    .await;
    let transport = knowing();
    let mut first = post(&transport, &uri);
    first.head().await.unwrap();
    assert_eq!(first.data().await.unwrap().unwrap(), "the last event");
    first.finish();
    assert_eq!(ask(&transport, &uri).await.unwrap(), "hello");
    drop(transport);
    finish(server).await;
}

/// The error that an answer with this head block comes to.
async fn check_head(block: Vec<u8>, kind: ErrorKind, message: &str) {
    let pieces: Vec<Vec<u8>> = block.chunks(16_384).map(<[u8]>::to_vec).collect();
    let (uri, server) = support::serve(|stream| async move {
        let mut frames = Frames::accept(stream).await;
        let stream = frames.request().await;
        for (number, piece) in pieces.iter().enumerate() {
            let kind = if number == 0 { HEADERS } else { CONTINUATION };
            let flags = if number + 1 == pieces.len() { END_HEADERS } else { 0 };
            frames.write(kind, flags, stream, piece).await;
        }
        frames
    })
    .await;
    let error = post(&knowing(), &uri).head().await.unwrap_err();
    check(&error, kind, Phase::Head, message, &uri);
    drop(finish(server).await);
}

/// A header that is new to the table (RFC 7541, section 6.2.2), its value `length` < 16 Ki bytes of `x`.
fn header(name: &str, length: usize) -> Vec<u8> {
    let mut block = vec![0, name.len() as u8];
    block.extend_from_slice(name.as_bytes());
    let above = length - 127;
    block.extend_from_slice(&[127, (above & 127) as u8 | 128, (above >> 7) as u8]);
    block.resize(block.len() + length, b'x');
    block
}

#[tokio::test]
async fn a_head_beyond_its_limits_is_too_large() {
    let large = [OK.to_vec(), (0..9).flat_map(|n| header(&format!("x-{n}"), 8_000)).collect()].concat();
    check_head(large, ErrorKind::TooLarge, "the response head of SERVER is larger than 64 KiB").await;
    let vast = [OK.to_vec(), (0..40).flat_map(|n| header(&format!("x-{n}"), 8_000)).collect()].concat();
    check_head(vast, ErrorKind::TooLarge, "the response head of SERVER is larger than 64 KiB").await;
    let many = [OK.to_vec(), (0..101).flat_map(|n| header(&format!("x-{n}"), 130)).collect()].concat();
    check_head(many, ErrorKind::TooLarge, "the response head of SERVER has more than 100 headers").await;
}

#[tokio::test]
async fn a_head_that_is_not_http_2_is_a_protocol_error() {
    let message = "SERVER did not answer with valid HTTP/2 (PROTOCOL_ERROR)";
    // No status; a header that is about the connection.
    check_head(b"\x00\x01a\x01b".to_vec(), ErrorKind::Protocol, message).await;
    check_head(b"\x88\x00\x0aconnection\x05close".to_vec(), ErrorKind::Protocol, message).await;
}

/// What becomes of two requests on one connection, one in its body and one before its head, when `blunder` follows; and
/// of one in its body alone.
async fn check_neighbours<F>(
    blunder: fn(Frames<TcpStream>, u32) -> F,
    waiting: (ErrorKind, &str),
    body: (ErrorKind, &str),
) where
    F: Future<Output = Frames<TcpStream>> + Send + 'static,
{
    let (uri, server) = support::serve(move |stream| async move {
        let mut frames = Frames::accept(stream).await;
        let (streaming, waiting) = (frames.request().await, frames.request().await);
        frames.write(HEADERS, END_HEADERS, streaming, OK).await;
        frames.write(DATA, 0, streaming, &[b'x'; 15_000]).await;
        frames.write(DATA, 0, streaming, &[b'x'; 15_000]).await;
        frames.write(DATA, 0, streaming, &[b'x'; 15_000]).await;
        blunder(frames, waiting).await
    })
    .await;
    let transport = knowing();
    let (mut first, mut second) = (post(&transport, &uri), post(&transport, &uri));
    let (head, error) = tokio::join!(first.head(), second.head());
    head.unwrap();
    check(&error.unwrap_err(), waiting.0, Phase::Head, waiting.1, &uri);
    let error = rest(&mut first).await.err();
    match error {
        Some(error) => check(&error, body.0, Phase::Body, body.1, &uri),
        None => assert_eq!(body.1, "", "the body ended well"),
    }
    drop(finish(server).await);
}

#[tokio::test]
async fn nobody_is_blamed_for_what_a_neighbour_was_sent() {
    let broken = "SERVER broke the connection of several requests (PROTOCOL_ERROR)";
    // Data of no stream end the connection.
    check_neighbours(
        |mut frames, _| async move {
            frames.write(DATA, 0, 0, b"x").await;
            frames
        },
        (ErrorKind::Unanswered, broken),
        (ErrorKind::Truncated, broken),
    )
    .await;
    // A bad head ends its own stream, and it is not large because its neighbour has a body.
    check_neighbours(
        |mut frames, waiting| async move {
            frames.write(HEADERS, END_HEADERS, waiting, b"\x00\x01a\x01b").await;
            frames.write(DATA, END_STREAM, waiting - 2, b"x").await;
            frames
        },
        (ErrorKind::Protocol, "SERVER did not answer with valid HTTP/2 (PROTOCOL_ERROR)"),
        (ErrorKind::Protocol, ""),
    )
    .await;
}

#[tokio::test]
async fn a_stream_is_not_blamed_for_the_rest_of_one_that_was_left() {
    let (seen, is_seen) = oneshot::channel();
    let (uri, server) = support::serve(|stream| async move {
        let mut frames = Frames::accept(stream).await;
        let left = frames.request().await;
        frames.write(HEADERS, END_HEADERS, left, OK).await;
        let reset = frames.next().await.unwrap();
        assert_eq!((reset.stream, reset.reason()), (left, CANCEL));
        seen.send(()).unwrap();
        let next = frames.request().await;
        for _ in 0..3 {
            frames.write(DATA, 0, left, &[b'x'; 15_000]).await;
        }
        frames.write(HEADERS, END_HEADERS, next, b"\x00\x01a\x01b").await;
        frames
    })
    .await;
    let transport = knowing();
    let mut left = post(&transport, &uri);
    left.head().await.unwrap();
    drop(left);
    is_seen.await.unwrap();
    let error = post(&transport, &uri).head().await.unwrap_err();
    let message = "SERVER did not answer with valid HTTP/2 (PROTOCOL_ERROR)";
    check(&error, ErrorKind::Protocol, Phase::Head, message, &uri);
    drop(finish(server).await);
}

#[tokio::test]
async fn frames_without_end_are_too_large() {
    let (uri, server) = support::serve(|stream| async move {
        let mut frames = Frames::accept(stream).await;
        let stream = frames.request().await;
        frames.write(HEADERS, 0, stream, OK).await;
        // As many as carry a head of 64 KiB, and one.
        for _ in 0..6 {
            frames.write(CONTINUATION, 0, stream, b"").await;
        }
        frames
    })
    .await;
    let error = post(&knowing(), &uri).head().await.unwrap_err();
    let message = "SERVER sent more frames than an answer needs (ENHANCE_YOUR_CALM)";
    check(&error, ErrorKind::TooLarge, Phase::Head, message, &uri);
    drop(finish(server).await);
}

#[tokio::test]
async fn a_server_of_http_1_is_told() {
    let (uri, server) = support::serve(|mut stream| async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        stream.read_exact(&mut [0; 24]).await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        stream
    })
    .await;
    let error = post(&knowing(), &uri).head().await.unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Protocol, Phase::Head), "{error:?}");
    assert!(error.to_string().contains("did not answer with valid HTTP/2"), "{error}");
    drop(finish(server).await);
}

#[tokio::test]
async fn interim_answers_are_passed_over_up_to_a_limit() {
    for (count, is_ok) in [(32, true), (33, false)] {
        let (uri, server) = serve(1, move |_, mut frames| async move {
            let stream = frames.request().await;
            for _ in 0..count {
                frames.write(HEADERS, END_HEADERS, stream, b"\x08\x03103").await;
            }
            frames.answer(stream, "hello").await;
            frames
        })
        .await;
        let result = post(&knowing(), &uri).head().await;
        match result {
            Ok(head) => assert!(is_ok && head.status == StatusCode::OK),
            Err(error) => {
                assert!(!is_ok, "{error:?}");
                let message = "SERVER sends interim answers without end";
                check(&error, ErrorKind::Protocol, Phase::Head, message, &uri);
            }
        }
        drop(finish(server).await);
    }
}

#[tokio::test]
async fn a_body_below_its_length_is_cut_and_one_above_it_a_protocol_error() {
    // `content-length` (name from the table) of 9 and of 3.
    let cut = (ErrorKind::Truncated, "SERVER ended the response body too early");
    let breach = (ErrorKind::Protocol, "SERVER sent a malformed response body (PROTOCOL_ERROR)");
    for (head, (kind, message)) in [(b"\x88\x0f\x0d\x019", cut), (b"\x88\x0f\x0d\x013", breach)] {
        let (uri, server) = serve(1, move |_, mut frames| async move {
            let stream = frames.request().await;
            frames.write(HEADERS, END_HEADERS, stream, head).await;
            frames.write(DATA, 0, stream, b"hel").await;
            frames.write(DATA, END_STREAM, stream, if kind == ErrorKind::Truncated { b"" } else { b"lo" }).await;
            frames
        })
        .await;
        let mut exchange = post(&knowing(), &uri);
        exchange.head().await.unwrap();
        let error = rest(&mut exchange).await.unwrap_err();
        check(&error, kind, Phase::Body, message, &uri);
        drop(finish(server).await);
    }
}
