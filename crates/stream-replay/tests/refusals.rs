//! Requests that get no scripted answer.

mod support;

use stream_replay::Response;
use support::{Client, Ended, server, soon};

const KIB: usize = 1024;

/// `request` is refused with this status line and text, then the connection closes, and nothing is
/// recorded.
async fn check(request: impl AsRef<[u8]>, status: &str, text: &str) {
    let server = server([Response::new(200)]).await;
    let mut client = Client::connect(&server).await;
    client.send(request.as_ref()).await;
    let (answer, ended) = client.read_to_end().await;
    let expected = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\r\n{text}",
        text.len()
    );
    assert_eq!((String::from_utf8(answer).unwrap(), ended), (expected, Ended::Fin));
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn head_has_no_answer() {
    let server = server([Response::new(200)]).await;
    let mut client = Client::connect(&server).await;
    client.send(b"HEAD /v1 HTTP/1.1\r\n\r\n").await;
    let (answer, ended) = client.read_to_end().await;
    let expected = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 27\r\n\
                    content-type: text/plain; charset=utf-8\r\n\r\n";
    assert_eq!((String::from_utf8(answer).unwrap().as_str(), ended), (expected, Ended::Fin));
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn malformed_heads() {
    let bad = "400 Bad Request";
    check("not http\r\n\r\n", bad, "malformed request head: invalid token").await;
    check("GET / HTTP/1.1\r\nbad header\r\n\r\n", bad, "malformed request head: invalid header name").await;
    check("GET / HTTP/1.1\r\ncontent-length: -1\r\n\r\n", bad, "content-length is not a number").await;
    check("GET / HTTP/1.1\r\ncontent-length:\r\n\r\n", bad, "content-length is not a number").await;
    let twice = "the request states the length of its body more than once";
    check("GET / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n", bad, twice).await;
    check("GET / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", bad, twice).await;
    let coding = "the only transfer coding understood here is chunked";
    check("GET / HTTP/1.1\r\ntransfer-encoding: gzip, chunked\r\n\r\n", bad, coding).await;
    check("GET / HTTP/1.0\r\n\r\n", "505 HTTP Version Not Supported", "only HTTP/1.1 is spoken here").await;
}

#[tokio::test]
async fn malformed_chunks() {
    let head = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n";
    check(format!("{head}x\r\n"), "400 Bad Request", "malformed chunk size").await;
    check(format!("{head}1\r\nab\r\n"), "400 Bad Request", "a chunk is longer than its size line says").await;
}

#[tokio::test]
async fn heads_above_the_limit() {
    let status = "431 Request Header Fields Too Large";
    let text = "the request head is larger than 65536 bytes";
    let head = |size: usize| format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(size - 23));
    check(head(64 * KIB + 1), status, text).await;
    check(&head(200 * KIB)[..100 * KIB], status, text).await;
    let many = "x: 1\r\n".repeat(257);
    check(format!("GET / HTTP/1.1\r\n{many}\r\n"), status, "the request has more than 256 headers").await;

    let server = server([Response::new(204)]).await;
    let mut client = Client::connect(&server).await;
    client.send(head(64 * KIB).as_bytes()).await;
    client.expect(b"HTTP/1.1 204 No Content\r\n\r\n").await;
}

#[tokio::test]
async fn bodies_above_the_limit() {
    let status = "413 Payload Too Large";
    let text = "the request body is larger than 67108864 bytes";
    check("POST / HTTP/1.1\r\ncontent-length: 67108865\r\n\r\n", status, text).await;
    check("POST / HTTP/1.1\r\ncontent-length: 99999999999999999999999999\r\n\r\n", status, text).await;
    check("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n4000001\r\n", status, text).await;
}

#[tokio::test]
async fn refusal_reaches_a_client_that_is_still_sending() {
    let request = [&b"POST / HTTP/1.1\r\ncontent-length: 67108865\r\n\r\n"[..], &vec![b'x'; 16 * KIB * KIB]].concat();
    check(request, "413 Payload Too Large", "the request body is larger than 67108864 bytes").await;
}

#[tokio::test]
async fn body_at_the_limit_is_asked_for() {
    let server = server([Response::new(204)]).await;
    let mut client = Client::connect(&server).await;
    client.send(b"POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 67108864\r\n\r\n").await;
    client.expect(b"HTTP/1.1 100 Continue\r\n\r\n").await;
    drop(client);
    soon(server.wait_for_disconnects(1)).await;
    assert!(server.requests().is_empty());
}
