//! Through an HTTP proxy by `CONNECT`.

mod support;

use std::io;

use http_transport::{Error, ErrorKind, Phase};
use support::proxy::{refused, through};
use support::tls::authority;
use support::{causes, direct, finish, post, read_request, serve, upgrade, variables};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const CONNECT: &str = "CONNECT a.invalid:443 HTTP/1.1\r\nhost: a.invalid:443\r\n";
const OK: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

/// A turn through `answer` to a server behind the tunnel, whose name nobody here can look up.
async fn check_tunnel(scheme_and_user: &str, answer: &'static str, request: &str) {
    let (root, acceptor) = authority("own", "a.invalid");
    let (uri, proxy) = serve(async move |mut stream| {
        let request = read_request(&mut stream).await;
        stream.write_all(answer.as_bytes()).await.unwrap();
        let mut stream = acceptor.accept(stream).await.unwrap();
        let inner = read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await.unwrap();
        stream.flush().await.unwrap();
        let _ = stream.read(&mut [0; 1]).await;
        (request, inner)
    })
    .await;
    let transport = through(scheme_and_user, &uri).extra_root_certificate(root).build().unwrap();
    let mut exchange = post(&transport, "https://a.invalid/v1");
    assert_eq!(exchange.head().await.unwrap().status, 200);
    assert_eq!(exchange.data().await.unwrap().unwrap(), "hi");
    drop(exchange);
    let (found, inner) = finish(proxy).await;
    assert_eq!(found, request);
    assert!(inner.starts_with("POST /v1 HTTP/1.1\r\nhost: a.invalid\r\n"), "{inner}");
    assert!(!inner.contains("proxy"), "{inner}");
}

#[tokio::test]
async fn a_tunnel_carries_tls_to_a_name_that_only_the_proxy_knows() {
    check_tunnel("http://", OK, &format!("{CONNECT}\r\n")).await;
}

#[tokio::test]
async fn any_success_opens_the_tunnel_and_framing_headers_do_not_count() {
    for answer in [
        "HTTP/1.0 200\r\n\r\n",
        "HTTP/1.1 204 x\r\ncontent-length: 100\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ] {
        check_tunnel("http://", answer, &format!("{CONNECT}\r\n")).await;
    }
}

#[tokio::test]
async fn user_and_password_go_to_the_proxy_and_only_there() {
    let header = "proxy-authorization: Basic dXNlcjpwYTpzcw==\r\n";
    check_tunnel("http://user:pa%3Ass@", OK, &format!("{CONNECT}{header}\r\n")).await;
}

#[tokio::test]
async fn a_plain_websocket_goes_through_a_tunnel_too() {
    let (uri, proxy) = serve(async move |mut stream| {
        let request = read_request(&mut stream).await;
        stream.write_all(OK.as_bytes()).await.unwrap();
        let inner = read_request(&mut stream).await;
        let answer = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\nfirst";
        stream.write_all(answer).await.unwrap();
        (request, inner)
    })
    .await;
    let mut exchange = upgrade(&through("http://", &uri).build().unwrap(), "ws://a.invalid/v1");
    assert_eq!(exchange.head().await.unwrap().status, 101);
    let mut read = String::new();
    exchange.into_upgraded().unwrap().read_to_string(&mut read).await.unwrap();
    assert_eq!(read, "first");
    let (request, inner) = finish(proxy).await;
    assert_eq!(request, "CONNECT a.invalid:80 HTTP/1.1\r\nhost: a.invalid:80\r\n\r\n");
    assert!(inner.starts_with("GET /v1 HTTP/1.1\r\n"), "{inner}");
}

#[tokio::test]
async fn the_environment_names_the_proxy_and_its_exceptions() {
    let (uri, proxy) = serve(async move |mut stream| {
        let request = read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        request
    })
    .await;
    let environment = variables(&[("HTTPS_PROXY", &uri), ("NO_PROXY", "b.invalid")]);
    let transport = http_transport::Transport::builder().environment(environment).build().unwrap();
    let error = post(&transport, "wss://b.invalid").head().await.unwrap_err();
    assert_eq!(error.to_string(), "cannot resolve b.invalid");
    let error = post(&transport, "wss://a.invalid").head().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Proxy);
    assert_eq!(finish(proxy).await, format!("{CONNECT}\r\n"));
}

/// The proxy answers `answer` and closes. The message has `PROXY` for its `host:port`.
async fn check_refusal(scheme_and_user: &str, answer: &str, message: &str, retryable: bool) -> Error {
    let answer = answer.to_owned();
    let (error, (), proxy) = refused(scheme_and_user, "https://a.invalid", async move |mut stream| {
        read_request(&mut stream).await;
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Proxy, Phase::Proxy), "{error:?}");
    assert_eq!(error.to_string().replace(&proxy, "PROXY"), message);
    assert_eq!(error.is_retryable_proxy(), retryable, "{message}");
    error
}

