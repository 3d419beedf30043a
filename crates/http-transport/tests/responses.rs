//! What comes out of the bytes that a server sends, whole and split.

mod support;

use std::fmt::Write;

use support::{finish, post, read_request, serve};
use tokio::io::AsyncWriteExt;

/// Answers with `answer` and closes, once in one piece and once byte by byte. `expected` reads: status and version,
/// the body, and how it ended; or the kind and phase of the error instead of a head.
async fn check(answer: &[u8], expected: &str) {
    let whole: Vec<Vec<u8>> = vec![answer.to_vec()];
    let bytes: Vec<Vec<u8>> = answer.iter().map(|byte| vec![*byte]).collect();
    for pieces in [whole, bytes] {
        let count = pieces.len();
        let (uri, server) = serve(async move |mut stream| {
            read_request(&mut stream).await;
            for piece in pieces {
                // The client may have seen enough and left.
                if stream.write_all(&piece).await.is_err() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(outcome(&uri).await, expected, "in {count} pieces: {:?}", answer.escape_ascii().to_string());
        finish(server).await;
    }
}

async fn outcome(uri: &str) -> String {
    let mut exchange = post(&support::direct(), uri);
    let head = match exchange.head().await {
        Ok(head) => head,
        Err(error) => return format!("{:?} in {}", error.kind(), error.phase()),
    };
    let mut body = Vec::new();
    let end = loop {
        match exchange.data().await {
            Some(Ok(data)) => body.extend_from_slice(&data),
            Some(Err(error)) => {
                assert_eq!(exchange.phase(), error.phase());
                break format!("{:?}", error.kind());
            }
            None => break exchange.phase().to_string(),
        }
    };
    assert!(exchange.data().await.is_none(), "the end is final");
    assert!(exchange.head().await.is_err(), "the head is handed out once");
    format!("{:?} {} {:?} {end}", head.version, head.status.as_u16(), body.escape_ascii().to_string())
}

#[tokio::test]
async fn bodies_end_where_the_framing_says() {
    check(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", r#"HTTP/1.1 200 "hello" done"#).await;
    check(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", r#"HTTP/1.1 200 "" done"#).await;
    // A blank ahead of the colon (RFC 9112, section 5.1) is no reason to read on for ever.
    let spaced = b"HTTP/1.1 200 OK\r\ntransfer-encoding : chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    check(spaced, r#"HTTP/1.1 200 "hi" done"#).await;
    check(b"HTTP/1.1 200 OK\r\ncontent-length\t: 2\r\n\r\nhi and more", r#"HTTP/1.1 200 "hi" done"#).await;
    check(b"HTTP/1.1 204 No Content\r\n\r\n", r#"HTTP/1.1 204 "" done"#).await;
    // Of a body that there is not, nobody need undo a coding.
    for status in ["204 No Content", "304 Not Modified"] {
        let answer = format!("HTTP/1.1 {status}\r\ntransfer-encoding: gzip, chunked\r\n\r\n");
        check(answer.as_bytes(), &format!(r#"HTTP/1.1 {} "" done"#, &status[..3])).await;
    }
    check(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2;ext=1\r\nlo\r\n0\r\n\r\n",
        r#"HTTP/1.1 200 "hello" done"#,
    )
    .await;
    check(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx-trailer: 1\r\n\r\n",
        r#"HTTP/1.1 200 "hi" done"#,
    )
    .await;
}

#[tokio::test]
async fn a_switch_of_protocols_that_was_not_asked_for_is_a_protocol_error() {
    check(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\nhi", "Protocol in head").await;
}

#[tokio::test]
async fn a_body_without_framing_ends_when_the_server_closes() {
    check(b"HTTP/1.1 200 OK\r\n\r\nhello", r#"HTTP/1.1 200 "hello" done"#).await;
    check(b"HTTP/1.0 200 OK\r\n\r\nhello", r#"HTTP/1.0 200 "hello" done"#).await;
    check(b"HTTP/1.0 503 Busy\r\ncontent-length: 4\r\n\r\nbusy", r#"HTTP/1.0 503 "busy" done"#).await;
}

#[tokio::test]
async fn chunked_wins_over_content_length_and_surplus_bytes_are_ignored() {
    check(
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        r#"HTTP/1.1 200 "hi" done"#,
    )
    .await;
    check(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi there", r#"HTTP/1.1 200 "hi" done"#).await;
}

#[tokio::test]
async fn interim_answers_are_not_the_answer() {
    check(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        r#"HTTP/1.1 200 "ok" done"#,
    )
    .await;
}

#[tokio::test]
async fn a_cut_body_is_truncated_and_what_came_before_is_kept() {
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let cut = |rest: &[u8]| [&chunked[..], rest].concat();
    check(&cut(b"5\r\nhello\r\n"), r#"HTTP/1.1 200 "hello" Truncated"#).await;
    check(&cut(b"5\r\nhello"), r#"HTTP/1.1 200 "hello" Truncated"#).await;
    check(&cut(b"9\r\nhello"), r#"HTTP/1.1 200 "hello" Truncated"#).await;
    check(&cut(b"5\r\nhello\r\n0\r\n"), r#"HTTP/1.1 200 "hello" Truncated"#).await;
    check(&cut(b""), r#"HTTP/1.1 200 "" Truncated"#).await;
    check(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello", r#"HTTP/1.1 200 "hello" Truncated"#).await;
}

#[tokio::test]
async fn bad_chunk_framing_is_a_protocol_error() {
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for bad in ["zz\r\nhello", "-5\r\nhello", "5hello", "2\r\nhello\r\n", "fffffffffffffffff\r\nhello"] {
        let answer = [&chunked[..], b"2\r\nhi\r\n", bad.as_bytes()].concat();
        let body = if bad.starts_with("2\r\n") { "hihe" } else { "hi" };
        check(&answer, &format!(r#"HTTP/1.1 200 "{body}" Protocol"#)).await;
    }
}

#[tokio::test]
async fn what_is_not_http_is_a_protocol_error() {
    check(b"SSH-2.0-OpenSSH_9.9\r\n", "Protocol in head").await;
    check(b"HTTP/2.0 200 OK\r\n\r\n", "Protocol in head").await;
    check(b"HTTP/1.1 abc OK\r\n\r\n", "Protocol in head").await;
    check(b"HTTP/1.1 200 OK\r\ncontent-length: 1, 2\r\n\r\nhi", "Protocol in head").await;
    check(b"<html>hello</html>\n", "Protocol in head").await;
}

#[tokio::test]
async fn a_line_that_is_no_header_costs_nothing_but_itself() {
    for odd in ["no colon", "x-state: a\x01b", "x y: 1"] {
        let answer = format!("HTTP/1.1 200 OK\r\n{odd}\r\ncontent-length: 2\r\n\r\nhi");
        check(answer.as_bytes(), r#"HTTP/1.1 200 "hi" done"#).await;
    }
}

#[tokio::test]
async fn a_connection_that_closes_before_the_head_is_complete_is_unanswered() {
    check(b"", "Unanswered in head").await;
    check(b"HTTP/1.1 200 OK\r\nx-a: ", "Unanswered in head").await;
}

#[tokio::test]
async fn a_head_beyond_its_limits_is_too_large() {
    for (count, expected) in [(99, r#"HTTP/1.1 200 "" done"#), (101, "TooLarge in head")] {
        let mut answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n".to_owned();
        for index in 1..=count {
            write!(answer, "x-{index}: 1\r\n").unwrap();
        }
        answer.push_str("\r\n");
        check(answer.as_bytes(), expected).await;
    }
}

#[tokio::test]
async fn a_head_may_have_64_kib() {
    for (length, expected) in [(60_000, r#"HTTP/1.1 200 "" done"#), (66_000, "TooLarge in head")] {
        let value = "x".repeat(length);
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-large: {value}\r\n\r\n");
        let (uri, server) = serve(async move |mut stream| {
            read_request(&mut stream).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        })
        .await;
        assert_eq!(outcome(&uri).await, expected, "{length}");
        finish(server).await;
    }
}

#[tokio::test]
async fn an_endless_header_is_refused_and_the_connection_closed() {
    let (uri, server) = serve(async |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nx-endless: ").await.unwrap();
        while stream.write_all(&[b'x'; 1024]).await.is_ok() {}
    })
    .await;
    let mut exchange = post(&support::direct(), &uri);
    let error = exchange.head().await.unwrap_err();
    assert_eq!(error.kind(), http_transport::ErrorKind::TooLarge);
    // The socket is closed by the error, not by dropping the exchange.
    finish(server).await;
    drop(exchange);
}

#[tokio::test]
async fn repeated_headers_keep_their_order_and_opaque_bytes() {
    let (uri, server) = serve(async |mut stream| {
        read_request(&mut stream).await;
        let answer = b"HTTP/1.1 200 OK\r\nX-A: one\r\nx-b: \xff\r\nx-a: two\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
    })
    .await;
    let head = post(&support::direct(), &uri).head().await.unwrap();
    let values: Vec<_> = head.headers.get_all("x-a").iter().collect();
    assert_eq!(values, ["one", "two"]);
    assert_eq!(head.headers["x-b"].as_bytes(), b"\xff");
    finish(server).await;
}
