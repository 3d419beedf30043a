//! Connections by a connector of one's own.

mod support;

use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_transport::connector::{BoxError, Connecting, Connector, Destination};
use http_transport::{Decoding, Environment, Error, ErrorKind, Phase, Transport, TransportBuilder, connector};
use support::tls::{authority, trusting_builder};
use support::{finish, post, read_request};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::Instant;

fn through(connector: impl Connector) -> TransportBuilder {
    Transport::builder().environment(Environment::empty()).decoding(Decoding::Raw).connector(connector)
}

/// Gives each connection to `script`, and remembers where it was to lead.
fn in_memory<F, R>(script: F) -> (impl Connector, Arc<Mutex<Vec<String>>>)
where
    F: Fn(DuplexStream) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let connector = connector::from_fn(move |destination| {
        log.lock().unwrap().push(destination.to_string());
        let (near, far) = duplex(64 * 1024);
        tokio::spawn(script(far));
        async move { Ok::<_, BoxError>(near) }
    });
    (connector, asked)
}

async fn hello(mut stream: DuplexStream) {
    // Until the client closes it.
    while let Ok(first) = stream.read_u8().await {
        assert_eq!(first, b'P');
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").await.unwrap();
    }
}

/// Posts to `uri` and reads the answer.
async fn ask(transport: &Transport, uri: &str) -> Result<Vec<u8>, Error> {
    let mut exchange = post(transport, uri);
    exchange.head().await?;
    let mut body = Vec::new();
    while let Some(data) = exchange.data().await {
        body.extend_from_slice(&data?);
    }
    Ok(body)
}

#[tokio::test]
async fn connections_in_memory_are_used_again_like_any_other() {
    let (connector, asked) = in_memory(hello);
    let transport = through(connector).build().unwrap();
    for uri in ["http://a.example/x", "http://a.example/y", "http://[::1]:8080/"] {
        assert_eq!(ask(&transport, uri).await.unwrap(), b"hello");
    }
    // The settings of a clone with another deadline are shared, too.
    let other = transport.with_head_timeout(None);
    assert_eq!(ask(&other, "http://a.example/z").await.unwrap(), b"hello");
    assert_eq!(*asked.lock().unwrap(), ["a.example:80", "[::1]:8080"]);
}

