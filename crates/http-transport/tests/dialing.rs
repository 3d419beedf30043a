//! Names, addresses and TLS.

mod support;

use std::io;

use http_transport::{Error, ErrorKind, Phase, TlsProvider, Transport};
use support::tls::{authority, https, own_authority, trusting, trusting_builder};
use support::{causes, finish, post, read_request, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio_rustls::TlsAcceptor;

#[tokio::test]
async fn a_refused_connection_names_host_and_port() {
    // Bound, so that nobody else gets the port, and not listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let error = failure(&support::direct(), &format!("http://{address}/")).await;
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Connect, Phase::Connect));
    assert_eq!(error.to_string(), format!("{address} refused the connection"));
    let cause = causes(&error).find_map(|cause| cause.downcast_ref::<io::Error>()).unwrap();
    assert_eq!(cause.kind(), io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_named() {
    let error = failure(&support::direct(), "http://no-such-host.invalid/").await;
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Dns, Phase::Dns));
    assert_eq!(error.to_string(), "cannot resolve no-such-host.invalid");
    assert!(causes(&error).count() > 0);
}

#[tokio::test]
async fn a_name_with_several_addresses_reaches_the_one_that_listens() {
    // `localhost` is ::1 and 127.0.0.1 on most machines; the server has only the latter.
    let (uri, server) = serve(async |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
    })
    .await;
    let uri = uri.replace("127.0.0.1", "localhost");
    let head = post(&support::direct(), &uri).head().await.unwrap();
    assert_eq!(head.status, 204);
    finish(server).await;
}

async fn failure(transport: &Transport, uri: &str) -> Error {
    let mut exchange = post(transport, uri);
    let error = exchange.head().await.unwrap_err();
    assert_eq!(exchange.phase(), error.phase(), "the exchange stays in the phase that failed");
    error
}

/// The providers that are built in.
fn providers() -> Vec<TlsProvider> {
    vec![
        TlsProvider::Ring,
        #[cfg(feature = "aws-lc-rs")]
        TlsProvider::AwsLcRs,
    ]
}

#[tokio::test]
async fn tls_with_a_private_root_works_and_negotiates_http_1_1() {
    for (host, provider) in
        ["localhost", "127.0.0.1"].into_iter().flat_map(|host| providers().into_iter().map(move |of| (host, of)))
    {
        let (root, acceptor) = authority("own", host);
        let (uri, server) = serve(async move |stream| {
            let mut stream = acceptor.accept(stream).await.unwrap();
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
            read_request(&mut stream).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret";
            stream.write_all(answer).await.unwrap();
            stream.flush().await.unwrap();
            // Until the client leaves.
            let _ = stream.read(&mut [0; 1]).await;
        })
        .await;
        let transport = trusting_builder(root).tls_provider(provider).build().unwrap();
        let mut exchange = post(&transport, &https(&uri, host));
        assert_eq!(exchange.head().await.unwrap().status, 200);
        assert_eq!(exchange.data().await.unwrap().unwrap(), "secret");
        assert!(exchange.data().await.is_none());
        // The connection waits in the pool of the transport.
        drop((exchange, transport));
        finish(server).await;
    }
}

/// A server with a certificate for `name`, reached as `localhost` by a client that trusts `root`, or the server's own.
async fn check_certificate(name: &str, root: Option<Vec<u8>>, reason: &str) {
    let (own_root, acceptor) = authority("own", name);
    check_refusal(acceptor, root.unwrap_or(own_root), reason).await;
}

async fn check_refusal(acceptor: TlsAcceptor, root: Vec<u8>, reason: &str) {
    let (uri, server) = serve(async move |stream| {
        assert!(acceptor.accept(stream).await.is_err());
    })
    .await;
    let uri = https(&uri, "localhost");
    let error = failure(&trusting(root), &uri).await;
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Tls, Phase::Tls));
    assert!(error.is_certificate());
    let endpoint = uri.strip_prefix("https://").unwrap();
    let message = error.to_string();
    assert!(message.starts_with(&format!("the certificate of {endpoint} was refused: ")), "{message}");
    assert!(message.contains(reason), "{message}");
    finish(server).await;
}