#[tokio::test]
async fn a_refusal_tells_status_and_reason_and_whether_to_try_again() {
    for (status, retryable) in [
        ("301 Moved Permanently", false),
        ("400 Bad Request", false),
        ("403 Forbidden", false),
        ("403 Not On The List", false),
        ("404 Not Found", false),
        ("405 Method Not Allowed", false),
        ("429 Too Many Requests", false),
        ("500 Internal Server Error", false),
        ("502 Bad Gateway", true),
        ("502 No Route", true),
        ("503 Service Unavailable", true),
        ("504 Gateway Timeout", true),
        ("511 Network Authentication Required", false),
        ("101 Switching Protocols", false),
    ] {
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\nno");
        let message = format!("the proxy PROXY refused to connect to a.invalid:443 ({status})");
        let error = check_refusal("http://", &answer, &message, retryable).await;
        let answer = error.proxy_answer().unwrap();
        assert_eq!(format!("{} {}", answer.head.status.as_u16(), answer.reason), status);
        if answer.head.status != 101 {
            assert_eq!(answer.text, "no");
            assert_eq!(causes(&error).next().unwrap().to_string(), "the proxy said \"no\"");
        }
    }
}

#[tokio::test]
async fn a_status_without_a_reason_has_the_usual_one_or_none() {
    let message = "the proxy PROXY refused to connect to a.invalid:443 (503)";
    check_refusal("http://", "HTTP/1.1 503 \r\n\r\n", message, true).await;
    let message = "the proxy PROXY refused to connect to a.invalid:443 (599)";
    check_refusal("http://", "HTTP/1.1 599\r\n\r\n", message, false).await;
}

#[tokio::test]
async fn credentials_that_are_missing_are_told_from_those_that_are_wrong() {
    let answer = "HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm=\"x\"\r\n\
                  proxy-authenticate: Negotiate\r\n\r\n";
    let end = "(407 Proxy Authentication Required, by Basic or Negotiate)";
    let message = format!("the proxy PROXY asks for credentials {end}");
    let error = check_refusal("http://", answer, &message, false).await;
    assert_eq!(error.proxy_answer().unwrap().head.headers["proxy-authenticate"], "Basic realm=\"x\"");
    let message = format!("the proxy PROXY did not accept the credentials {end}");
    check_refusal("http://user:wrong@", answer, &message, false).await;
}

#[tokio::test]
async fn a_proxy_that_repeats_the_credentials_does_not_bring_them_into_the_error() {
    let answer = "HTTP/1.1 403 bmFtZTpoaWRkZW4=\r\nx-asked: Basic bmFtZTpoaWRkZW4=\r\n\r\n\
                  proxy-authorization: Basic bmFtZTpoaWRkZW4= name:hidden";
    let message = "the proxy PROXY refused to connect to a.invalid:443 (403 [redacted])";
    let error = check_refusal("http://name:hidden@", answer, message, false).await;
    let shown = format!("{error} {error:?} {:?}", causes(&error).map(ToString::to_string).collect::<Vec<_>>());
    assert!(!shown.contains("bmFtZTpoaWRkZW4") && !shown.contains("hidden"), "{shown}");
    let answer = error.proxy_answer().unwrap();
    assert_eq!(answer.text, "proxy-authorization: Basic [redacted] [redacted]");
    assert_eq!(answer.head.headers["x-asked"], "Basic [redacted]");
}