/// A connection that was closed while it waited shows that at once. Behind a long silence, the server had the request.
#[tokio::test(start_paused = true)]
async fn a_request_is_sent_once_more_only_where_the_end_may_have_crossed_it() {
    let late: [&[u8]; 2] = [b"", b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"];
    for (last_words, silence, connections) in [(late[0], 4, 2), (late[0], 6, 1), (late[1], 4, 2), (late[1], 6, 1)] {
        let (connector, asked) = in_memory(move |mut stream| async move {
            read_request(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").await.unwrap();
            read_request(&mut stream).await;
            tokio::time::sleep(Duration::from_secs(silence)).await;
            stream.write_all(last_words).await.unwrap();
        });
        let transport = through(connector).build().unwrap();
        ask(&transport, "http://a.example/").await.unwrap();
        let again = ask(&transport, "http://a.example/").await;
        assert_eq!(asked.lock().unwrap().len(), connections, "{silence} s: {again:?}");
    }
}

#[tokio::test]
async fn tls_goes_over_the_stream() {
    let (root, acceptor) = authority("A private CA", "a.example");
    let (connector, asked) = in_memory(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut stream = acceptor.accept(stream).await.unwrap();
            read_request(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret").await.unwrap();
        }
    });
    let transport = trusting_builder(root).connector(connector).build().unwrap();
    assert_eq!(ask(&transport, "https://a.example").await.unwrap(), b"secret");
    assert_eq!(*asked.lock().unwrap(), ["a.example:443"]);
}

#[tokio::test]
async fn what_came_before_tls_failed_is_not_lost() {
    let unreadable = &[&b"\x17\x03\x03\0\x20"[..], &[0; 32]].concat();
    // In clear, where nothing is any more.
    let alert = &b"\x15\x03\x03\0\x02\x02\x50".to_vec();
    for (length, end) in [(6, Ok(())), (7, Err(ErrorKind::Truncated))] {
        for behind in [unreadable, alert] {
            let (root, acceptor) = authority("A private CA", "a.example");
            let behind = behind.clone();
            let (connector, _) = in_memory(move |stream| {
                let (acceptor, behind) = (acceptor.clone(), behind.clone());
                async move {
                    let mut stream = acceptor.accept(stream).await.unwrap();
                    read_request(&mut stream).await;
                    // One piece: the client is not asked in between.
                    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\nsecret");
                    stream.write_all(answer.as_bytes()).await.unwrap();
                    stream.get_mut().0.write_all(&behind).await.unwrap();
                    let _ = stream.get_mut().0.read_to_end(&mut Vec::new()).await;
                }
            });
            let mut exchange = post(&trusting_builder(root).connector(connector).build().unwrap(), "https://a.example");
            assert_eq!(exchange.head().await.unwrap().status, 200);
            assert_eq!(exchange.data().await.unwrap().unwrap(), "secret");
            let rest = exchange.data().await.map_or(Ok(()), |rest| rest.map(drop));
            assert_eq!(rest.map_err(|error| error.kind()), end, "{length}");
        }
    }
}

#[tokio::test]
async fn a_proxy_is_spoken_to_over_the_stream() {
    let (connector, asked) = in_memory(async |mut stream: DuplexStream| {
        let request = read_request(&mut stream).await;
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{request}", request.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    let proxy: http_transport::ProxyUrl = "http://p.example:3128".parse().unwrap();
    let transport = through(connector).proxy(proxy).build().unwrap();
    let seen = String::from_utf8(ask(&transport, "http://a.example/x").await.unwrap()).unwrap();
    assert!(seen.starts_with("POST http://a.example/x HTTP/1.1\r\n"), "{seen}");
    assert_eq!(*asked.lock().unwrap(), ["p.example:3128"]);
}

/// The error of a connector that fails like this.
async fn failure<E: Into<BoxError> + 'static>(cause: fn() -> E) -> Error {
    let connector = connector::from_fn(move |_| async move { Err::<DuplexStream, E>(cause()) });
    let mut exchange = post(&through(connector).build().unwrap(), "http://a.example");
    let error = exchange.head().await.unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Connect, Phase::Connect));
    assert_eq!(exchange.phase(), Phase::Connect);
    error
}

#[tokio::test]
async fn what_a_connector_fails_with_is_kept() {
    let refused = failure(|| io::Error::from(io::ErrorKind::ConnectionRefused)).await;
    assert_eq!(refused.to_string(), "a.example:80 refused the connection");
    let other = failure(|| "no such tunnel").await;
    assert_eq!(other.to_string(), "cannot connect to a.example:80");
    assert_eq!(std::error::Error::source(&other).unwrap().to_string(), "no such tunnel");
}

/// Never connects.
struct Stuck;

impl Connector for Stuck {
    fn connect(&self, _: Destination) -> Connecting {
        Box::pin(pending())
    }
}

#[tokio::test(start_paused = true)]
async fn the_connect_timeout_lies_over_it() {
    let limit = Duration::from_secs(7);
    let transport = through(Arc::new(Stuck)).connect_timeout(Some(limit)).build().unwrap();
    let start = Instant::now();
    let error = post(&transport, "http://a.example").head().await.unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Timeout, Phase::Connect));
    assert_eq!(error.to_string(), "timed out connecting to a.example:80 after 7s (connect timeout)");
    assert!(start.elapsed() >= limit && start.elapsed() < limit + Duration::from_millis(5));
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_is_a_connection() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await.unwrap();
        request
    });
    let transport =
        through(connector::from_fn(move |_| tokio::net::UnixStream::connect(path.clone()))).build().unwrap();
    assert_eq!(ask(&transport, "http://model.local/v1").await.unwrap(), b"hi");
    assert!(finish(server).await.contains("host: model.local\r\n"));
}
