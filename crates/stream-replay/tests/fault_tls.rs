//! What a fault script does to clients that speak TLS.

#![cfg(feature = "tls")]

mod support;

use std::io;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, ClientConfig, RootCertStore, crypto};
use stream_replay::{FaultScript, ReplayServer, Response};
use support::{Client, POST, expect_disconnects, soon};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

async fn playing(script: &str) -> ReplayServer {
    let script = FaultScript::parse(script).unwrap();
    ReplayServer::builder().fault(script).respond(Response::json(200, "{}")).start().await.unwrap()
}

/// Makes the handshake as a client that trusts this root and offers these protocols.
async fn connect(server: &ReplayServer, root: Option<&[u8]>, protocols: &[&str]) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(root.map(|root| root.to_vec().into()));
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(server.addr()).await?;
    let name = ServerName::try_from("localhost").unwrap();
    soon(TlsConnector::from(Arc::new(config)).connect(name, stream)).await
}

/// What the client reads up to the end, and the error that is the end.
async fn read_all(stream: &mut TlsStream<TcpStream>) -> (String, Option<io::ErrorKind>) {
    let mut read = Vec::new();
    let end = soon(stream.read_to_end(&mut read)).await.err().map(|error| error.kind());
    (String::from_utf8(read).unwrap(), end)
}

#[tokio::test]
async fn what_is_said_goes_through_tls_and_ends_with_a_word_or_without() {
    for (script, end) in [
        ("tls-accept\nsend \"hello\"\nread 1\ntls-close-notify\nfin", None),
        ("tls-accept\nsend \"hello\"\nread 1\nfin", Some(io::ErrorKind::UnexpectedEof)),
        (
            "tls-accept\nsend \"hello\"\nread 1\ntcp-send \"\\x17\\x03\\x03\\0\\x20\" \"?\" * 32\nfin",
            Some(io::ErrorKind::InvalidData),
        ),
        ("tls-accept\nsend \"hello\"\nread 1\nrst", Some(io::ErrorKind::ConnectionReset)),
    ] {
        let server = playing(script).await;
        let mut client = connect(&server, server.root_certificate(), &[]).await.unwrap();
        let mut hello = [0; 5];
        soon(client.read_exact(&mut hello)).await.unwrap();
        assert_eq!(&hello, b"hello", "{script}");
        client.write_all(b"x").await.unwrap();
        assert_eq!(read_all(&mut client).await, (String::new(), end), "{script}");
    }
}

#[tokio::test]
async fn the_answers_of_the_server_come_through_tls_and_behind_a_tunnel() {
    for (script, tunnel) in [("tls-accept\nserve", false), ("answer-connect 200\ntls-accept\nserve", true)] {
        let server = playing(script).await;
        let mut client = if tunnel {
            let mut tcp = Client::connect(&server).await;
            tcp.send(b"CONNECT localhost:443 HTTP/1.1\r\n\r\n").await;
            tcp.expect(b"HTTP/1.1 200 OK\r\n\r\n").await;
            connect_on(tcp.stream, &server).await
        } else {
            connect(&server, server.root_certificate(), &[]).await.unwrap()
        };
        for _ in 0..2 {
            soon(client.write_all(POST)).await.unwrap();
            let mut answer = Vec::new();
            while !answer.ends_with(b"\r\n\r\n{}") {
                assert_ne!(soon(client.read_buf(&mut answer)).await.unwrap(), 0);
            }
        }
        assert_eq!(server.requests().last().unwrap().body, "{}");
        assert_eq!(server.requests().len(), 2 + usize::from(tunnel));
        drop(client);
        soon(server.wait_for_disconnects(1)).await;
    }
}

async fn connect_on(stream: TcpStream, server: &ReplayServer) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(server.root_certificate().unwrap().to_vec().into()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    soon(TlsConnector::from(Arc::new(config)).connect(name, stream)).await.unwrap()
}

