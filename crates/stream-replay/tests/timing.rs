//! When bytes leave: gates, holds and pauses.

mod support;

use std::time::Duration;

use bytes::Bytes;
use stream_replay::{Gate, Pace, Response};
use support::{Client, LAST_CHUNK, SSE_HEAD, pass, server};

const HOUR: Duration = Duration::from_secs(3600);

fn two_chunks() -> Response {
    Response::sse("").chunks(["one", "two"].map(Bytes::from))
}

#[tokio::test]
async fn gate_releases_chunks_one_by_one() {
    let gate = Gate::new();
    let server = server([two_chunks().gate(gate.clone())]).await;
    let mut client = Client::post(&server).await;
    client.expect(SSE_HEAD).await;
    client.expect_silence(&server).await;
    gate.release();
    client.expect(b"3\r\none\r\n").await;
    client.expect_silence(&server).await;
    gate.release();
    client.expect(b"3\r\ntwo\r\n").await;
    client.expect(LAST_CHUNK).await;
}

#[tokio::test]
async fn releases_are_kept_and_an_open_gate_lets_all_pass() {
    let kept = Gate::new();
    kept.release();
    let open = Gate::default();
    open.open();
    open.release();
    let server = server([two_chunks().gate(kept), two_chunks().gate(open)]).await;
    let mut first = Client::post(&server).await;
    first.expect(&[SSE_HEAD, b"3\r\none\r\n"].concat()).await;
    first.expect_silence(&server).await;
    let mut second = Client::post(&server).await;
    second.expect(&[SSE_HEAD, b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"].concat()).await;
}

#[tokio::test]
async fn arrivals_at_a_gate_can_be_awaited() {
    let gate = Gate::new();
    let server = server([two_chunks().gate(gate.clone())]).await;
    let mut client = Client::post(&server).await;
    support::soon(gate.wait_for_arrivals(1)).await;
    // What stands before the gate has been sent, and nobody has come a second time.
    tokio::select! {
        biased;
        () = gate.wait_for_arrivals(2) => panic!("nothing was released"),
        () = client.expect(SSE_HEAD) => {}
    }
    gate.release();
    support::soon(gate.wait_for_arrivals(2)).await;
}

#[tokio::test]
async fn gated_head_is_silence_after_the_request() {
    let gate = Gate::new();
    let server = server([Response::new(200).gate_head(gate.clone())]).await;
    let mut client = Client::post(&server).await;
    support::soon(server.wait_for_requests(1)).await;
    client.expect_silence(&server).await;
    gate.release();
    client.expect(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
}

#[tokio::test]
async fn hold_until_keeps_the_body_open_after_its_last_byte() {
    let gate = Gate::new();
    let server = server([two_chunks().hold_until(gate.clone())]).await;
    let mut client = Client::post(&server).await;
    client.expect(&[SSE_HEAD, b"3\r\none\r\n3\r\ntwo\r\n"].concat()).await;
    client.expect_silence(&server).await;
    gate.release();
    client.expect(LAST_CHUNK).await;
}

#[tokio::test]
async fn hold_open_ends_after_its_time() {
    let server = server([two_chunks().hold_open(2 * HOUR), Response::json(200, "{}").hold_open(Duration::MAX)]).await;
    let mut client = Client::post(&server).await;
    client.expect(&[SSE_HEAD, b"3\r\none\r\n3\r\ntwo\r\n"].concat()).await;
    client.expect_silence(&server).await;
    pass(HOUR).await;
    client.expect_silence(&server).await;
    pass(HOUR).await;
    client.expect(LAST_CHUNK).await;

    client.send(support::POST).await;
    client
        .expect(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n")
        .await;
    pass(1000 * HOUR).await;
    client.expect_silence(&server).await;
}

#[tokio::test]
async fn pace_pauses_between_chunks_only() {
    let server = server([two_chunks().pace(Pace::Pause(HOUR)), two_chunks().pace(Pace::Max)]).await;
    let mut client = Client::post(&server).await;
    client.expect(&[SSE_HEAD, b"3\r\none\r\n"].concat()).await;
    client.expect_silence(&server).await;
    pass(HOUR).await;
    client.expect(b"3\r\ntwo\r\n").await;
    client.expect(LAST_CHUNK).await;
    client.send(support::POST).await;
    client.expect(&[SSE_HEAD, b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"].concat()).await;
}
