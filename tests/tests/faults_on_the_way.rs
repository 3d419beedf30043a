//! What can go wrong before there is HTTP to speak, and below it: names, TLS, proxies, connections that were used
//! before. The names begin with the numbers in `docs/faults.md`.

mod support;

use codex_api::FailureKind::{Config, Connect, Dns, Proxy, Tls, Truncated};
use codex_api::{ClientBuilder, Error, FailureKind, Phase, ProxyUrl, Request, TurnEvent};
use stream_replay::{FaultScript, ReplayServer, Response};
use support::{Tap, drain, impatient, soon};

const SSE: &str = "head 200 \"content-type: text/event-stream\" \"transfer-encoding: chunked\"\n";
const TEXT: &str = r#"chunk "data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"Hi\"}\n\n"
"#;
const COMPLETED: &str = r#"chunk "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\"}}\n\n"
"#;
/// An event stream for a server that makes its own heads.
const WHOLE: &str = concat!(
    "data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"Hi\"}\n\n",
    "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\"}}\n\n",
);

/// A server that does this to each connection from its first byte, and answers where the script says `serve`.
async fn playing(script: &str) -> ReplayServer {
    let script = FaultScript::parse(script).unwrap_or_else(|error| panic!("{script}: {error}"));
    ReplayServer::builder().fault(script).respond(Response::sse(WHOLE)).start().await.unwrap()
}

/// A client that reaches the server over TLS and trusts it.
fn over_tls(server: &ReplayServer) -> ClientBuilder {
    let client = impatient(&server.base_url().replace("http:", "https:"));
    match server.root_certificate() {
        Some(root) => client.extra_root_certificate(root),
        None => client,
    }
}

/// A client whose every request goes through this proxy.
fn through(server: &ReplayServer) -> ClientBuilder {
    let proxy: ProxyUrl = format!("http://{}", server.addr()).parse().unwrap();
    let client = impatient("https://localhost/v1").proxy(proxy);
    match server.root_certificate() {
        Some(root) => client.extra_root_certificate(root),
        None => client,
    }
}

async fn ask(client: ClientBuilder) -> (Vec<TurnEvent>, Option<Error>) {
    soon(drain(client.build().unwrap().session().begin_turn().stream(Request::new("m").user("Hi")))).await
}

/// How the request ends: the class, the attempts, whether another could help, and a part of the message.
async fn check(name: &str, client: ClientBuilder, failure: (FailureKind, u32, bool, &str)) -> Error {
    let (events, error) = ask(client).await;
    let error = error.unwrap_or_else(|| panic!("{name}: {events:?}"));
    let (kind, attempts, retryable, message) = failure;
    assert_eq!(
        (error.kind(), error.attempts(), error.is_retryable()),
        (kind, attempts, retryable),
        "{name}: {error:?}"
    );
    assert!(error.message().contains(message), "{name}: {error:?}");
    support::assert_portable(&error);
    assert!(error.message().chars().count() < 500, "{name}: a message is a sentence");
    let retries = events.iter().filter(|event| matches!(event, TurnEvent::Retry(_))).count();
    assert_eq!(retries as u32, attempts - 1, "{name}: each retry is told");
    error
}

#[tokio::test]
async fn names_that_do_not_resolve_are_tried_again() {
    check("1 DNS", impatient("http://no-such-host.invalid/v1"), (Dns, 9, true, "cannot resolve no-such-host.invalid"))
        .await;
}

#[tokio::test]
async fn tls_that_does_not_come_about() {
    for (name, script, failure) in [
        ("5 handshake_failure", "tls-alert handshake_failure", (Tls, 2, true, "HandshakeFailure")),
        ("5 protocol_version", "tls-alert protocol_version", (Tls, 2, true, "ProtocolVersion")),
        (
            "5 an alert of a server that reads",
            "tls-accept alpn \"smtp\"\nhold",
            (Tls, 2, true, "NoApplicationProtocol"),
        ),
        (
            "5 no TLS at all",
            "tls-read-hello\nsend \"HTTP/1.1 400 Bad Request\\r\\n\\r\\n\"",
            (Tls, 2, true, "does not speak TLS"),
        ),
        ("5 FIN", "tls-read-hello\nfin", (Tls, 2, true, "closed the connection during the TLS handshake")),
        ("5 FIN in the middle", "tls-begin 200\nfin", (Tls, 2, true, "closed the connection during the TLS handshake")),
        ("5 RST in the middle", "tls-begin 200\nrst", (Tls, 2, true, "closed the connection during the TLS handshake")),
    ] {
        let server = playing(script).await;
        let error = check(name, over_tls(&server), failure).await;
        assert_eq!(error.phase(), Phase::Tls, "{name}");
    }
}

