//! The exact bytes of an answer.

mod support;

use bytes::Bytes;
use proptest::prelude::*;
use stream_replay::{Cut, Response};
use support::{Client, Ended, SSE_HEAD, server};

/// The whole answer on the wire is `expected`. A request that asks for the end of the connection
/// would be answered with one more header, so a second answer, on the same connection and
/// recognizable, shows where the first one ends.
async fn check(response: Response, expected: impl AsRef<[u8]>) {
    let server = server([response, Response::new(204)]).await;
    let mut client = Client::post(&server).await;
    client.expect(expected.as_ref()).await;
    client.send(support::POST).await;
    client.expect(b"HTTP/1.1 204 No Content\r\n\r\n").await;
}

fn with_sse_head(body: &[u8]) -> Vec<u8> {
    [SSE_HEAD, body].concat()
}

#[tokio::test]
async fn sse_is_one_chunk() {
    check(Response::sse("data: 1\n\ndata: 2\n\n"), with_sse_head(b"12\r\ndata: 1\n\ndata: 2\n\n\r\n0\r\n\r\n")).await;
}

#[tokio::test]
async fn empty_sse_is_only_the_last_chunk() {
    check(Response::sse(""), with_sse_head(b"0\r\n\r\n")).await;
}

#[tokio::test]
async fn body_is_split_every_n_bytes() {
    check(Response::sse("abcdefg").chunk_bytes(3), with_sse_head(b"3\r\nabc\r\n3\r\ndef\r\n1\r\ng\r\n0\r\n\r\n")).await;
    check(Response::sse("abcdef").chunk_bytes(3), with_sse_head(b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n")).await;
    check(Response::sse("ab").chunk_bytes(usize::MAX), with_sse_head(b"2\r\nab\r\n0\r\n\r\n")).await;
    check(Response::sse("ab").chunk_bytes(0), with_sse_head(b"2\r\nab\r\n0\r\n\r\n")).await;
}

#[tokio::test]
async fn exact_chunks_are_kept_and_empty_ones_left_out() {
    let chunks = || ["abc", "d"].map(Bytes::from);
    let exact = Response::sse("").chunk_bytes(2).chunks(chunks());
    check(exact, with_sse_head(b"3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n")).await;
    let split = Response::sse("").chunks(chunks()).chunk_bytes(2);
    check(split, with_sse_head(b"2\r\nab\r\n1\r\nc\r\n1\r\nd\r\n0\r\n\r\n")).await;
    let chunks = ["da", "", "ta: 1\n", "\n"].map(Bytes::from);
    check(Response::sse("replaced").chunks(chunks), with_sse_head(b"2\r\nda\r\n6\r\nta: 1\n\r\n1\r\n\n\r\n0\r\n\r\n"))
        .await;
}

#[tokio::test]
async fn json_has_a_length() {
    check(
        Response::json(429, r#"{"error":{}}"#).header("retry-after", "5"),
        "HTTP/1.1 429 Too Many Requests\r\nretry-after: 5\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{\"error\":{}}",
    )
    .await;
}

#[tokio::test]
async fn shaping_the_body_makes_it_chunked() {
    let expected = "HTTP/1.1 500 Internal Server Error\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    check(Response::json(500, "{}").cut(Cut::Finish), expected).await;
}

#[tokio::test]
async fn plain_response_has_nothing_of_its_own() {
    check(Response::new(200), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    check(Response::new(200).body("hi"), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await;
    check(Response::new(304), "HTTP/1.1 304 Not Modified\r\n\r\n").await;
    check(Response::new(799), "HTTP/1.1 799 \r\ncontent-length: 0\r\n\r\n").await;
}

#[tokio::test]
async fn own_headers_keep_their_spelling_and_replace_the_defaults() {
    check(
        Response::sse("").header("Content-Type", "text/plain").header("X-Twice", "1").header("X-Twice", b"\xff"),
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Twice: 1\r\nX-Twice: \xff\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    )
    .await;
}

#[tokio::test]
async fn own_framing_sends_the_body_as_it_is() {
    check(
        Response::new(200).header("Content-Length", "9").body("short"),
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
    )
    .await;
    check(
        Response::new(200).header("transfer-encoding", "chunked").body("zz\r\nno size\r\n"),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nno size\r\n",
    )
    .await;
}

#[tokio::test]
async fn finish_at_an_offset_shortens_the_body_and_ends_it_properly() {
    check(
        Response::sse("abcdefg").chunk_bytes(3).cut_at(4, Cut::Finish),
        with_sse_head(b"3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"),
    )
    .await;
    check(Response::sse("abc").cut_at(0, Cut::Finish), with_sse_head(b"0\r\n\r\n")).await;
    check(Response::sse("abc").cut_at(9, Cut::Finish), with_sse_head(b"3\r\nabc\r\n0\r\n\r\n")).await;
}

#[tokio::test]
async fn connection_closes_when_either_side_says_so() {
    let server = server([Response::json(200, "1").header("Connection", "Close"), Response::json(200, "2")]).await;
    let own = Client::post(&server).await.read_to_end().await;
    let expected =
        "HTTP/1.1 200 OK\r\nConnection: Close\r\ncontent-type: application/json\r\ncontent-length: 1\r\n\r\n1";
    assert_eq!(own, (expected.into(), Ended::Fin));

    let mut client = Client::connect(&server).await;
    client.send(b"GET / HTTP/1.1\r\nConnection: x, Close\r\n\r\n").await;
    let expected =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1\r\nconnection: close\r\n\r\n2";
    assert_eq!(client.read_to_end().await, (expected.into(), Ended::Fin));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_chunk_size_gives_the_same_body(body in prop::collection::vec(any::<u8>(), 0..300), n in 1_usize..80) {
        let mut expected = SSE_HEAD.to_vec();
        for chunk in body.chunks(n) {
            expected.extend(format!("{:x}\r\n", chunk.len()).bytes());
            expected.extend(chunk);
            expected.extend(b"\r\n");
        }
        expected.extend(b"0\r\n\r\n");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(Response::sse(body).chunk_bytes(n), expected));
    }
}