#[tokio::test]
async fn the_text_is_kept_in_every_framing_and_up_to_64_kib() {
    let long = "x".repeat(64 * 1024);
    for (body, text) in [
        ("content-length: 3\r\n\r\nabc", "abc"),
        ("\r\nabc", "abc"),
        ("transfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", "abc"),
        // Cut off: what came is better than nothing.
        ("content-length: 9\r\n\r\nabc", "abc"),
        ("transfer-encoding: chunked\r\n\r\n9\r\nabc", "abc"),
        ("transfer-encoding: chunked\r\n\r\n3\r\nabc\r\nnonsense", "abc"),
        ("content-length: 0\r\n\r\n", ""),
        (&format!("content-length: 100000\r\n\r\n{long}{long}"), &long),
    ] {
        let answer = format!("HTTP/1.1 502 Bad Gateway\r\n{body}");
        let message = "the proxy PROXY refused to connect to a.invalid:443 (502 Bad Gateway)";
        let error = check_refusal("http://", &answer, message, true).await;
        assert_eq!(error.proxy_answer().unwrap().text, text, "{body:.60}");
    }
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_no_reason_to_try_again() {
    let garbage = "the proxy PROXY did not answer with valid HTTP";
    for answer in ["garbage\r\n\r\n", "\x15\x03\x03\x00\x02\x02\x28", "HTTP/1.1 2000 OK\r\n\r\n", "SSH-2.0-x\r\n"] {
        let error = check_refusal("http://", answer, garbage, false).await;
        assert!(causes(&error).count() > 0 && error.proxy_answer().is_none());
    }
    let portal = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<html>Log in here</html>";
    let message = "the proxy PROXY sent something else than a tunnel to a.invalid:443";
    check_refusal("http://", portal, message, false).await;
    let interim = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(40) + OK;
    check_refusal("http://", &interim, "the proxy PROXY sends interim answers without end", false).await;
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off_at_64_kib() {
    let message = "the head of the answer of the proxy PROXY is larger than 64 KiB or has more than 100 headers";
    check_refusal("http://", &format!("HTTP/1.1 200 OK\r\nx: {}", "x".repeat(70_000)), message, false).await;
    let message = "the head of the answer of the proxy PROXY has more than 100 headers, or a content-length that no body can have";
    let headers = "x: y\r\n".repeat(101);
    check_refusal("http://", &format!("HTTP/1.1 200 OK\r\n{headers}\r\n"), message, false).await;
    // What is large and not too large is an answer.
    let message = "the proxy PROXY refused to connect to a.invalid:443 (503 Service Unavailable)";
    let answer = format!("HTTP/1.1 503 Service Unavailable\r\nx: {}\r\n\r\n", "x".repeat(40_000));
    check_refusal("http://", &answer, message, true).await;
}

#[tokio::test]
async fn a_proxy_that_closes_instead_of_answering_may_be_asked_again() {
    let message = "the proxy PROXY closed the connection before it answered";
    for answer in ["", "HTTP/1.1 200 OK\r\n"] {
        let error = check_refusal("http://", answer, message, true).await;
        assert!(causes(&error).count() > 0);
    }
}

#[tokio::test]
async fn a_tunnel_that_ends_at_once_is_a_failure_of_the_handshake_behind_it() {
    let (error, (), _) = refused("http://", "https://a.invalid", async move |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(OK.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Tls, Phase::Tls));
    assert_eq!(error.to_string(), "a.invalid:443 closed the connection during the TLS handshake");
}

#[tokio::test]
async fn a_proxy_that_cannot_be_reached_is_named_as_one() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let uri = format!("http://{}", socket.local_addr().unwrap());
    for target in ["https://a.invalid", "http://a.invalid"] {
        let error = post(&through("http://", &uri).build().unwrap(), target).head().await.unwrap_err();
        assert_eq!((error.kind(), error.phase()), (ErrorKind::Connect, Phase::Connect));
        assert_eq!(error.to_string(), uri.replace("http://", "the proxy ") + " refused the connection");
        assert!(causes(&error).find_map(|cause| cause.downcast_ref::<io::Error>()).is_some());
        let transport = through("http://", "http://no-such-proxy.invalid:1").build().unwrap();
        let error = post(&transport, target).head().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Dns);
        assert_eq!(error.to_string(), "cannot resolve the proxy no-such-proxy.invalid");
    }
}

#[tokio::test]
async fn a_proxy_may_itself_be_reached_by_tls() {
    let (proxy_root, proxy_acceptor) = authority("proxy", "localhost");
    let (root, acceptor) = authority("own", "a.invalid");
    let (uri, proxy) = serve(async move |stream| {
        let mut stream = proxy_acceptor.accept(stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        let request = read_request(&mut stream).await;
        stream.write_all(OK.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        let mut stream = acceptor.accept(stream).await.unwrap();
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        stream.flush().await.unwrap();
        let _ = stream.read(&mut [0; 1]).await;
        request
    })
    .await;
    let uri = uri.replace("127.0.0.1", "localhost");
    let builder = through("https://u:p@", &uri);
    let transport = builder.extra_root_certificate(root).extra_root_certificate(proxy_root).build().unwrap();
    let mut exchange = post(&transport, "https://a.invalid");
    assert_eq!(exchange.head().await.unwrap().status, 204);
    drop(exchange);
    assert_eq!(finish(proxy).await, format!("{CONNECT}proxy-authorization: Basic dTpw\r\n\r\n"));
}

#[tokio::test]
async fn a_proxy_whose_certificate_is_not_trusted_is_not_asked() {
    let (_, acceptor) = authority("other", "localhost");
    let (error, (), proxy) = refused("https://", "https://a.invalid", async move |stream| {
        assert!(acceptor.accept(stream).await.is_err());
    })
    .await;
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Tls, Phase::Proxy));
    assert!(error.is_certificate());
    let start = format!("the certificate of the proxy {proxy} was refused: its issuer \"other\" is not trusted");
    assert!(error.to_string().starts_with(&start), "{error}");
}

#[tokio::test]
async fn a_proxy_that_cannot_be_used_is_a_mistake_of_the_set_up() {
    let environment = variables(&[("ALL_PROXY", "socks4://secret@p")]);
    let transport = http_transport::Transport::builder().environment(environment).build().unwrap();
    let error = post(&transport, "https://a.invalid").head().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let message = "cannot use the proxy in ALL_PROXY: its scheme is none of http, https, socks5 and socks5h";
    assert_eq!(error.to_string(), message);
    // Without it there is nothing to complain about but the name.
    assert_eq!(post(&direct(), "https://a.invalid").head().await.unwrap_err().kind(), ErrorKind::Dns);
}
