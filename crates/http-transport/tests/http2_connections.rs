//! Which connections requests over HTTP/2 use, and how they come to them.

#![cfg(feature = "http2")]

mod support;

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Waker};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, Version};
use http_transport::{Environment, ErrorKind, Exchange, HttpVersions, Phase, Request, Transport, TransportBuilder};
use support::frames::Frames;
use support::tls::{authority_offering, https};
use support::{finish, post, read_request, soon, upgrade};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Barrier, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

const NAME: &str = "localhost";

fn builder(versions: HttpVersions) -> TransportBuilder {
    Transport::builder().environment(Environment::empty()).http_versions(versions)
}

async fn rest(exchange: &mut Exchange) -> usize {
    let mut length = 0;
    while let Some(data) = exchange.data().await {
        length += data.unwrap().len();
    }
    length
}

/// A server that speaks whatever the client picks, and answers every request with 200 once it may.
struct Server {
    uri: String,
    root: Vec<u8>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

/// What a server answers, and when.
#[derive(Clone)]
struct Manner {
    /// Requests that have to be there before any is answered.
    together: Arc<Barrier>,
    /// Requests at a time on a connection.
    streams: u32,
    body: Bytes,
    /// Bytes of a frame, or as many as go.
    piece: usize,
}

impl Manner {
    fn after(requests: usize) -> Self {
        Self {
            together: Arc::new(Barrier::new(requests)),
            streams: 1_000,
            body: Bytes::from_static(b"hello"),
            piece: usize::MAX,
        }
    }
}

impl Server {
    async fn start(protocols: &[&str], manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = https(&format!("http://{}", listener.local_addr().unwrap()), NAME);
        let (root, acceptor) = authority_offering("Test CA", NAME, protocols);
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                count.fetch_add(1, SeqCst);
                tokio::spawn(serve(acceptor.clone(), stream, manner.clone()));
            }
        });
        Self { uri, root, connections, task }
    }

    fn transport(&self, versions: HttpVersions) -> Transport {
        builder(versions).extra_root_certificate(self.root.clone()).build().unwrap()
    }

    fn connections(&self) -> usize {
        self.connections.load(SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(acceptor: TlsAcceptor, stream: TcpStream, manner: Manner) {
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        serve_streams(stream, manner).await;
    } else {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").await.unwrap();
        let _ = stream.read_u8().await;
    }
}

async fn serve_streams(stream: impl AsyncRead + AsyncWrite + Unpin, manner: Manner) {
    let mut settings = h2::server::Builder::new();
    let handshake = settings.max_concurrent_streams(manner.streams).handshake(stream).await;
    let Ok::<h2::server::Connection<_, Bytes>, _>(mut connection) = handshake else { return };
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        let manner = manner.clone();
        tokio::spawn(async move {
            manner.together.wait().await;
            let Ok(mut body) = respond.send_response(Response::new(()), false) else { return };
            let mut left = manner.body;
            while !left.is_empty() {
                body.reserve_capacity(left.len());
                if body.capacity() == 0 && !matches!(poll_fn(|cx| body.poll_capacity(cx)).await, Some(Ok(_))) {
                    return;
                }
                let room = body.capacity();
                body.send_data(left.split_to(room.min(left.len()).min(manner.piece)), left.is_empty()).unwrap();
            }
        });
    }
}

