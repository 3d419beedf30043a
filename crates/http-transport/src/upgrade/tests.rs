//! Over pipes of every size, so that each read ends where the test wants it.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, BufWriter, ReadBuf, duplex};
use tokio::time::timeout;

use super::{Switch, Upgraded};
use crate::dial::BoxStream;
use crate::http1::Http1;
use crate::outgoing::prepare;
use crate::request::Request;
use crate::target::Target;

const HEAD: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\n";

/// What comes out behind `answer` when no read or write moves more than `pipe` bytes.
async fn behind_the_head(answer: &[u8], pipe: usize) -> Vec<u8> {
    let (near, mut far) = duplex(pipe);
    let mut headers = HeaderMap::new();
    headers.insert("connection", HeaderValue::from_static("Upgrade"));
    headers.insert("upgrade", HeaderValue::from_static("echo"));
    let request = Request::get("http://a.example/".parse().unwrap(), headers);
    let target = Target::parse(&request.uri).unwrap();
    let request = prepare(request, &target, &crate::proxy::Route::Direct).unwrap();
    let mut http = Http1::start(Box::new(near), request).await.unwrap();

    let client = async {
        let response = poll_fn(|cx| http.poll_response(cx)).await.unwrap();
        assert_eq!(response.status(), 101);
        let (stream, leftover) = http.into_stream().unwrap();
        let upgraded = Upgraded::new(Arc::new(target.endpoint), stream, leftover);
        let mut read = Vec::new();
        // One more than there is: a byte that comes twice must not come for ever.
        let limit = answer.len() as u64 + 1;
        upgraded.take(limit).read_to_end(&mut read).await.unwrap();
        read
    };
    let server = async move {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(far.read_u8().await.unwrap());
        }
        far.write_all(answer).await.unwrap();
    };
    tokio::join!(client, server).0
}

#[tokio::test]
async fn no_byte_behind_the_head_is_lost_however_it_is_split() {
    let frames: Vec<u8> = (0..=255).cycle().take(300).collect();
    let answer = [HEAD, &frames[..]].concat();
    for pipe in 1..=answer.len() {
        assert_eq!(behind_the_head(&answer, pipe).await, frames, "pieces of {pipe}");
    }
}

#[tokio::test]
async fn more_than_any_buffer_holds_comes_out_whole() {
    let frames: Vec<u8> = (0..=250).cycle().take(1_000_000).collect();
    let answer = [HEAD, &frames[..]].concat();
    for pipe in [4_096, 100_000, answer.len()] {
        assert!(behind_the_head(&answer, pipe).await == frames, "pieces of {pipe}");
    }
}

#[tokio::test]
async fn a_head_with_nothing_behind_it_ends_at_once() {
    assert!(behind_the_head(HEAD, 1_000).await.is_empty());
}

fn over(stream: BoxStream, leftover: Bytes) -> Upgraded {
    let target = Target::parse(&"ws://a.example".parse().unwrap()).unwrap();
    Upgraded::new(Arc::new(target.endpoint), stream, leftover)
}

#[tokio::test(start_paused = true)]
async fn what_is_written_leaves_when_flushed_and_shutdown_ends_it() {
    let (near, mut far) = duplex(10);
    let mut upgraded = over(Box::new(BufWriter::new(near)), Bytes::new());
    upgraded.write_all(b"ping").await.unwrap();
    let second = Duration::from_secs(1);
    let mut bytes = [0; 4];
    assert!(timeout(second, far.read(&mut bytes)).await.is_err(), "the stream below holds it");
    upgraded.flush().await.unwrap();
    assert_eq!(timeout(second, far.read(&mut bytes)).await.unwrap().unwrap(), 4);
    upgraded.shutdown().await.unwrap();
    assert_eq!(timeout(second, far.read(&mut bytes)).await.unwrap().unwrap(), 0);
}

#[test]
fn the_leftover_is_read_in_pieces_and_then_set_free() {
    let (near, _far) = duplex(10);
    let buffer = Bytes::from(b"head and frames".to_vec());
    let mut upgraded = over(Box::new(near), buffer.slice(9..));
    let mut cx = Context::from_waker(Waker::noop());
    let mut read = |size: usize| {
        let mut bytes = vec![0; size];
        let mut buf = ReadBuf::new(&mut bytes);
        let is_ready = std::pin::Pin::new(&mut upgraded).poll_read(&mut cx, &mut buf).is_ready();
        let filled = buf.filled().len();
        bytes.truncate(filled);
        (is_ready, String::from_utf8(bytes).unwrap(), format!("{upgraded:?}"))
    };
    let debug = |left| format!("Upgraded {{ endpoint: a.example:80, leftover: {left} bytes, .. }}");
    assert_eq!(read(0), (true, String::new(), debug(6)));
    assert_eq!(read(4), (true, "fram".to_owned(), debug(2)));
    assert!(!buffer.is_unique());
    assert_eq!(read(4), (true, "es".to_owned(), debug(0)));
    assert!(buffer.is_unique(), "the read buffer is not kept");
    assert_eq!(read(4), (false, String::new(), debug(0)));
}

#[test]
fn an_upgrade_is_asked_for_by_two_headers_together() {
    fn check(list: &[(&'static str, &'static [u8])], expected: Switch) {
        let mut headers = HeaderMap::new();
        for (name, value) in list {
            headers.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        assert_eq!(Switch::asked_by(&headers), expected, "{headers:?}");
    }
    check(&[("connection", b"upgrade"), ("upgrade", b"x")], Switch::Possible);
    check(&[("connection", b"keep-alive , UPGRADE"), ("upgrade", b"x")], Switch::Possible);
    check(&[("connection", b"Upgrade\t,close"), ("upgrade", b"x")], Switch::Possible);
    check(&[("connection", b"keep-alive"), ("connection", b"\xff,upgrade"), ("upgrade", b"x")], Switch::Possible);
    check(&[("connection", b"upgrades, no-upgrade"), ("upgrade", b"x")], Switch::Excluded);
    check(&[("connection", b"keep-alive"), ("upgrade", b"x")], Switch::Excluded);
    check(&[("connection", b"upgrade")], Switch::Excluded);
    check(&[("upgrade", b"x")], Switch::Excluded);
    check(&[], Switch::Excluded);
}
