use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use http::HeaderMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex, join};

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

#[tokio::test]
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
    let error = response.unwrap_err();
    let cause = find::<io::Error>(&error).expect("the cause is in the chain");
    assert_eq!(cause.kind(), io::ErrorKind::BrokenPipe);
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