#[tokio::test]
async fn protocols_are_chosen_or_none_is() {
    let server = playing("tls-accept alpn \"h2\" \"http/1.1\"\nhold").await;
    let root = server.root_certificate();
    for (offered, chosen) in
        [(vec!["http/1.1", "h2"], Some("h2")), (vec!["http/1.1"], Some("http/1.1")), (vec![], None)]
    {
        let client = connect(&server, root, &offered).await.unwrap();
        assert_eq!(client.get_ref().1.alpn_protocol(), chosen.map(str::as_bytes));
    }
    let error = connect(&server, root, &["smtp"]).await.unwrap_err();
    assert!(error.to_string().contains("NoApplicationProtocol"), "{error}");
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_server_hangs_up() {
    let server = playing("tls-accept\nhold").await;
    let error = connect(&server, None, &[]).await.unwrap_err();
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
    soon(server.wait_for_disconnects(1)).await;
}

#[tokio::test]
async fn a_handshake_stops_wherever_the_script_says() {
    // Nothing of the answer, and its beginning.
    for begin in ["tls-read-hello", "tls-begin 1", "tls-begin 200"] {
        for end in ["fin", "rst"] {
            let server = playing(&format!("{begin}\n{end}")).await;
            assert!(connect(&server, server.root_certificate(), &[]).await.is_err(), "{begin} {end}");
        }
        let script = FaultScript::parse(&format!("{begin}\ngate\nhold")).unwrap();
        let server = ReplayServer::builder().fault(script.clone()).start().await.unwrap();
        assert_eq!(server.root_certificate().is_some(), begin.starts_with("tls-begin"));
        tokio::select! {
            ended = connect(&server, server.root_certificate(), &[]) => panic!("{begin}: {ended:?}"),
            () = script.gate().wait_for_arrivals(1) => {}
        }
        soon(server.wait_for_disconnects(1)).await;
    }
    // The whole answer is all that the client wants.
    let server = playing("tls-begin 100000\nhold").await;
    connect(&server, server.root_certificate(), &[]).await.unwrap();
}

#[tokio::test]
async fn alerts_are_named() {
    for (name, alert) in [
        ("handshake_failure", AlertDescription::HandshakeFailure),
        ("protocol_version", AlertDescription::ProtocolVersion),
    ] {
        let server = playing(&format!("tls-alert {name}")).await;
        let error = connect(&server, None, &[]).await.unwrap_err();
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
        assert_eq!(cause, Some(&rustls::Error::AlertReceived(alert)));
    }
}

#[tokio::test]
async fn a_certificate_of_ones_own_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.path().join("chain.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(folder.path().join("other.pem"), rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let load = |line: &str| {
        std::fs::write(folder.path().join("a.fault"), line).unwrap();
        FaultScript::load(folder.path().join("a.fault"))
    };
    let script = load("tls-accept certificate \"chain.pem\" \"key.pem\"\nhold").unwrap();
    let server = ReplayServer::builder().fault(script).start().await.unwrap();
    assert_eq!(server.root_certificate(), None);
    connect(&server, Some(made.cert.der()), &[]).await.unwrap();
    soon(server.wait_for_disconnects(1)).await;
    for (line, column, message) in [
        ("tls-accept certificate \"key.pem\" \"key.pem\"", 24, "the first file holds no certificate in PEM"),
        ("tls-accept certificate \"chain.pem\" \"chain.pem\"", 24, "the second file holds no private key in PEM"),
        ("tls-accept certificate \"chain.pem\" \"other.pem\"", 24, "certificate and key do not belong together"),
    ] {
        let error = load(line).unwrap_err().to_string();
        assert_eq!(error, format!("line 1, column {column}: {message}"));
    }
    assert!(load("tls-accept certificate \"none.pem\" \"key.pem\"").unwrap_err().to_string().ends_with("none.pem"));
}

/// In the place of an answer, behind a request in the clear.
#[tokio::test]
async fn a_response_may_go_on_in_tls() {
    let script = FaultScript::parse("send \"HTTP/1.1 200 OK\\r\\n\\r\\n\"\ntls-accept\nserve").unwrap();
    let server = support::server([Response::fault(script), Response::new(204)]).await;
    let mut tcp = Client::connect(&server).await;
    tcp.send(b"CONNECT localhost:443 HTTP/1.1\r\n\r\n").await;
    tcp.expect(b"HTTP/1.1 200 OK\r\n\r\n").await;
    let mut client = connect_on(tcp.stream, &server).await;
    soon(client.write_all(POST)).await.unwrap();
    let mut head = [0; 27];
    soon(client.read_exact(&mut head)).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 204 No Content\r\n\r\n");
    drop(client);
    expect_disconnects(&server, 1).await;
}
