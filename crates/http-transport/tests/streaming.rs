//! A body that comes over time.

mod support;

use std::io;
use std::time::Duration;

use http_transport::{ErrorKind, Phase};
use support::{causes, finish, post, read_request, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;
use tokio::time::timeout;

const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

/// Waits for what the client's going looks like to the server. The time is for a test that fails: it must end, too.
async fn is_closed(stream: &mut TcpStream) -> bool {
    match timeout(Duration::from_secs(60), stream.read(&mut [0; 16])).await {
        Ok(Ok(count)) => count == 0,
        Ok(Err(error)) => error.kind() == io::ErrorKind::ConnectionReset,
        Err(_) => false,
    }
}

#[tokio::test]
async fn each_piece_is_delivered_while_the_connection_stays_open() {
    let (seen, mut next) = mpsc::unbounded_channel();
    let (uri, server) = serve(async move |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(CHUNKED).await.unwrap();
        // Nothing more is sent before the client has what was sent: waiting for more would hang here.
        for number in 0..100 {
            assert_eq!(next.recv().await, Some(number));
            stream.write_all(b"6\r\nevent\n\r\n").await.unwrap();
        }
        assert_eq!(next.recv().await, Some(100));
        assert!(is_closed(&mut stream).await);
    })
    .await;
    let mut exchange = post(&support::direct(), &uri);
    assert_eq!(exchange.phase(), Phase::Dns);
    exchange.head().await.unwrap();
    assert_eq!(exchange.phase(), Phase::Body);
    for number in 0..100 {
        seen.send(number).unwrap();
        assert_eq!(exchange.data().await.unwrap().unwrap(), "event\n");
    }
    seen.send(100).unwrap();
    drop(exchange);
    finish(server).await;
}

#[tokio::test]
async fn head_and_first_data_of_one_flight_both_arrive() {
    let (done, hold) = oneshot::channel::<()>();
    let (uri, server) = serve(async move |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(&[CHUNKED, b"2\r\nhi\r\n"].concat()).await.unwrap();
        let _ = hold.await;
    })
    .await;
    let mut exchange = post(&support::direct(), &uri);
    assert_eq!(exchange.head().await.unwrap().status, 200);
    assert_eq!(exchange.data().await.unwrap().unwrap(), "hi");
    done.send(()).unwrap();
    finish(server).await;
}

#[tokio::test]
async fn dropping_an_exchange_closes_the_socket_in_every_phase() {
    for phase in [Phase::Head, Phase::Body] {
        let (reached, wait) = oneshot::channel();
        let (uri, server) = serve(async move |mut stream| {
            read_request(&mut stream).await;
            if phase == Phase::Body {
                stream.write_all(CHUNKED).await.unwrap();
            }
            let _ = reached.send(());
            assert!(is_closed(&mut stream).await);
        })
        .await;
        let mut exchange = post(&support::direct(), &uri);
        // For `Head`: polled until the server has the request; for `Body`: until the head is there.
        tokio::select! {
            head = exchange.head() => assert!(head.is_ok() && phase == Phase::Body),
            _ = wait, if phase == Phase::Head => {}
        }
        assert_eq!(exchange.phase(), phase);
        drop(exchange);
        finish(server).await;
    }
}

#[tokio::test]
async fn a_finished_body_of_a_connection_that_ends_closes_the_socket() {
    let (uri, server) = serve(async |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi").await.unwrap();
        assert!(is_closed(&mut stream).await);
    })
    .await;
    let mut exchange = post(&support::direct(), &uri);
    exchange.head().await.unwrap();
    assert_eq!(exchange.data().await.unwrap().unwrap(), "hi");
    assert!(exchange.data().await.is_none());
    assert_eq!(exchange.phase(), Phase::Done);
    finish(server).await;
    drop(exchange);
}

#[tokio::test]
async fn a_reset_in_the_body_is_truncated() {
    let (seen, go) = oneshot::channel();
    let (uri, server) = serve(async move |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(&[CHUNKED, b"9\r\nhello"].concat()).await.unwrap();
        go.await.unwrap();
        stream.set_zero_linger().unwrap();
    })
    .await;
    let mut exchange = post(&support::direct(), &uri);
    exchange.head().await.unwrap();
    assert_eq!(exchange.data().await.unwrap().unwrap(), "hello");
    seen.send(()).unwrap();
    let error = exchange.data().await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Truncated, Phase::Body));
    assert!(error.to_string().ends_with("ended the response body too early"), "{error}");
    let cause = causes(&error).find_map(|cause| cause.downcast_ref::<io::Error>()).unwrap();
    assert_eq!(cause.kind(), io::ErrorKind::ConnectionReset);
    finish(server).await;
}

#[tokio::test]
async fn a_reset_before_the_head_is_unanswered() {
    let (uri, server) = serve(async move |mut stream| {
        read_request(&mut stream).await;
        stream.set_zero_linger().unwrap();
    })
    .await;
    let error = post(&support::direct(), &uri).head().await.unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Unanswered, Phase::Head));
    finish(server).await;
}

#[tokio::test]
async fn a_reader_that_does_not_poll_stops_the_server() {
    const PLENTY: usize = 256 << 20;
    let (uri, server) = serve(async |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let piece = vec![0; 64 * 1024];
        let (mut sent, mut idle) = (0, 0);
        // Full buffers for many turns of the runtime: nobody reads.
        while sent < PLENTY && idle < 1_000 {
            match stream.try_write(&piece) {
                Ok(count) => (sent, idle) = (sent + count, 0),
                Err(_) => idle += 1,
            }
            yield_now().await;
        }
        sent
    })
    .await;
    let mut exchange = post(&support::direct(), &uri);
    exchange.head().await.unwrap();
    let first = exchange.data().await.unwrap().unwrap();
    assert!(first.len() <= 64 * 1024);
    let sent = finish(server).await;
    // The kernel's buffers hold a few MiB.
    assert!(sent < PLENTY, "{sent} bytes went somewhere");
    // And none of it is lost.
    let mut received = first.len();
    while let Some(data) = exchange.data().await {
        received += data.unwrap().len();
    }
    assert_eq!(received, sent);
}

#[tokio::test]
async fn the_body_cannot_be_read_before_the_head() {
    let (uri, server) = serve(async |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhi").await.unwrap();
    })
    .await;
    let mut exchange = post(&support::direct(), &uri);
    let error = exchange.data().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    exchange.head().await.unwrap();
    assert_eq!(exchange.data().await.unwrap().unwrap(), "hi");
    finish(server).await;
}