/// A server that shows such a certificate, which it signed itself.
async fn showing(params: &rcgen::CertificateParams) -> (ReplayServer, rcgen::Certificate) {
    let folder = tempfile::tempdir().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.clone().self_signed(&key).unwrap();
    std::fs::write(folder.path().join("chain.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.path().join("key.pem"), key.serialize_pem()).unwrap();
    let script = "tls-accept certificate \"chain.pem\" \"key.pem\"\nserve";
    std::fs::write(folder.path().join("a.fault"), script).unwrap();
    let script = FaultScript::load(folder.path().join("a.fault")).unwrap();
    (ReplayServer::builder().fault(script).respond(Response::sse(WHOLE)).start().await.unwrap(), certificate)
}

#[tokio::test]
async fn certificates_that_are_refused_are_not_asked_for_again() {
    let server = playing("tls-accept\nserve").await;
    let https = server.base_url().replace("http:", "https:");
    let unknown = check("6 issuer", impatient(&https), (Tls, 1, false, "\"stream-replay test authority\"")).await;
    assert!(unknown.message().contains("CODEX_CA_CERTIFICATE"), "{unknown:?}");
    // In words, and not as programs write it.
    assert!(!unknown.message().contains("UnknownIssuer"), "{unknown:?}");
    assert!(server.requests().is_empty());

    // An issuer may have any name.
    let mut params = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "y".repeat(10_000));
    let (server, _) = showing(&params).await;
    check("6 a long name", over_tls(&server), (Tls, 1, false, "yyy")).await;

    for (name, host, last_year, reason) in
        [("6 expired", "127.0.0.1", 2001, "expired"), ("6 another name", "other.example", 4001, "other.example")]
    {
        let mut params = rcgen::CertificateParams::new([host.to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(last_year, 1, 1);
        let (server, certificate) = showing(&params).await;
        let client = over_tls(&server).extra_root_certificate(certificate.der().to_vec());
        check(name, client, (Tls, 1, false, reason)).await;
        assert!(server.requests().is_empty());
    }
}

#[tokio::test]
async fn a_root_given_as_pem_is_trusted_and_one_that_is_none_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(folder.path().join("chain.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.path().join("key.pem"), key.serialize_pem()).unwrap();
    let script = "tls-accept certificate \"chain.pem\" \"key.pem\"\nserve";
    std::fs::write(folder.path().join("a.fault"), script).unwrap();
    let script = FaultScript::load(folder.path().join("a.fault")).unwrap();
    let server = ReplayServer::builder().fault(script).respond(Response::sse(WHOLE)).start().await.unwrap();
    let client = impatient(&server.base_url().replace("http:", "https:"));

    let (_, error) = ask(client.clone().extra_root_pem(certificate.pem())).await;
    assert!(error.is_none(), "{error:?}");
    let (_, error) = ask(client.clone()).await;
    assert_eq!(error.map(|error| error.kind()), Some(Tls));
    let error = client.extra_root_pem("no PEM").build().unwrap_err();
    assert_eq!((error.kind(), error.message()), (Config, "the extra root PEM has no certificate in it"));
}

#[tokio::test]
async fn tls_that_breaks_off_in_the_body() {
    let early = "ended the response body too early";
    let unframed = "head 200 \"content-type: text/event-stream\"\nsend \"data: []\\n\\n\"\n";
    for (name, script, message) in [
        ("8 no close_notify", format!("{SSE}{TEXT}fin"), early),
        ("8 no close_notify, no framing", format!("{unframed}fin"), early),
        ("8 close_notify inside a chunked body", format!("{SSE}{TEXT}tls-close-notify\nfin"), early),
        // Then it is a body that is whole, of a stream that is not.
        ("8 close_notify, no framing", format!("{unframed}tls-close-notify\nfin"), "before a terminal event"),
    ] {
        let server = playing(&format!("tls-accept\nread-request\n{script}")).await;
        check(name, over_tls(&server), (Truncated, 9, true, message)).await;
    }
    // A record that cannot be read, behind one that was.
    let unreadable = "gate\ntcp-send \"\\x17\\x03\\x03\\0\\x20\" \"?\" * 32\nhold";
    let script = FaultScript::parse(&format!("tls-accept\nread-request\n{SSE}{TEXT}{unreadable}")).unwrap();
    let server = ReplayServer::builder().fault(script.clone()).start().await.unwrap();
    let mut stream = over_tls(&server).build().unwrap().session().begin_turn().stream(Request::new("m").user("Hi"));
    let mut tap = Tap::new(script.gate());
    let error = loop {
        if let Err(error) = soon(tap.try_next(&mut stream)).await {
            break error;
        }
    };
    assert_eq!((error.kind(), error.attempts(), error.is_retryable()), (Truncated, 9, true), "{error:?}");
    // Behind the terminal event it is nobody's loss.
    let server = playing(&format!("tls-accept\nread-request\n{SSE}{TEXT}{COMPLETED}fin")).await;
    let (events, error) = ask(over_tls(&server)).await;
    assert!(error.is_none() && matches!(events.last(), Some(TurnEvent::Completed(_))), "{error:?}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn proxies_that_give_no_tunnel() {
    let endless = "read-head\nsend \"HTTP/1.1 502 Bad Gateway\\r\\n\"\nrepeat forever send \"x: y\\r\\n\" * 1000";
    for (name, script, failure) in [
        ("9 407", "answer-connect 407\nserve", (Proxy, 1, false, "credentials")),
        (
            "10 502",
            "answer-connect 502 \"No way there.\"\nserve",
            (Proxy, 9, true, "(502 Bad Gateway): the proxy said \"No way there.\""),
        ),
        ("10 503", "answer-connect 503 \"Busy.\"\nserve", (Proxy, 9, true, "503 Service Unavailable")),
        ("10 504", "answer-connect 504\nserve", (Proxy, 9, true, "504 Gateway Timeout")),
        ("10 closed instead", "read-head\nfin", (Proxy, 9, true, "closed the connection before it answered")),
        ("12 endless", endless, (Proxy, 1, false, "has more than 100 headers")),
        ("12 no HTTP", "read-head\nsend \"220 mail.example\\r\\n\"\nhold", (Proxy, 1, false, "valid HTTP")),
    ] {
        let server = playing(script).await;
        let error = check(name, through(&server), failure).await;
        assert_eq!(server.requests().len() as u32, error.attempts(), "{name}");
        assert!(server.requests().iter().all(|request| request.path == "localhost:443"), "{name}");
    }
    // The control: with a tunnel it works.
    let server = playing("answer-connect 200\ntls-accept\nserve").await;
    let (_, error) = ask(through(&server)).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(server.requests().len(), 2);
}

/// Two turns of a session, the first of which leaves a connection that is dead when the second comes. Gives the number
/// of requests of which something was read.
async fn two_turns(first_connection: &str, name: &str) -> usize {
    let server = playing(&format!("{first_connection}connection 2:\nserve")).await;
    let session = impatient(&server.base_url()).build().unwrap().session();
    for turn in 0..2 {
        let (events, error) = soon(drain(session.begin_turn().stream(Request::new("m").user("Hi")))).await;
        assert!(error.is_none(), "{name}: {error:?}");
        assert!(!events.iter().any(|event| matches!(event, TurnEvent::Retry(_))), "{name}, turn {turn}: {events:?}");
        // What ends the connection arrives.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
    server.requests().len()
}

#[tokio::test]
async fn a_connection_that_died_between_two_requests_costs_no_attempt() {
    let answer = format!("read-request\n{SSE}{TEXT}{COMPLETED}last-chunk\n");
    assert_eq!(two_turns(&format!("{answer}fin\n"), "14 FIN").await, 2);
    assert_eq!(two_turns(&format!("{answer}read-request\nfin\n"), "15 FIN").await, 3);
    assert_eq!(two_turns(&format!("{answer}read-request\nrst\n"), "15 RST").await, 3);

    // Once it is free; a fresh connection that dies as well is a failure like any other.
    let server = playing(&format!("{answer}read-request\nfin\nconnection 2:\nread-request\nfin")).await;
    let session = impatient(&server.base_url()).build().unwrap().session();
    let ask = || session.begin_turn().stream(Request::new("m").user("Hi"));
    assert!(soon(drain(ask())).await.1.is_none());
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let error = soon(drain(ask())).await.1.expect("a failure");
    assert_eq!((error.kind(), error.attempts()), (Connect, 9));
    assert_eq!(server.requests().len(), 1 + 1 + 9);
}
