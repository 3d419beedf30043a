//! Leaving HTTP behind a 101.

mod support;

use http_transport::{ErrorKind, Phase, Transport, Upgraded};
use support::tls::{authority, https, trusting};
use support::{finish, post, read_request, serve, upgrade, upgrade_with};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::sync::oneshot;

const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\n";

/// Sends `answer` whole and byte by byte and closes; `expected` is what comes behind the head.
async fn check(answer: &[u8], expected: &[u8]) {
    let whole: Vec<Vec<u8>> = vec![answer.to_vec()];
    let bytes: Vec<Vec<u8>> = answer.iter().map(|byte| vec![*byte]).collect();
    for pieces in [whole, bytes] {
        let count = pieces.len();
        let (uri, server) = serve(async move |mut stream| {
            read_request(&mut stream).await;
            for piece in pieces {
                stream.write_all(&piece).await.unwrap();
                tokio::task::yield_now().await;
            }
        })
        .await;
        let mut exchange = upgrade(&support::direct(), &uri);
        let head = exchange.head().await.unwrap();
        assert_eq!((head.status.as_u16(), head.headers["upgrade"].as_bytes()), (101, &b"echo"[..]));
        assert!(exchange.data().await.is_none(), "a 101 has no body");
        assert_eq!(exchange.phase(), Phase::Done);
        assert_eq!(exchange.head().await.unwrap_err().kind(), ErrorKind::Config, "the head is handed out once");
        let mut read = Vec::new();
        // One more than there is: a byte that comes twice must not come for ever.
        let mut upgraded = exchange.into_upgraded().unwrap().take(expected.len() as u64 + 1);
        upgraded.read_to_end(&mut read).await.unwrap();
        assert!(read == expected, "{} of {} bytes, in {count} pieces", read.len(), expected.len());
        finish(server).await;
    }
}

#[tokio::test]
async fn what_comes_with_the_head_is_the_new_protocol() {
    check(SWITCH.as_bytes(), b"").await;
    check(&[SWITCH.as_bytes(), b"first frames"].concat(), b"first frames").await;
    // Not to be read as a second answer.
    check(&[SWITCH, "HTTP/1.1 200 OK\r\n\r\n"].concat().into_bytes(), b"HTTP/1.1 200 OK\r\n\r\n").await;
    let large = vec![0x81; 100_000];
    check(&[SWITCH.as_bytes(), &large].concat(), &large).await;
}

#[tokio::test]
async fn a_body_that_the_head_announces_is_not_taken_from_the_new_protocol() {
    for framing in ["content-length: 3", "transfer-encoding: chunked", "x: a\x01b", "connection: close"] {
        let answer = format!("HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\n{framing}\r\n\r\n3\r\nabc");
        check(answer.as_bytes(), b"3\r\nabc").await;
    }
}

#[tokio::test]
async fn interim_answers_may_precede_the_switch() {
    let answer = format!("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n{SWITCH}frames");
    check(answer.as_bytes(), b"frames").await;
}

/// Reads a request, switches, and sends back whatever comes until the client ends its half.
async fn echo(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let request = read_request(&mut stream).await;
    assert!(request.starts_with("GET /v1?x=1 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nconnection: keep-alive, Upgrade\r\nupgrade: echo\r\n"), "{request}");
    assert!(!request.contains("content-length"), "{request}");
    stream.write_all(SWITCH.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    let mut buffer = [0; 10_000];
    loop {
        match stream.read(&mut buffer).await.unwrap() {
            0 => break,
            count => stream.write_all(&buffer[..count]).await.unwrap(),
        }
        stream.flush().await.unwrap();
    }
    stream.shutdown().await.unwrap();
}

/// Sends more than all buffers on the way hold, while it reads.
async fn check_echo(transport: &Transport, uri: &str) {
    let mut exchange = upgrade(transport, &format!("{uri}/v1?x=1"));
    assert_eq!(exchange.head().await.unwrap().status, 101);
    let mut upgraded = exchange.into_upgraded().unwrap();
    upgraded.write_all(b"ping").await.unwrap();
    upgraded.flush().await.unwrap();
    let mut answer = [0; 4];
    upgraded.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"ping");

    let sent: Vec<u8> = (0..=250).cycle().take(8_000_000).collect();
    let mut received = Vec::new();
    let (mut reader, mut writer) = split(upgraded);
    let (read, ()) = tokio::join!(reader.read_to_end(&mut received), async {
        writer.write_all(&sent).await.unwrap();
        // Ends the writing half alone: the rest still comes back.
        writer.shutdown().await.unwrap();
    });
    read.unwrap();
    assert!(received == sent, "{} of {} bytes", received.len(), sent.len());
}

#[tokio::test]
async fn bytes_go_both_ways() {
    for scheme in ["http", "ws"] {
        let (uri, server) = serve(echo).await;
        let uri = uri.replace("http", scheme);
        let client = tokio::spawn(async move { check_echo(&support::direct(), &uri).await });
        finish(client).await;
        finish(server).await;
    }
}