#[tokio::test]
async fn the_server_chooses_the_version_from_what_the_setting_allows() {
    use HttpVersions::{Auto, Http1, Http2};
    let both = ["h2", "http/1.1"].as_slice();
    for (protocols, versions, expected) in [
        (both, Auto, Version::HTTP_2),
        (both, Http2, Version::HTTP_2),
        (both, Http1, Version::HTTP_11),
        (&["http/1.1", "h2"], Auto, Version::HTTP_11),
        (&["http/1.1"], Auto, Version::HTTP_11),
        (&["h2"], Auto, Version::HTTP_2),
        (&[], Auto, Version::HTTP_11),
    ] {
        let server = Server::start(protocols, Manner::after(1)).await;
        let transport = server.transport(versions);
        let mut exchange = post(&transport, &server.uri);
        let head = exchange.head().await.unwrap();
        assert_eq!((head.status, head.version), (StatusCode::OK, expected), "{protocols:?} {versions:?}");
        assert_eq!(rest(&mut exchange).await, 5);
        // What is there is used again, whichever it is.
        drop(exchange);
        if expected == Version::HTTP_2 {
            post(&transport, &server.uri).head().await.unwrap();
            assert_eq!(server.connections(), 1);
        }
    }
}

#[tokio::test]
async fn a_server_without_http_2_is_an_error_where_nothing_else_is_allowed() {
    for protocols in [["http/1.1"].as_slice(), &[]] {
        let server = Server::start(protocols, Manner::after(1)).await;
        let error = post(&server.transport(HttpVersions::Http2), &server.uri).head().await.unwrap_err();
        assert_eq!((error.kind(), error.phase()), (ErrorKind::Config, Phase::Tls), "{error:?}");
        let name = server.uri.replace("https://", "");
        let message = format!("{name} does not speak HTTP/2, and nothing else is allowed by the settings");
        assert_eq!(error.to_string(), message);
    }
}

/// Puts as many requests at a time, none of which is answered before all are there, and tells the connections.
async fn connections_for(requests: usize, streams: u32, versions: HttpVersions) -> usize {
    let server = Server::start(&["h2", "http/1.1"], Manner { streams, ..Manner::after(requests) }).await;
    let transport = server.transport(versions);
    let exchanges: Vec<_> = (0..requests)
        .map(|_| {
            let mut exchange = post(&transport, &server.uri);
            tokio::spawn(async move {
                let head = exchange.head().await.unwrap();
                assert_eq!(head.version, Version::HTTP_2);
                assert_eq!(rest(&mut exchange).await, 5);
            })
        })
        .collect();
    for exchange in exchanges {
        soon(exchange).await.unwrap();
    }
    server.connections()
}

#[tokio::test]
async fn a_hundred_requests_share_few_connections() {
    // 64 for each.
    assert_eq!(connections_for(100, 1_000, HttpVersions::Http2).await, 2);
    assert_eq!(connections_for(64, 1_000, HttpVersions::Http2).await, 1);
}

#[tokio::test]
async fn a_full_connection_is_not_waited_for() {
    // One more where the request that opens the third gets a place on the second before those who waited for that.
    let connections = connections_for(25, 10, HttpVersions::Http2).await;
    assert!((3..=4).contains(&connections), "{connections}");
}

#[tokio::test]
async fn a_server_that_chose_http_2_before_is_taken_to_do_so_again() {
    let manner = Manner::after(1);
    let server = Server::start(&["h2", "http/1.1"], manner).await;
    let transport = server.transport(HttpVersions::Auto);
    post(&transport, &server.uri).head().await.unwrap();
    let mut exchanges: Vec<_> = (0..20).map(|_| post(&transport, &server.uri)).collect();
    for exchange in &mut exchanges {
        soon(exchange.head()).await.unwrap();
    }
    assert_eq!(server.connections(), 1);
}

/// Polls once.
fn nudge(exchange: &mut Exchange) {
    assert!(exchange.poll_head(&mut Context::from_waker(Waker::noop())).is_pending());
}

/// A proxy that says nothing, so that whoever dials through it stays there.
async fn through_a_silent_proxy() -> (Transport, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy: http_transport::ProxyUrl = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    (builder(HttpVersions::Http2).proxy(proxy).build().unwrap(), listener)
}

const TARGET: &str = "https://a.example/";