#[tokio::test]
async fn an_unknown_issuer_is_refused() {
    let (other_root, _) = authority("other", "localhost");
    let reason = "its issuer \"own\" is not trusted; if it should be, set CODEX_CA_CERTIFICATE or SSL_CERT_FILE to a \
                  PEM file with its certificate";
    check_certificate("localhost", Some(other_root), reason).await;
}

#[tokio::test]
async fn an_issuer_with_the_name_of_a_trusted_one_is_refused() {
    let (namesake, _) = authority("own", "localhost");
    let reason = "it was not signed with the key of the \"own\" that is trusted; if another of that name should be, set \
                  CODEX_CA_CERTIFICATE or SSL_CERT_FILE to a PEM file with its certificate";
    check_certificate("localhost", Some(namesake), reason).await;
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    check_certificate("other.example", None, "other.example").await;
    check_certificate("other.example", None, " (issued by \"own\")").await;
}

#[tokio::test]
async fn an_authority_that_is_its_own_server_is_refused_in_words() {
    let (root, acceptor) = own_authority("localhost");
    let reason = "it is an authority's certificate (CA:TRUE), which must not be a server's own; make one for the \
                  server (CA:FALSE), signed by it";
    check_refusal(acceptor, root, reason).await;
}

/// A server that answers the first bytes of the handshake with `answer` and closes.
async fn check_no_tls(answer: &'static [u8], message: &str) {
    let (root, _) = authority("own", "localhost");
    let (uri, server) = serve(async move |mut stream| {
        stream.read_u8().await.unwrap();
        stream.write_all(answer).await.unwrap();
        stream.shutdown().await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let error = failure(&trusting(root), &https(&uri, "127.0.0.1")).await;
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Tls, Phase::Tls), "{error:?}");
    assert!(!error.is_certificate());
    let endpoint = uri.strip_prefix("http://").unwrap();
    assert_eq!(error.to_string(), message.replace("HOST", endpoint));
    assert!(causes(&error).count() > 0);
    finish(server).await;
}

#[tokio::test]
async fn a_server_without_tls_is_told_apart_from_one_that_gives_up() {
    check_no_tls(b"HTTP/1.1 400 Bad Request\r\n\r\n", "HOST does not speak TLS").await;
    check_no_tls(b"", "HOST closed the connection during the TLS handshake").await;
    // Alert record, TLS 1.2, fatal, handshake_failure (RFC 8446, section 6).
    let alert = b"\x15\x03\x03\x00\x02\x02\x28";
    check_no_tls(alert, "HOST answered the TLS handshake with the alert HandshakeFailure").await;
}

#[tokio::test]
async fn a_body_without_framing_that_ends_without_close_notify_is_truncated() {
    let (root, acceptor) = authority("own", "localhost");
    let (uri, server) = serve(async move |stream| {
        let mut stream = acceptor.accept(stream).await.unwrap();
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhello").await.unwrap();
        stream.flush().await.unwrap();
        // The TCP connection alone is closed: an attacker can do that, too.
        stream.get_mut().0.shutdown().await.unwrap();
        let _ = stream.get_mut().0.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let mut exchange = post(&trusting(root), &https(&uri, "localhost"));
    exchange.head().await.unwrap();
    assert_eq!(exchange.data().await.unwrap().unwrap(), "hello");
    assert_eq!(exchange.data().await.unwrap().unwrap_err().kind(), ErrorKind::Truncated);
    drop(exchange);
    finish(server).await;
}

#[test]
fn a_root_that_is_no_certificate_is_refused_when_building() {
    let error = Transport::builder().extra_root_certificate(*b"not DER").build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(error.to_string(), "extra root certificate 1 cannot be used");
}
