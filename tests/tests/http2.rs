//! Turns over HTTP/2.

mod support;

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Instant;

use bytes::Bytes;
use codex_api::{Client, ClientBuilder, FailureKind, HttpVersions, Request, Transport, TurnEvent};
use h2::Reason;
use http::Response;
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use support::{impatient, in_memory::accept_socket, soon};
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use ws_codec::{CloseCode, CloseFrame, Config, Role, Text, io::Connection as Socket};

const HELLO: &[u8] = b"data: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\"}}\n\n\
    data: {\"type\":\"response.output_text.delta\",\"delta\":\"hello\"}\n\n\
    data: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\"}}\n\n";

/// What a server does with a request.
#[derive(Clone, Copy)]
enum Step {
    /// The whole answer.
    Answer,
    /// So many bytes of the answer, and this as soon as the client has an event of it.
    Reset(usize, Reason),
}

/// A server of HTTP/2 alone, whose certificate is its own root. It plays the steps in order, and the last one again and
/// again.
struct Server {
    url: String,
    root: Vec<u8>,
    connections: Arc<AtomicUsize>,
    /// The client has an event.
    go: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(steps: &'static [Step]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}/v1", listener.local_addr().unwrap().port());
        let (root, acceptor) = tls(&["h2"]);
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, requests) = (Arc::clone(&connections), Arc::new(AtomicUsize::new(0)));
        let go = Arc::new(Notify::new());
        let going = Arc::clone(&go);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, SeqCst);
                let (acceptor, requests, going) = (acceptor.clone(), Arc::clone(&requests), Arc::clone(&going));
                tokio::spawn(async move {
                    let stream = acceptor.accept(stream).await.unwrap();
                    let mut connection: h2::server::Connection<_, Bytes> = h2::server::handshake(stream).await.unwrap();
                    while let Some(Ok((request, mut respond))) = connection.accept().await {
                        assert_eq!(request.uri().scheme_str(), Some("https"));
                        let step = steps[requests.fetch_add(1, SeqCst).min(steps.len() - 1)];
                        let head = Response::builder().header("content-type", "text/event-stream").body(()).unwrap();
                        if let Step::Reset(0, reason) = step {
                            respond.send_reset(reason);
                            continue;
                        }
                        let mut body = respond.send_response(head, false).unwrap();
                        match step {
                            Step::Answer => body.send_data(Bytes::from_static(HELLO), true).unwrap(),
                            Step::Reset(bytes, reason) => {
                                body.send_data(Bytes::from_static(&HELLO[..bytes]), false).unwrap();
                                let going = Arc::clone(&going);
                                tokio::spawn(async move {
                                    going.notified().await;
                                    body.send_reset(reason);
                                });
                            }
                        }
                    }
                });
            }
        });
        Self { url, root, connections, go, task }
    }

    fn client(&self) -> ClientBuilder {
        impatient(&self.url).extra_root_certificate(self.root.clone())
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

/// A server of these protocols, and its certificate.
fn tls(protocols: &[&str]) -> (Vec<u8>, TlsAcceptor) {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = certified.cert.der().clone();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.clone()],
            PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()).into(),
        )
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    (certificate.to_vec(), TlsAcceptor::from(Arc::new(config)))
}

/// One turn: the kinds of the failures that were tried again, the text, and how it ended.
async fn turn(client: &Client, go: &Notify) -> (Vec<FailureKind>, String, Option<FailureKind>) {
    let mut stream = client.session().begin_turn().stream(Request::new("m"));
    let (mut retries, mut text) = (Vec::new(), String::new());
    loop {
        match soon(stream.try_next()).await {
            Ok(Some(TurnEvent::Retry(retry))) => {
                retries.push(retry.reason);
                text.clear();
            }
            Ok(Some(TurnEvent::TextDelta(delta))) => text.push_str(&delta.text),
            Ok(Some(_)) => go.notify_one(),
            Ok(None) => return (retries, text, None),
            Err(error) => return (retries, text, Some(error.kind())),
        }
    }
}

