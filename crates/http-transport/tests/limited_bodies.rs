//! Error bodies: whatever the server does, there is an answer, and it is bounded.

mod support;

use std::future::poll_fn;
use std::time::Duration;

use http_transport::{BodyEnd, BodyLimits, BodyReader, BodyStep};
use support::{finish, post, read_request, serve};
use tokio::io::AsyncWriteExt;
use tokio::sync::oneshot;
use tokio::time::Instant;

fn describe(end: &BodyEnd) -> String {
    match end {
        BodyEnd::Failed(error) => format!("{:?}", error.kind()),
        other => format!("{other:?}"),
    }
}

async fn check(answer: &str, limit: usize, bytes: &str, end: &str) {
    let answer = answer.to_owned();
    let (uri, server) = serve(async move |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let mut exchange = post(&support::direct(), &uri);
    exchange.head().await.unwrap();
    let limits = BodyLimits { bytes: limit, ..BodyLimits::default() };
    let body = exchange.read_body_limited(limits).await;
    assert_eq!(body.bytes, bytes);
    assert_eq!(describe(&body.end), end);
    assert_eq!(body.is_cut(), end != "Complete");
    finish(server).await;
}

#[tokio::test]
async fn what_arrived_is_kept_and_how_it_ended_is_told() {
    let head = "HTTP/1.1 400 Bad Request\r\n";
    check(&format!("{head}content-length: 5\r\n\r\nhello"), 5, "hello", "Complete").await;
    check(&format!("{head}content-length: 5\r\n\r\nhello"), 4, "hell", "TooLong").await;
    check(&format!("{head}content-length: 5\r\n\r\nhello"), 0, "", "TooLong").await;
    check(&format!("{head}content-length: 0\r\n\r\n"), 0, "", "Complete").await;
    check(&format!("{head}content-length: 9\r\n\r\nhello"), 9, "hello", "Truncated").await;
    check(&format!("{head}\r\nhello"), 9, "hello", "Complete").await;
}

#[tokio::test]
async fn the_defaults_are_64_kib_and_5_s() {
    let defaults = BodyLimits::default();
    assert_eq!((defaults.bytes, defaults.time), (65_536, Duration::from_secs(5)));
}

#[tokio::test]
async fn an_endless_body_is_cut_at_the_limit() {
    let (uri, server) = serve(async |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 500 Oops\r\n\r\n").await.unwrap();
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
    })
    .await;
    let mut exchange = post(&support::direct(), &uri);
    exchange.head().await.unwrap();
    let body = exchange.read_body_limited(BodyLimits::default()).await;
    assert_eq!(body.bytes.len(), 65_536);
    assert!(matches!(body.end, BodyEnd::TooLong));
    drop(exchange);
    finish(server).await;
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up_in_time() {
    let (done, hold) = oneshot::channel::<()>();
    let (uri, server) = serve(async move |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 500 Oops\r\n\r\nhello").await.unwrap();
        let _ = hold.await;
    })
    .await;
    let mut exchange = post(&support::direct(), &uri);
    exchange.head().await.unwrap();
    let first = exchange.data().await.unwrap().unwrap();
    assert_eq!(first, "hello");
    // From here on nothing comes, so time may fly.
    tokio::time::pause();
    let start = Instant::now();
    let body = exchange.read_body_limited(BodyLimits::default()).await;
    assert!(matches!(body.end, BodyEnd::TimedOut), "{:?}", body.end);
    let taken = start.elapsed();
    assert!(taken >= Duration::from_secs(5) && taken < Duration::from_millis(5_005), "{taken:?}");
    done.send(()).unwrap();
    finish(server).await;
}

#[tokio::test]
async fn what_is_enough_is_not_waited_behind() {
    let (done, hold) = oneshot::channel::<()>();
    let (uri, server) = serve(async move |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 400 Oops\r\n\r\nwait for it. And no further").await.unwrap();
        let _ = hold.await;
    })
    .await;
    let mut exchange = post(&support::direct(), &uri);
    exchange.head().await.unwrap();
    let mut reader =
        BodyReader::new(BodyLimits::default()).enough_when(|data| data.contains(&b'.')).with_arrived(b"You ");
    let body = poll_fn(|cx| reader.poll(cx, |cx| exchange.poll_data(cx))).await;
    assert_eq!((&body.bytes[..], describe(&body.end)), (&b"You wait for it. And no further"[..], "Enough".to_owned()));
    assert!(!body.is_cut());
    // What has arrived before can be enough, or too much, as well: the connection is not looked at.
    let mut check = async |limit, arrived: &[u8], bytes: &str, end: &str| {
        let limits = BodyLimits { bytes: limit, ..BodyLimits::default() };
        let mut reader = BodyReader::new(limits).enough_when(|data| data.contains(&b'.')).with_arrived(arrived);
        let body = poll_fn(|cx| reader.poll(cx, |cx| exchange.poll_data(cx))).await;
        assert_eq!((&body.bytes[..], &*describe(&body.end)), (bytes.as_bytes(), end));
    };
    check(9, b"So be it.", "So be it.", "Enough").await;
    check(8, b"So be it.", "So be it", "TooLong").await;
    done.send(()).unwrap();
    finish(server).await;
}

#[tokio::test]
async fn each_piece_of_a_body_is_a_sign_of_life() {
    let (next, go_on) = oneshot::channel::<()>();
    let (uri, server) = serve(async move |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 400 Oops\r\n\r\none").await.unwrap();
        go_on.await.unwrap();
        stream.write_all(b"two").await.unwrap();
    })
    .await;
    let mut exchange = post(&support::direct(), &uri);
    exchange.head().await.unwrap();
    let mut reader = BodyReader::new(BodyLimits::default());
    assert!(matches!(poll_fn(|cx| reader.poll_step(cx, |cx| exchange.poll_data(cx))).await, BodyStep::More));
    next.send(()).unwrap();
    assert!(matches!(poll_fn(|cx| reader.poll_step(cx, |cx| exchange.poll_data(cx))).await, BodyStep::More));
    match poll_fn(|cx| reader.poll_step(cx, |cx| exchange.poll_data(cx))).await {
        BodyStep::End(body) => assert_eq!((&body.bytes[..], body.is_cut()), (&b"onetwo"[..], false)),
        more => panic!("{more:?}"),
    }
    finish(server).await;
}
