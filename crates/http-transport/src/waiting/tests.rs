//! Over an in-memory stream and paused time: nothing here depends on a socket or on speed.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, advance, sleep, timeout};

use super::Waiting;
use crate::call::Call;
use crate::error::{Error, ErrorKind};
use crate::head::Head;
use crate::http1::Http1;
use crate::outgoing::prepare;
use crate::phase::Phase;
use crate::request::Request;
use crate::target::Target;

const LIMIT: Duration = Duration::from_secs(60);
const BODY: usize = 10_000;

/// A POST of `BODY` bytes over a pipe that holds `pipe` bytes, and the server's end of it.
async fn start(pipe: usize) -> (Waiting, DuplexStream) {
    start_with(HeaderMap::new(), pipe).await
}

async fn start_with(headers: HeaderMap, pipe: usize) -> (Waiting, DuplexStream) {
    let (near, far) = duplex(pipe);
    let uri = "http://a.example/".parse().unwrap();
    let request = Request::post(uri, headers, Bytes::from(vec![b'x'; BODY]));
    let target = Target::parse(&request.uri).unwrap();
    let request = prepare(request, &target, &crate::proxy::Route::Direct).unwrap();
    let http = Http1::start(Box::new(near), request).await.unwrap();
    let waiting = Waiting::new(Arc::new(target.endpoint), Call::Http1(Box::new(http)), Some(LIMIT));
    (waiting, far)
}

/// The outcome, which is there in any case long before the (virtual) end of this.
async fn head(waiting: &mut Waiting) -> Result<Head, Error> {
    timeout(100 * LIMIT, poll_fn(|cx| waiting.poll(cx))).await.expect("there is a deadline")
}

#[track_caller]
fn check_error(result: Result<Head, Error>, kind: ErrorKind, phase: Phase, message: &str) {
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.phase()), (kind, phase), "{error:?}");
    assert_eq!(error.to_string(), message);
}

