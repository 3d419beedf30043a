//! A server that refuses a large request before it has all of it, and takes no more.

mod support;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use codex_api::{FailureKind, Request, connector};
use support::{drain, impatient, soon};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;

/// More than the sockets of both sides take when nobody reads.
const LENGTH: usize = 16 << 20;
const REFUSAL: &str = r#"{"error":{"message":"Too many pictures.","type":"invalid_request_error","code":"too_many"}}"#;

/// What the server does behind its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// It closes the connection: what is still on its way meets a reset.
    Closes,
    /// It says that nothing follows, and waits for the client to go.
    ShutsDown,
    /// It waits for the client to go.
    Waits,
}

/// A stream on which writing finds out first that the other side has gone: so it is when the answer and the end come
/// between a look for what there is to read and the next write.
struct WrittenFirst {
    stream: TcpStream,
    has_failed: bool,
}

impl AsyncRead for WrittenFirst {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // Until then it is the write that waits, and wakes.
        if self.has_failed { Pin::new(&mut self.stream).poll_read(cx, buf) } else { Poll::Pending }
    }
}

impl AsyncWrite for WrittenFirst {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, data));
        self.has_failed |= written.is_err();
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// What a client looks at first when the server has gone.
#[derive(Clone, Copy, Debug)]
enum Finds {
    Answer,
    FailedWrite,
}

/// Answers when it has the head of a request; the end of the body is neither waited for nor read.
async fn refuse(stream: &mut TcpStream, length: &str, then: Then) {
    let mut seen = Vec::new();
    while !seen.windows(4).any(|end| end == b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut seen).await.unwrap(), 0, "the client goes on");
    }
    let head = format!("HTTP/1.1 413 Payload Too Large\r\ncontent-type: application/json\r\n{length}\r\n");
    stream.write_all((head + REFUSAL).as_bytes()).await.unwrap();
    if then == Then::ShutsDown {
        stream.shutdown().await.unwrap();
    }
}

/// A turn with a large request. Its caller is told the service's words, and the service is asked once.
async fn check(then: Then, length: &str, finds: Finds) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(16).unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let (is_over, over) = oneshot::channel();
    let length = length.to_owned();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        refuse(&mut stream, &length, then).await;
        let stream = Some(stream).filter(|_| then != Then::Closes);
        tokio::select! {
            _ = listener.accept() => panic!("the service is asked once more"),
            _ = over => {}
        }
        let mut rest = 0;
        if let Some(mut stream) = stream {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                rest += count;
            }
        }
        rest
    });

    let client = match finds {
        Finds::Answer => impatient(&url),
        Finds::FailedWrite => impatient(&url).connector(connector::from_fn(|to| async move {
            let stream = TcpStream::connect((to.host(), to.port())).await?;
            Ok::<_, io::Error>(WrittenFirst { stream, has_failed: false })
        })),
    };
    let client = client.build().unwrap();
    let request = Request::new("m").user("x".repeat(LENGTH));
    let (_, error) = soon(drain(client.session().begin_turn().stream(request))).await;
    let error = error.expect("a failure");
    let told = (error.kind(), error.status(), error.code(), error.message());
    assert_eq!(
        told,
        (FailureKind::Api, Some(413), Some("too_many"), "Too many pictures."),
        "{then:?}, {finds:?}: {error:?}"
    );
    assert_eq!((error.attempts(), error.is_retryable()), (1, false), "{then:?}");
    is_over.send(()).unwrap();
    let rest = soon(server).await.unwrap();
    assert!(rest < LENGTH, "{then:?}: the client was still writing");
}

#[tokio::test]
async fn an_early_refusal_of_a_large_request_is_told_once_in_the_services_words() {
    let length = format!("content-length: {}\r\n", REFUSAL.len());
    let closes = "connection: close\r\n";
    for length in [&*length, closes] {
        check(Then::ShutsDown, length, Finds::Answer).await;
        // Elsewhere a reset may take with it what has arrived and was not read.
        if cfg!(target_os = "linux") {
            check(Then::Closes, length, Finds::Answer).await;
            check(Then::Closes, length, Finds::FailedWrite).await;
        }
    }
    check(Then::Waits, &length, Finds::Answer).await;
}
