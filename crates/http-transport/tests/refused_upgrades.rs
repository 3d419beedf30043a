//! A server that refuses to switch: its status, its headers and its words arrive.

mod support;

use std::time::Duration;

use http_transport::{BodyEnd, BodyLimits, Phase};
use support::tls::{authority, https, trusting};
use support::{finish, read_request, serve, upgrade};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::time::Instant;

const STATUSES: [u16; 6] = [401, 403, 404, 426, 429, 503];
const HEADERS: &str = "Connection: Upgrade, keep-alive\r\nUpgrade: websocket\r\nretry-after: 7\r\nx-a: 1\r\nx-a: 2";

/// When the body comes, and what the server does behind it.
#[derive(Clone, Copy, Debug)]
enum Pace {
    /// With the head; the connection is closed.
    Closing,
    /// With the head; the connection stays open.
    Open,
    /// When the client has the head; the connection stays open.
    Late,
}

/// Refuses with each status and each pace; `body` is on the wire what reads as `expected`.
async fn check(framing: &str, body: &[u8], expected: &[u8], paces: &[Pace]) {
    for (status, pace) in STATUSES.iter().flat_map(|status| paces.iter().map(move |pace| (*status, *pace))) {
        let head = format!("HTTP/1.1 {status} Refused\r\n{HEADERS}\r\n{framing}\r\n\r\n").into_bytes();
        let body = body.to_vec();
        let (go, wait) = oneshot::channel::<()>();
        let (uri, server) = serve(async move |mut stream| {
            read_request(&mut stream).await;
            if let Pace::Late = pace {
                stream.write_all(&head).await.unwrap();
                wait.await.unwrap();
                stream.write_all(&body).await.unwrap();
            } else {
                stream.write_all(&[head, body].concat()).await.unwrap();
            }
            if !matches!(pace, Pace::Closing) {
                let _ = stream.read(&mut [0; 1]).await;
            }
        })
        .await;
        let case = format!("{status}, {framing}, {pace:?}");
        let mut exchange = upgrade(&support::direct(), &uri);
        let head = exchange.head().await.unwrap();
        assert_eq!(head.status, status, "{case}");
        assert_eq!(head.headers["retry-after"], "7", "{case}");
        assert_eq!(head.headers["upgrade"], "websocket", "{case}");
        assert_eq!(head.headers.get_all("x-a").iter().collect::<Vec<_>>(), ["1", "2"], "{case}");
        let _ = go.send(());
        let read = exchange.read_body_limited(BodyLimits::default()).await;
        assert!(matches!(read.end, BodyEnd::Complete), "{case}: {:?}", read.end);
        assert!(read.bytes == expected, "{case}: {} of {} bytes", read.bytes.len(), expected.len());
        assert_eq!(exchange.phase(), Phase::Done, "{case}");
        assert!(exchange.into_upgraded().is_err(), "{case}");
        finish(server).await;
    }
}

#[tokio::test]
async fn a_body_with_a_length_arrives_whole() {
    use Pace::{Closing, Late, Open};
    let small = br#"{"error":{"message":"no"}}"#;
    check("content-length: 26", small, small, &[Closing, Open, Late]).await;
    check("content-length: 0", b"", b"", &[Closing, Open, Late]).await;
    let large = vec![b'x'; 65_536];
    check("content-length: 65536", &large, &large, &[Closing, Open, Late]).await;
    check("connection: close\r\ncontent-length: 65536", &large, &large, &[Closing, Open, Late]).await;
}

#[tokio::test]
async fn a_chunked_body_arrives_without_its_framing() {
    use Pace::{Closing, Late, Open};
    let small = b"3\r\nhel\r\n2;ext=1\r\nlo\r\n0\r\n\r\n";
    check("transfer-encoding: chunked", small, b"hello", &[Closing, Open, Late]).await;
    let large = [&b"1\r\n{\r\n"[..], &b"a\r\n0123456789\r\n".repeat(2_000), b"0\r\n\r\n"].concat();
    let expected = [&b"{"[..], &b"0123456789".repeat(2_000)].concat();
    check("transfer-encoding: chunked", &large, &expected, &[Closing, Open, Late]).await;
}

#[tokio::test]
async fn a_body_without_framing_ends_when_the_server_closes() {
    check("x-b: 1", b"no", b"no", &[Pace::Closing]).await;
}

#[tokio::test]
async fn an_endless_body_is_cut_at_the_limit() {
    for framing in ["x-b: 1", "content-length: 999999999999"] {
        let (uri, server) = serve(async move |mut stream| {
            read_request(&mut stream).await;
            stream.write_all(format!("HTTP/1.1 403 No\r\n{framing}\r\n\r\n").as_bytes()).await.unwrap();
            while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
        })
        .await;
        let mut exchange = upgrade(&support::direct(), &uri);
        assert_eq!(exchange.head().await.unwrap().status, 403);
        let body = exchange.read_body_limited(BodyLimits::default()).await;
        assert_eq!((body.bytes.len(), body.is_cut()), (65_536, true));
        assert!(matches!(body.end, BodyEnd::TooLong), "{:?}", body.end);
        drop(exchange);
        finish(server).await;
    }
}

#[tokio::test]
async fn a_body_that_stays_away_is_given_up_after_5_s() {
    for framing in ["x-b: 1", "content-length: 5", "transfer-encoding: chunked"] {
        let (done, hold) = oneshot::channel::<()>();
        let (uri, server) = serve(async move |mut stream| {
            read_request(&mut stream).await;
            stream.write_all(format!("HTTP/1.1 429 Later\r\n{framing}\r\n\r\n").as_bytes()).await.unwrap();
            let _ = hold.await;
        })
        .await;
        let mut exchange = upgrade(&support::direct(), &uri);
        assert_eq!(exchange.head().await.unwrap().status, 429);
        tokio::time::pause();
        let start = Instant::now();
        let body = exchange.read_body_limited(BodyLimits::default()).await;
        assert!(matches!(body.end, BodyEnd::TimedOut), "{framing}: {:?}", body.end);
        let taken = start.elapsed();
        assert!(taken >= Duration::from_secs(5) && taken < Duration::from_millis(5_005), "{taken:?}");
        tokio::time::resume();
        done.send(()).unwrap();
        drop(exchange);
        finish(server).await;
    }
}

#[tokio::test]
async fn a_refusal_over_tls_ends_like_any_answer() {
    let (root, acceptor) = authority("own", "localhost");
    let (uri, server) = serve(async move |stream| {
        let mut stream = acceptor.accept(stream).await.unwrap();
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 401 No\r\ncontent-length: 2\r\n\r\nno").await.unwrap();
        stream.flush().await.unwrap();
        // The client says that it leaves.
        stream.read(&mut [0; 1]).await.map_err(|error| error.kind())
    })
    .await;
    let mut exchange = upgrade(&trusting(root), &https(&uri, "localhost").replace("https", "wss"));
    assert_eq!(exchange.head().await.unwrap().status, 401);
    let body = exchange.read_body_limited(BodyLimits::default()).await;
    assert_eq!((&body.bytes[..], body.is_cut()), (&b"no"[..], false));
    assert_eq!(finish(server).await, Ok(0));
}
