//! How an answer ends.

mod support;

use stream_replay::{Cut, Gate, Response};
use support::{Client, Ended, LAST_CHUNK, SSE_HEAD, server};

/// After the head come exactly `body` and then `ended`. The end is released once the bytes are
/// read, because a reset may overtake them.
async fn check(response: Response, body: &[u8], ended: Ended) {
    let read = Gate::new();
    let server = server([response.hold_until(read.clone())]).await;
    let mut client = Client::post(&server).await;
    client.expect(&[SSE_HEAD, body].concat()).await;
    client.expect_silence(&server).await;
    read.release();
    assert_eq!(client.read_to_end().await, (Vec::new(), ended));
}

fn answer() -> Response {
    Response::sse("abcdef").chunk_bytes(3)
}

#[tokio::test]
async fn close_is_fin_without_the_last_chunk() {
    check(answer().cut(Cut::Close), b"3\r\nabc\r\n3\r\ndef\r\n", Ended::Fin).await;
}

#[tokio::test]
async fn reset_is_rst_without_the_last_chunk() {
    check(answer().cut(Cut::Reset), b"3\r\nabc\r\n3\r\ndef\r\n", Ended::Reset).await;
}

#[tokio::test]
async fn cut_inside_a_chunk_comes_after_a_size_line_for_all_of_it() {
    check(answer().cut_at(4, Cut::Close), b"3\r\nabc\r\n3\r\nd", Ended::Fin).await;
    check(answer().cut_at(4, Cut::Reset), b"3\r\nabc\r\n3\r\nd", Ended::Reset).await;
}

#[tokio::test]
async fn cut_between_chunks_announces_nothing_more() {
    check(answer().cut_at(3, Cut::Close), b"3\r\nabc\r\n", Ended::Fin).await;
    check(answer().cut_at(0, Cut::Reset), b"", Ended::Reset).await;
}

#[tokio::test]
async fn finish_leaves_the_connection_usable() {
    let server = server([answer()]).await;
    let mut client = Client::connect(&server).await;
    for _ in 0..3 {
        client.send(support::POST).await;
        client.expect(&[SSE_HEAD, b"3\r\nabc\r\n3\r\ndef\r\n", LAST_CHUNK].concat()).await;
    }
    assert!(server.requests().iter().all(|request| request.connection == 0));
}

#[tokio::test]
async fn cut_ends_only_its_own_connection() {
    let server = server([Response::sse("1").cut(Cut::Close), Response::sse("2")]).await;
    let mut bystander = Client::connect(&server).await;
    let (_, ended) = Client::post(&server).await.read_to_end().await;
    assert_eq!(ended, Ended::Fin);
    bystander.send(support::POST).await;
    bystander.expect(&[SSE_HEAD, b"1\r\n2\r\n", LAST_CHUNK].concat()).await;
}
