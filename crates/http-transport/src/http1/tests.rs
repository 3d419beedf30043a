use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use http::HeaderMap;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf, duplex, join};

use super::Http1;
use crate::classify::find;
use crate::dial::BoxStream;
use crate::outgoing::prepare;
use crate::request::Request;
use crate::target::Target;

/// A POST of 10,000 bytes.
async fn start(headers: HeaderMap, stream: BoxStream) -> Http1 {
    let uri = "http://a.example/".parse().unwrap();
    let request = Request::post(uri, headers, Bytes::from(vec![b'x'; 10_000]));
    let target = Target::parse(&request.uri).unwrap();
    let request = prepare(request, &target, &crate::proxy::Route::Direct).unwrap();
    Http1::start(stream, request).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_body_that_ends_because_writing_failed_says_so() {
    // A server that answers early, stops reading the request, and then breaks that direction alone.
    let (reader, mut answers) = duplex(1_000);
    let (mut requests, writer) = duplex(1_000);
    let mut http = start(HeaderMap::new(), Box::new(join(reader, writer))).await;

    let (response, ()) = tokio::join!(poll_fn(|cx| http.poll_response(cx)), async {
        requests.read_u8().await.unwrap();
        let answer = b"HTTP/1.1 200 OK\r\n\r\nhello";
        answers.write_all(answer).await.unwrap();
    });
    assert_eq!(response.unwrap().status(), 200);
    let data = poll_fn(|cx| http.poll_data(cx)).await;
    assert_eq!(data.unwrap().unwrap(), "hello");

    drop(requests);
    let error = poll_fn(|cx| http.poll_data(cx)).await.unwrap().unwrap_err();
    let cause = find::<io::Error>(&error).expect("the cause is in the chain");
    assert_eq!(cause.kind(), io::ErrorKind::BrokenPipe);
}

/// A server that has answered and closed, which writing finds out before reading does.
struct Refused {
    answer: &'static [u8],
    /// Bytes of the request that it takes.
    takes: usize,
}

impl AsyncRead for Refused {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // What came with the end of the connection is seen with it.
        if self.takes > 0 {
            return Poll::Pending;
        }
        let (now, rest) = self.answer.split_at(self.answer.len().min(buf.remaining()));
        buf.put_slice(now);
        self.answer = rest;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Refused {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let taken = buf.len().min(self.takes);
        self.takes -= taken;
        Poll::Ready(if taken == 0 { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(taken) })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_request_is_read_where_writing_has_failed() {
    for takes in [1, 1_000, 9_000] {
        let answer = b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno";
        let mut http = start(HeaderMap::new(), Box::new(Refused { answer, takes })).await;
        assert_eq!(poll_fn(|cx| http.poll_response(cx)).await.unwrap().status(), 413);
        assert_eq!(poll_fn(|cx| http.poll_data(cx)).await.unwrap().unwrap(), "no");
        assert!(poll_fn(|cx| http.poll_data(cx)).await.is_none());
        assert!(!http.progress().is_sent());
        assert_eq!(http.progress().written(), takes as u64);
        assert!(http.into_idle().is_none(), "and never again");
    }
    let mut http = start(HeaderMap::new(), Box::new(Refused { answer: b"", takes: 1_000 })).await;
    assert!(poll_fn(|cx| http.poll_response(cx)).await.unwrap_err().is_incomplete_message());
}

#[tokio::test]
async fn a_connection_that_breaks_while_it_switches_is_not_handed_out() {
    let (reader, mut answers) = duplex(1_000);
    let (mut requests, writer) = duplex(1_000);
    let mut headers = HeaderMap::new();
    headers.insert("connection", "upgrade".parse().unwrap());
    headers.insert("upgrade", "echo".parse().unwrap());
    let mut http = start(headers, Box::new(join(reader, writer))).await;

    let (response, ()) = tokio::join!(poll_fn(|cx| http.poll_response(cx)), async {
        requests.read_u8().await.unwrap();
        answers.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n").await.unwrap();
        drop(requests);
    });
    assert_eq!(response.unwrap().status(), 101);
    assert!(!http.progress().is_sent());
    assert!(http.into_stream().is_none());
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[tokio::test]
async fn a_chunk_wakes_its_reader_once() {
    let (near, mut server) = duplex(20_000);
    let mut http = start(HeaderMap::new(), Box::new(near)).await;
    let (response, ()) = tokio::join!(poll_fn(|cx| http.poll_response(cx)), async {
        server.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
    });
    assert_eq!(response.unwrap().status(), 200);

    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut cx = Context::from_waker(&waker);
    assert!(http.poll_data(&mut cx).is_pending());
    for wakes in 1..=3 {
        server.write_all(b"5\r\nhello\r\n").await.unwrap();
        let Poll::Ready(Some(Ok(data))) = http.poll_data(&mut cx) else { panic!("the chunk has arrived") };
        assert_eq!(data, "hello");
        assert!(http.poll_data(&mut cx).is_pending());
        assert_eq!(count.0.load(SeqCst), wakes, "one for each chunk");
    }
}