#[tokio::test]
async fn turns_share_one_connection() {
    let server = Server::start(&[Step::Answer]).await;
    let client = server.client().build().unwrap();
    for _ in 0..2 {
        assert_eq!(turn(&client, &server.go).await, (vec![], "hello".to_owned(), None));
    }
    let turns: Vec<_> = (0..10)
        .map(|_| {
            let (client, go) = (client.clone(), Arc::clone(&server.go));
            tokio::spawn(async move { turn(&client, &go).await })
        })
        .collect();
    for turn in turns {
        assert_eq!(turn.await.unwrap(), (vec![], "hello".to_owned(), None));
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn resets_are_tried_again_by_what_they_say() {
    async fn check(steps: &'static [Step], retries: &[FailureKind]) {
        let server = Server::start(steps).await;
        let told = turn(&server.client().build().unwrap(), &server.go).await;
        assert_eq!(told, (retries.to_vec(), "hello".to_owned(), None));
    }
    // Free: nobody needs to know.
    check(&[Step::Reset(0, Reason::REFUSED_STREAM), Step::Answer], &[]).await;
    check(&[Step::Reset(0, Reason::INTERNAL_ERROR), Step::Answer], &[FailureKind::Connect]).await;
    check(&[Step::Reset(0, Reason::ENHANCE_YOUR_CALM), Step::Answer], &[FailureKind::Connect]).await;
    check(&[Step::Reset(100, Reason::INTERNAL_ERROR), Step::Answer], &[FailureKind::Truncated]).await;
    check(&[Step::Reset(100, Reason::ENHANCE_YOUR_CALM), Step::Answer], &[FailureKind::Truncated]).await;
}

#[tokio::test]
async fn a_server_without_http_1_1_is_an_error_where_nothing_else_is_allowed() {
    let server = Server::start(&[Step::Answer]).await;
    let client = server.client().http_versions(HttpVersions::Http1).build().unwrap();
    let (_, _, error) = turn(&client, &server.go).await;
    assert_eq!(error, Some(FailureKind::Tls));
}

/// Tells the turn's state over a WebSocket, and that the request is too large for it.
async fn close_socket(stream: TlsStream<TcpStream>) {
    let stream = accept_socket(BufReader::new(stream)).await.unwrap();
    let mut socket = Socket::new(stream, Role::Server, Config::new(), Instant::now());
    poll_fn(|cx| socket.poll_message(cx, Instant::now())).await.unwrap().unwrap();
    let event = br#"{"type":"response.metadata","headers":{"x-codex-turn-state":"ts-1"}}"#;
    socket.start_send(Text::try_from(Bytes::from_static(event)).unwrap()).unwrap();
    poll_fn(|cx| socket.poll_flush(cx, Instant::now())).await.unwrap();
    socket.close(CloseFrame::new(CloseCode::new(1009), "too large").unwrap(), Instant::now());
    poll_fn(|cx| socket.poll_close(cx, Instant::now())).await.unwrap();
}

/// The socket is opened over HTTP/1.1, although the service likes HTTP/2 better, which then serves the turn.
#[tokio::test]
async fn a_turn_keeps_its_state_from_a_socket_over_tls_to_http_2() {
    let (root, acceptor) = tls(&["h2", "http/1.1"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/v1", listener.local_addr().unwrap().port());
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let stream = acceptor.accept(stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        close_socket(stream).await;

        let (stream, _) = listener.accept().await.unwrap();
        let stream = acceptor.accept(stream).await.unwrap();
        let mut connection: h2::server::Connection<_, Bytes> = h2::server::handshake(stream).await.unwrap();
        let mut states = Vec::new();
        // Until the client lets go of it.
        while let Some(Ok((request, mut respond))) = connection.accept().await {
            let state = request.headers().get("x-codex-turn-state").map(|state| state.to_str().unwrap().to_owned());
            states.push(state);
            let head = Response::builder().header("content-type", "text/event-stream").body(()).unwrap();
            respond.send_response(head, false).unwrap().send_data(Bytes::from_static(HELLO), true).unwrap();
        }
        states
    });
    let client = impatient(&url).extra_root_certificate(root).transport(Transport::Auto).build().unwrap();
    let session = client.session();
    let turn = session.begin_turn();
    for turn in [&turn, &turn, &session.begin_turn()] {
        soon(turn.stream(Request::new("m")).collect()).await.unwrap();
    }
    assert!(session.fallback_reason().is_some_and(|reason| reason.contains("too large")));
    drop((client, session, turn));
    assert_eq!(soon(server).await.unwrap(), [Some("ts-1".to_owned()), Some("ts-1".to_owned()), None]);
}