#[tokio::test]
async fn bytes_go_both_ways_over_tls() {
    for scheme in ["https", "wss"] {
        let (root, acceptor) = authority("own", "localhost");
        let (uri, server) = serve(async move |stream| {
            let stream = acceptor.accept(stream).await.unwrap();
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
            echo(stream).await;
        })
        .await;
        let uri = https(&uri, "localhost").replace("https", scheme);
        let client = tokio::spawn(async move { check_echo(&trusting(root), &uri).await });
        finish(client).await;
        finish(server).await;
    }
}

#[tokio::test]
async fn several_slices_are_written_in_one_go() {
    let (uri, server) = serve(async |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(SWITCH.as_bytes()).await.unwrap();
        let mut read = Vec::new();
        stream.read_to_end(&mut read).await.unwrap();
        read
    })
    .await;
    let mut upgraded = switched(&uri).await;
    assert!(upgraded.is_write_vectored());
    let slices = [std::io::IoSlice::new(b"header"), std::io::IoSlice::new(b"payload")];
    assert_eq!(upgraded.write_vectored(&slices).await.unwrap(), 13);
    drop(upgraded);
    assert_eq!(finish(server).await, b"headerpayload");
}

async fn switched(uri: &str) -> Upgraded {
    let mut exchange = upgrade(&support::direct(), uri);
    exchange.head().await.unwrap();
    exchange.into_upgraded().unwrap()
}

#[tokio::test]
async fn dropping_closes_the_socket_at_once() {
    for (behind, is_taken) in [("", true), ("unread", true), ("", false), ("unread", false)] {
        let (uri, server) = serve(async move |mut stream| {
            read_request(&mut stream).await;
            stream.write_all(format!("{SWITCH}{behind}").as_bytes()).await.unwrap();
            // The end, or a reset.
            !matches!(stream.read(&mut [0; 1]).await, Ok(1))
        })
        .await;
        let mut exchange = upgrade(&support::direct(), &uri);
        exchange.head().await.unwrap();
        if is_taken {
            drop(exchange.into_upgraded().unwrap());
        } else {
            drop(exchange);
        }
        assert!(finish(server).await);
    }
}

#[tokio::test]
async fn an_upgraded_stream_outlives_the_head_timeout() {
    let (go, wait) = oneshot::channel::<()>();
    let (uri, server) = serve(async move |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(SWITCH.as_bytes()).await.unwrap();
        wait.await.unwrap();
        stream.write_all(b"late").await.unwrap();
    })
    .await;
    let mut upgraded = switched(&uri).await;
    tokio::time::pause();
    // Any deadline would fire here, before this one.
    let day = std::time::Duration::from_secs(86_400);
    assert!(tokio::time::timeout(day, upgraded.read_u8()).await.is_err());
    go.send(()).unwrap();
    let mut read = Vec::new();
    upgraded.read_to_end(&mut read).await.unwrap();
    assert_eq!(read, b"late");
    finish(server).await;
}

#[tokio::test]
async fn a_switch_needs_a_request_that_asks_for_it() {
    let asked: [&[(&str, &str)]; 4] = [
        &[],
        &[("upgrade", "echo")],
        &[("connection", "upgrade")],
        &[("connection", "keep-alive"), ("upgrade", "echo")],
    ];
    for headers in asked {
        let (uri, server) = serve(async |mut stream| {
            read_request(&mut stream).await;
            stream.write_all(SWITCH.as_bytes()).await.unwrap();
            // Closed by the error, not by dropping the exchange.
            !matches!(stream.read(&mut [0; 1]).await, Ok(1))
        })
        .await;
        let mut exchange = upgrade_with(&support::direct(), &uri, headers);
        let error = exchange.head().await.unwrap_err();
        assert_eq!((error.kind(), error.phase()), (ErrorKind::Protocol, Phase::Head), "{headers:?}");
        assert!(finish(server).await);
        assert_eq!(exchange.into_upgraded().unwrap_err().phase(), Phase::Head);
    }
}

#[tokio::test]
async fn there_is_no_stream_without_a_switch() {
    let exchange = upgrade(&support::direct(), "ws://127.0.0.1:1/");
    let error = exchange.into_upgraded().unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Config, Phase::Dns));
    assert_eq!(error.to_string(), "the connection has not switched protocols");

    let (uri, server) = serve(async |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    })
    .await;
    let mut exchange = post(&support::direct(), &uri);
    exchange.head().await.unwrap();
    let error = exchange.into_upgraded().unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Config, Phase::Body));
    finish(server).await;
}

#[tokio::test]
async fn the_stream_can_be_moved_to_another_task_and_is_printed_without_content() {
    fn movable<T: AsyncRead + AsyncWrite + Send + Unpin + 'static>(_: &T) {}
    let (uri, server) = serve(async |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(format!("{SWITCH}secret").as_bytes()).await.unwrap();
        let _ = stream.read(&mut [0; 1]).await;
    })
    .await;
    let upgraded = switched(&uri).await;
    movable(&upgraded);
    let text = format!("{upgraded:?}");
    assert!(text.contains(uri.strip_prefix("http://").unwrap()) && !text.contains("secret"), "{text}");
    drop(upgraded);
    finish(server).await;
}