#[tokio::test]
async fn a_dial_that_is_given_up_is_taken_over_by_one_who_waits() {
    let (transport, proxy) = through_a_silent_proxy().await;
    let mut leader = post(&transport, TARGET);
    nudge(&mut leader);
    let followers: Vec<_> = (0..3)
        .map(|_| {
            let mut follower = post(&transport, TARGET);
            nudge(&mut follower);
            tokio::spawn(async move { follower.head().await.unwrap_err() })
        })
        .collect();
    let (first, _) = soon(proxy.accept()).await.unwrap();
    tokio::task::yield_now().await;
    drop(leader);
    // One of them dials; the others wait for that one.
    let (mut second, _) = soon(proxy.accept()).await.unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
        assert!(proxy.poll_accept(&mut Context::from_waker(Waker::noop())).is_pending(), "a dial too many");
    }
    second.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    // Now that it has failed, each tries for itself.
    for _ in 0..2 {
        let (mut stream, _) = soon(proxy.accept()).await.unwrap();
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        tokio::spawn(async move { stream.read(&mut [0; 1024]).await });
    }
    for follower in followers {
        assert_eq!(soon(follower).await.unwrap().kind(), ErrorKind::Proxy);
    }
    drop((first, second));
}

#[tokio::test]
async fn handshakes_of_websockets_offer_http_1_1_alone() {
    let (root, acceptor) = authority_offering("Test CA", NAME, &["h2", "http/1.1"]);
    let (uri, server) = support::serve(|stream| async move {
        let mut stream = acceptor.accept(stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
        let request = read_request(&mut stream).await;
        assert!(request.starts_with("GET / HTTP/1.1\r\n"), "{request}");
        stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\necho").await.unwrap();
        stream
    })
    .await;
    // The strictest setting; the others follow.
    let transport = builder(HttpVersions::Http2).extra_root_certificate(root).build().unwrap();
    let mut exchange = upgrade(&transport, &https(&uri, NAME));
    assert_eq!(exchange.head().await.unwrap().status, StatusCode::SWITCHING_PROTOCOLS);
    let mut echo = [0; 4];
    exchange.into_upgraded().unwrap().read_exact(&mut echo).await.unwrap();
    assert_eq!(&echo, b"echo");
    drop(finish(server).await);
}

#[tokio::test]
async fn a_tunnel_carries_http_2() {
    let (root, acceptor) = authority_offering("Test CA", "a.example", &["h2"]);
    let (uri, server) = support::serve(|mut stream| async move {
        let request = read_request(&mut stream).await;
        assert!(request.starts_with("CONNECT a.example:443 HTTP/1.1\r\n"), "{request}");
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let mut frames = Frames::accept(acceptor.accept(stream).await.unwrap()).await;
        for _ in 0..2 {
            let stream = frames.request().await;
            frames.answer(stream, "hello").await;
        }
        assert!(frames.is_closed().await);
    })
    .await;
    let transport = support::proxy::through("http://", &uri).extra_root_certificate(root).build().unwrap();
    for _ in 0..2 {
        let mut exchange = post(&transport, TARGET);
        assert_eq!(exchange.head().await.unwrap().version, Version::HTTP_2);
        assert_eq!(rest(&mut exchange).await, 5);
    }
    drop(transport);
    finish(server).await;
}

#[tokio::test]
async fn what_a_proxy_forwards_goes_over_http_1_1() {
    let (uri, server) = support::serve(|mut stream| async move {
        let request = read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        request
    })
    .await;
    let transport = support::proxy::through("http://", &uri).http_versions(HttpVersions::Http2).build().unwrap();
    let head = post(&transport, "http://a.example/x").head().await.unwrap();
    assert_eq!(head.version, Version::HTTP_11);
    assert!(finish(server).await.starts_with("POST http://a.example/x HTTP/1.1\r\n"));
}

/// A body far above all windows.
const LARGE: usize = 24 * 1024 * 1024;

#[tokio::test]
async fn a_body_may_be_larger_than_all_windows() {
    let body = Bytes::from(vec![b'x'; LARGE]);
    let server = Server::start(&["h2"], Manner { body, ..Manner::after(1) }).await;
    let transport = server.transport(HttpVersions::Auto);
    let mut exchange = post(&transport, &server.uri);
    exchange.head().await.unwrap();
    assert_eq!(soon(rest(&mut exchange)).await, LARGE);
}

#[tokio::test]
async fn readers_that_stop_hold_up_nobody_else() {
    let body = Bytes::from(vec![b'x'; 1024 * 1024]);
    let server = Server::start(&["h2"], Manner { body, ..Manner::after(1) }).await;
    let transport = server.transport(HttpVersions::Http2);
    // All places of the connection but one: each of them keeps its window full.
    let mut stopped = Vec::new();
    for _ in 0..63 {
        let mut exchange = post(&transport, &server.uri);
        soon(exchange.head()).await.unwrap();
        stopped.push(exchange);
    }
    for _ in 0..3 {
        let mut exchange = post(&transport, &server.uri);
        soon(exchange.head()).await.unwrap();
        assert_eq!(soon(rest(&mut exchange)).await, 1024 * 1024);
    }
    // And each gets the whole, when it goes on.
    for exchange in &mut stopped {
        assert_eq!(soon(rest(exchange)).await, 1024 * 1024);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn readers_that_stop_among_small_frames_do_not_end_the_connection() {
    let body = Bytes::from(vec![b'x'; 200_000]);
    let server = Server::start(&["h2"], Manner { body, piece: 10, ..Manner::after(1) }).await;
    let transport = server.transport(HttpVersions::Http2);
    let mut stopped = [post(&transport, &server.uri), post(&transport, &server.uri)];
    for exchange in &mut stopped {
        soon(exchange.head()).await.unwrap();
    }
    let mut exchange = post(&transport, &server.uri);
    soon(exchange.head()).await.unwrap();
    assert_eq!(soon(rest(&mut exchange)).await, 200_000);
    for exchange in &mut stopped {
        assert_eq!(soon(rest(exchange)).await, 200_000);
    }
}

#[tokio::test]
async fn a_large_request_goes_through_a_small_window() {
    let (uri, server) = support::serve(|stream| async move {
        let mut connection: h2::server::Connection<_, Bytes> = h2::server::handshake(stream).await.unwrap();
        let (request, mut respond) = connection.accept().await.unwrap().unwrap();
        let reader = tokio::spawn(async move {
            let mut body = request.into_body();
            let mut length = 0;
            while let Some(data) = body.data().await {
                let data = data.unwrap();
                length += data.len();
                body.flow_control().release_capacity(data.len()).unwrap();
            }
            respond.send_response(Response::new(()), true).unwrap();
            length
        });
        while connection.accept().await.is_some() {}
        reader.await.unwrap()
    })
    .await;
    let transport = builder(HttpVersions::Http2).build().unwrap();
    let request = Request::post(uri.parse().unwrap(), HeaderMap::new(), vec![b'x'; 3_000_000]);
    let mut exchange = transport.open(request);
    assert_eq!(soon(exchange.head()).await.unwrap().status, StatusCode::OK);
    drop((exchange, transport));
    assert_eq!(finish(server).await, 3_000_000);
}

#[tokio::test]
async fn another_runtime_opens_a_connection_of_its_own() {
    let server = Server::start(&["h2"], Manner::after(1)).await;
    let transport = server.transport(HttpVersions::Auto);
    post(&transport, &server.uri).head().await.unwrap();
    let (other, uri) = (transport.clone(), server.uri.clone());
    let (done, mut is_done) = watch::channel(false);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let head = runtime.block_on(async { post(&other, &uri).head().await });
        done.send_replace(head.is_ok());
    });
    assert!(*soon(is_done.wait_for(|done| *done)).await.unwrap());
    assert_eq!(server.connections(), 2);
    post(&transport, &server.uri).head().await.unwrap();
    assert_eq!(server.connections(), 2);
}