/// Timers count whole milliseconds and round up.
#[track_caller]
fn check_elapsed(start: Instant, expected: Duration) {
    let taken = start.elapsed();
    assert!(taken >= expected && taken < expected + Duration::from_millis(5), "{taken:?}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_times_out_after_the_head_timeout() {
    let (mut waiting, _far) = start(100_000).await;
    let start = Instant::now();
    let result = head(&mut waiting).await;
    let message = "no response head came from a.example:80 within 60s (head timeout)";
    check_error(result, ErrorKind::Timeout, Phase::Head, message);
    check_elapsed(start, LIMIT);
}

#[tokio::test(start_paused = true)]
async fn bytes_and_interim_answers_do_not_extend_the_head_timeout() {
    let (mut waiting, mut far) = start(100_000).await;
    let start = Instant::now();
    let server = tokio::spawn(async move {
        far.write_all(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nx-slow: ").await.unwrap();
        for _ in 0..20 {
            sleep(Duration::from_secs(10)).await;
            if far.write_all(b"x").await.is_err() {
                break;
            }
        }
    });
    let result = head(&mut waiting).await;
    let message = "no response head came from a.example:80 within 60s (head timeout)";
    check_error(result, ErrorKind::Timeout, Phase::Head, message);
    check_elapsed(start, LIMIT);
    server.abort();
}

#[tokio::test(start_paused = true)]
async fn the_head_timeout_starts_when_the_request_is_written() {
    let (mut waiting, mut far) = start(1_000).await;
    let start = Instant::now();
    let server = tokio::spawn(async move {
        sleep(Duration::from_secs(50)).await;
        let mut request = vec![0; BODY];
        far.read_exact(&mut request).await.unwrap();
        far
    });
    let result = head(&mut waiting).await;
    let message = "no response head came from a.example:80 within 60s (head timeout)";
    check_error(result, ErrorKind::Timeout, Phase::Head, message);
    check_elapsed(start, Duration::from_secs(50) + LIMIT);
    drop(server.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_nobody_reads_times_out_while_sending() {
    let (mut waiting, _far) = start(1_000).await;
    let start = Instant::now();
    let result = head(&mut waiting).await;
    let message = "a.example:80 took no more of the request for 60s (head timeout)";
    check_error(result, ErrorKind::Timeout, Phase::Sending, message);
    // The first bytes count as progress: one period for them, one without any.
    check_elapsed(start, 2 * LIMIT);
}

#[tokio::test(start_paused = true)]
async fn a_request_is_not_sent_with_its_headers_alone() {
    // More headers than hyper buffers are flushed on their own. All of them fit the pipe, the body does not.
    let mut headers = HeaderMap::new();
    headers.insert("x-large", "x".repeat(100_000).parse().unwrap());
    let (mut waiting, _far) = start_with(headers, 105_000).await;
    let result = head(&mut waiting).await;
    let message = "a.example:80 took no more of the request for 60s (head timeout)";
    check_error(result, ErrorKind::Timeout, Phase::Sending, message);
}

#[tokio::test(start_paused = true)]
async fn a_slow_upload_that_moves_is_not_cut() {
    let (mut waiting, mut far) = start(1_000).await;
    let server = tokio::spawn(async move {
        let mut piece = [0; 1_000];
        // Ten times the limit in all.
        for _ in 0..20 {
            sleep(LIMIT / 2).await;
            if far.read(&mut piece).await.unwrap() < piece.len() {
                break;
            }
        }
        far.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        far
    });
    assert_eq!(head(&mut waiting).await.unwrap().status, 204);
    drop(server.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_head_that_waits_for_a_late_caller_is_no_timeout() {
    let (mut waiting, mut far) = start(100_000).await;
    poll_fn(|cx| {
        assert!(waiting.poll(cx).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    far.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    advance(10 * LIMIT).await;
    assert_eq!(head(&mut waiting).await.unwrap().status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_speaks_first_is_not_http() {
    for greeting in ["SSH-2.0-OpenSSH_9.9\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"] {
        let (mut waiting, mut far) = start(100_000).await;
        far.write_all(greeting.as_bytes()).await.unwrap();
        let result = head(&mut waiting).await;
        let message = "a.example:80 did not answer with valid HTTP";
        check_error(result, ErrorKind::Protocol, Phase::Sending, message);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_closed_before_the_request_is_not_sent() {
    let (mut waiting, far) = start(100_000).await;
    drop(far);
    let message = "a.example:80 closed the connection before the request was sent";
    check_error(head(&mut waiting).await, ErrorKind::NotSent, Phase::Sending, message);
}

#[tokio::test(start_paused = true)]
async fn interim_answers_are_skipped_up_to_a_bound() {
    for (count, accepted) in [(1, true), (32, true), (33, false), (1000, false)] {
        let (mut waiting, mut far) = start(100_000).await;
        let mut answer = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".repeat(count);
        answer.push_str("HTTP/1.1 200 OK\r\n\r\n");
        let (result, ()) = tokio::join!(head(&mut waiting), async {
            far.read_exact(&mut [0; BODY]).await.unwrap();
            far.write_all(answer.as_bytes()).await.unwrap();
        });
        match result {
            Ok(head) => assert!(accepted && head.status == 200, "{count}"),
            Err(error) => {
                assert!(!accepted, "{count}: {error:?}");
                assert_eq!(error.kind(), ErrorKind::Protocol);
            }
        }
    }
}

fn upgrade_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("connection", "Upgrade".parse().unwrap());
    headers.insert("upgrade", "echo".parse().unwrap());
    headers
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_without_an_answer_times_out_as_a_handshake() {
    for piece in ["", "HTTP/1.1 101 Switching Protocols\r\nupgrade: e"] {
        let (mut waiting, mut far) = start_with(upgrade_headers(), 100_000).await;
        let start = Instant::now();
        let (result, ()) = tokio::join!(head(&mut waiting), async {
            far.read_exact(&mut [0; BODY]).await.unwrap();
            far.write_all(piece.as_bytes()).await.unwrap();
        });
        let message = "a.example:80 did not answer the handshake within 60s";
        check_error(result, ErrorKind::Timeout, Phase::Head, message);
        check_elapsed(start, LIMIT);
    }
}

#[tokio::test(start_paused = true)]
async fn a_switch_before_the_end_of_the_request_is_no_http() {
    let (mut waiting, mut far) = start_with(upgrade_headers(), 1_000).await;
    let (result, ()) = tokio::join!(head(&mut waiting), async {
        far.read_u8().await.unwrap();
        far.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n").await.unwrap();
    });
    let message = "a.example:80 switched protocols before it had the whole request";
    check_error(result, ErrorKind::Protocol, Phase::Sending, message);
}

#[tokio::test(start_paused = true)]
async fn a_switch_that_was_not_asked_for_is_no_http() {
    let (mut waiting, mut far) = start(100_000).await;
    let (result, ()) = tokio::join!(head(&mut waiting), async {
        far.read_exact(&mut [0; BODY]).await.unwrap();
        far.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n").await.unwrap();
    });
    let message = "a.example:80 switched protocols without being asked to";
    check_error(result, ErrorKind::Protocol, Phase::Head, message);
}
