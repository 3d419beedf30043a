//! Starting, stopping, and noticing that a client is gone.

mod support;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use stream_replay::{Cut, Gate, ReplayServer, Response};
use support::{Client, SSE_HEAD, server, soon};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn held() -> Response {
    Response::sse("x").hold_until(Gate::new())
}

async fn held_client(server: &ReplayServer) -> Client {
    let mut client = Client::post(server).await;
    client.expect(&[SSE_HEAD, b"1\r\nx\r\n"].concat()).await;
    client
}

/// The server's side is gone, by FIN or by RST.
async fn expect_gone(client: &mut Client) {
    match soon(client.stream.read(&mut [0; 8])).await {
        Ok(0) => {}
        Ok(_) => panic!("more bytes"),
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
    }
}

#[tokio::test]
async fn base_url_names_the_port_that_was_chosen() {
    let server = server([]).await;
    assert!(server.addr().ip().is_loopback());
    assert_ne!(server.addr().port(), 0);
    assert_eq!(server.base_url(), format!("http://127.0.0.1:{}/v1", server.addr().port()));
}

#[tokio::test]
async fn base_url_of_every_address_is_the_loopback_one() {
    let every = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let server = ReplayServer::builder().listen(every).start().await.unwrap();
    assert_eq!(server.base_url(), format!("http://127.0.0.1:{}/v1", server.addr().port()));
}

#[tokio::test]
async fn taken_address_is_an_error() {
    let first = server([]).await;
    let error = ReplayServer::builder().listen(first.addr()).start().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn drop_closes_all_connections() {
    let server = server([held()]).await;
    let mut busy = held_client(&server).await;
    let mut idle = Client::connect(&server).await;
    drop(server);
    expect_gone(&mut busy).await;
    expect_gone(&mut idle).await;
}

#[tokio::test]
async fn shutdown_waits_until_everything_is_closed() {
    let server = server([held()]).await;
    let addr = server.addr();
    let mut busy = held_client(&server).await;
    soon(server.shutdown()).await;
    // The port is free again, and the answer has ended: no waiting is left to do.
    let again = ReplayServer::builder().listen(addr).start().await;
    assert!(again.is_ok(), "{again:?}");
    expect_gone(&mut busy).await;
}

#[tokio::test]
async fn hang_up_inside_a_hold_is_noticed() {
    let server = server([held(), Response::sse("x").hold_open(Duration::MAX)]).await;
    for hung_up in 1..=2 {
        drop(held_client(&server).await);
        soon(server.wait_for_disconnects(hung_up)).await;
    }
}

#[tokio::test]
async fn reset_by_the_client_is_noticed() {
    let server = server([held()]).await;
    let client = held_client(&server).await;
    client.stream.set_zero_linger().unwrap();
    drop(client);
    soon(server.wait_for_disconnects(1)).await;
}

#[tokio::test]
async fn half_close_is_a_hang_up() {
    let server = server([held()]).await;
    let mut client = held_client(&server).await;
    client.stream.shutdown().await.unwrap();
    soon(server.wait_for_disconnects(1)).await;
    expect_gone(&mut client).await;
}

#[tokio::test]
async fn hang_up_between_and_inside_requests_is_noticed() {
    let server = server([Response::new(200)]).await;
    drop(Client::connect(&server).await);
    soon(server.wait_for_disconnects(1)).await;
    for part in [
        &b"POST / HT"[..],
        b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nx",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n9\r\nx",
    ] {
        let mut client = Client::connect(&server).await;
        client.send(part).await;
    }
    soon(server.wait_for_disconnects(4)).await;
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn hang_up_is_noticed_behind_a_request_sent_ahead() {
    let server = server([held()]).await;
    let mut client = held_client(&server).await;
    client.send(support::POST).await;
    drop(client);
    soon(server.wait_for_disconnects(1)).await;
}

#[tokio::test]
async fn connections_that_the_server_ends_are_no_hang_ups() {
    let server = server([Response::sse("x").cut(Cut::Close)]).await;
    Client::post(&server).await.read_to_end().await;
    let mut client = Client::connect(&server).await;
    let mut waiting = std::pin::pin!(server.wait_for_disconnects(1));
    // The server's turn for all of it has passed when it answers another client.
    client.expect_silence(&server).await;
    tokio::select! {
        biased;
        () = &mut waiting => panic!("counted"),
        () = std::future::ready(()) => {}
    }
    drop(client);
    soon(waiting).await;
}
