//! Connections through a proxy that serve more than one request, and those that must not.

mod support;

use std::sync::{Arc, Mutex};

use http_transport::{ErrorKind, Exchange, Transport};
use support::proxy::through;
use support::tls::authority;
use support::{finish, post, read_request, upgrade, variables};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const HELLO: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
const OPENED: &str = "HTTP/1.1 200 Connection established\r\n\r\n";
const UNKNOWN: &str = "HTTP/1.1 407 Who Are You\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n";
const NO_UPGRADE: &str = "HTTP/1.1 426 Upgrade Required\r\ncontent-length: 5\r\n\r\nhello";

/// A proxy of scripted connections, in the order of their coming: the answers to the requests on each, behind which
/// the connection is kept until the client leaves. An empty answer closes it.
struct Proxy {
    uri: String,
    /// The first line of each request, behind the number of the connection that it came on.
    seen: Arc<Mutex<Vec<String>>>,
    connections: JoinHandle<()>,
}

impl Proxy {
    async fn start(scripts: &[&[&'static str]]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let scripts: Vec<Vec<&str>> = scripts.iter().map(|script| script.to_vec()).collect();
        let journal = Arc::clone(&seen);
        let connections = tokio::spawn(async move {
            let mut connections = Vec::new();
            for (number, script) in scripts.into_iter().enumerate() {
                let (stream, _) = listener.accept().await.unwrap();
                connections.push(tokio::spawn(play(stream, number, script, Arc::clone(&journal))));
            }
            for connection in connections {
                connection.await.unwrap();
            }
        });
        Self { uri, seen, connections }
    }

    /// Waits for all connections to have come and gone.
    async fn check(self, expected: &[&str]) {
        finish(self.connections).await;
        assert_eq!(*self.seen.lock().unwrap(), expected);
    }
}

async fn play<S>(mut stream: S, number: usize, script: Vec<&'static str>, seen: Arc<Mutex<Vec<String>>>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    for answer in script {
        let request = read_request(&mut stream).await;
        let line = request.lines().next().unwrap().trim_end_matches(" HTTP/1.1");
        seen.lock().unwrap().push(format!("{number} {line}"));
        if answer.is_empty() {
            return;
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
    }
    // An end without TLS's goodbye is one, too.
    let count = stream.read(&mut [0; 16]).await.unwrap_or(0);
    assert_eq!(count, 0, "a request too many on connection {number}");
}

/// The answer's body, if there is an answer.
async fn ask(mut exchange: Exchange) -> Result<String, ErrorKind> {
    exchange.head().await.map_err(|error| error.kind())?;
    let mut body = Vec::new();
    while let Some(data) = exchange.data().await {
        body.extend_from_slice(&data.unwrap());
    }
    Ok(String::from_utf8(body).unwrap())
}

/// Posts to the targets, one after another, and compares what the proxy saw.
async fn check(scripts: &[&[&'static str]], targets: &[(&str, Result<&str, ErrorKind>)], seen: &[&str]) {
    let proxy = Proxy::start(scripts).await;
    let transport = through("http://", &proxy.uri).build().unwrap();
    for (target, expected) in targets {
        let answer = ask(post(&transport, target)).await;
        assert_eq!(answer.as_deref().map_err(|kind| *kind), *expected, "{target}");
    }
    drop(transport);
    proxy.check(seen).await;
}

#[tokio::test]
async fn a_request_in_absolute_form_leaves_the_connection_for_the_next_one_to_the_same_server() {
    let to_a = ("http://a.invalid/1", Ok("hello"));
    check(&[&[HELLO, HELLO]], &[to_a; 2], &["0 POST http://a.invalid/1"; 2]).await;
}

#[tokio::test]
async fn another_server_behind_the_proxy_has_a_connection_of_its_own() {
    let seen = ["0 POST http://a.invalid/", "1 POST http://b.invalid/", "0 POST http://a.invalid/"];
    let (a, b) = (("http://a.invalid", Ok("hello")), ("http://b.invalid", Ok("hello")));
    check(&[&[HELLO, HELLO], &[HELLO]], &[a, b, a], &seen).await;
}

#[tokio::test]
async fn a_request_that_finds_the_proxys_connection_closed_goes_through_the_proxy_again() {
    let seen = ["0 POST http://a.invalid/", "0 POST http://a.invalid/", "1 POST http://a.invalid/"];
    check(&[&[HELLO, ""], &[HELLO]], &[("http://a.invalid", Ok("hello")); 2], &seen).await;
}

#[tokio::test]
async fn a_refusal_of_the_proxy_is_told_on_a_used_connection_too_and_ends_it() {
    let expected = [Ok("hello"), Err(ErrorKind::Proxy), Ok("hello")];
    let targets = expected.map(|expected| ("http://a.invalid", expected));
    let seen = ["0 POST http://a.invalid/", "0 POST http://a.invalid/", "1 POST http://a.invalid/"];
    check(&[&[HELLO, UNKNOWN], &[HELLO]], &targets, &seen).await;
}

#[tokio::test]
async fn a_tunnel_serves_more_than_one_request() {
    let (root, acceptor) = authority("own", "a.invalid");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap());
    let proxy = tokio::spawn(async move {
        let (mut stream, _): (TcpStream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        stream.write_all(OPENED.as_bytes()).await.unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        play(acceptor.accept(stream).await.unwrap(), 0, vec![HELLO, HELLO], Arc::clone(&seen)).await;
        Arc::into_inner(seen).unwrap().into_inner().unwrap()
    });
    let transport = through("http://", &uri).extra_root_certificate(root).build().unwrap();
    let other = transport.with_head_timeout(None);
    assert_eq!(ask(post(&transport, "https://a.invalid/1")).await.unwrap(), "hello");
    assert_eq!(ask(post(&other, "https://a.invalid/2")).await.unwrap(), "hello");
    drop((transport, other));
    assert_eq!(finish(proxy).await, ["0 POST /1", "0 POST /2"]);
}

#[tokio::test]
async fn a_handshake_neither_takes_nor_leaves_a_connection() {
    let proxy = Proxy::start(&[&[HELLO, HELLO], &[OPENED, NO_UPGRADE]]).await;
    let transport = through("http://", &proxy.uri).build().unwrap();
    for exchange in [post, upgrade, post] {
        assert_eq!(ask(exchange(&transport, "http://a.invalid")).await.unwrap(), "hello");
    }
    drop(transport);
    let seen = ["0 POST http://a.invalid/", "1 CONNECT a.invalid:80", "1 GET /", "0 POST http://a.invalid/"];
    proxy.check(&seen).await;
}

#[tokio::test]
async fn a_server_that_is_reached_directly_and_one_by_the_proxy_keep_apart() {
    let direct = Proxy::start(&[&[HELLO, HELLO]]).await;
    let proxy = Proxy::start(&[&[HELLO, HELLO]]).await;
    let environment = variables(&[("HTTP_PROXY", &proxy.uri), ("NO_PROXY", "127.0.0.1")]);
    let transport = Transport::builder().environment(environment).build().unwrap();
    for target in [&direct.uri, "http://a.invalid", &direct.uri, "http://a.invalid"] {
        assert_eq!(ask(post(&transport, target)).await.unwrap(), "hello");
    }
    drop(transport);
    direct.check(&["0 POST /"; 2]).await;
    proxy.check(&["0 POST http://a.invalid/"; 2]).await;
}
