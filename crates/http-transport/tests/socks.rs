//! Through a SOCKS 5 proxy.

mod support;

use http_transport::{Error, ErrorKind, Phase};
use support::proxy::{refused, through};
use support::tls::authority;
use support::{causes, finish, post, read_request, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Says `answer` after it has read exactly `expected`.
async fn exchange(stream: &mut TcpStream, expected: &[u8], answer: &[u8]) {
    let mut message = vec![0; expected.len()];
    stream.read_exact(&mut message).await.unwrap();
    assert_eq!(message, expected);
    // Byte by byte: nothing may depend on how it is cut.
    for byte in answer {
        // The client may have heard enough.
        let _ = stream.write_all(&[*byte]).await;
        tokio::task::yield_now().await;
    }
}

/// A proxy that does `steps` (expect, answer) and is then the server.
async fn check_tunnel(scheme_and_user: &str, target: &str, steps: Vec<(Vec<u8>, Vec<u8>)>) {
    let (uri, proxy) = serve(async move |mut stream| {
        for (expected, answer) in steps {
            exchange(&mut stream, &expected, &answer).await;
        }
        let request = read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        request
    })
    .await;
    let mut exchange = post(&through(scheme_and_user, &uri).build().unwrap(), target);
    assert_eq!(exchange.head().await.unwrap().status, 204);
    let request = finish(proxy).await;
    assert!(request.starts_with("POST / HTTP/1.1\r\n") && !request.contains("proxy-"), "{request}");
}

const NO_AUTHENTICATION: (&[u8], &[u8]) = (&[5, 1, 0], &[5, 0]);
const DONE: &[u8] = &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0];

fn name() -> Vec<u8> {
    [&[5, 1, 0, 3, 9][..], b"a.invalid", &[0, 80]].concat()
}

fn steps(list: &[(&[u8], &[u8])]) -> Vec<(Vec<u8>, Vec<u8>)> {
    list.iter().map(|(expected, answer)| (expected.to_vec(), answer.to_vec())).collect()
}

#[tokio::test]
async fn the_proxy_looks_up_the_name_with_both_schemes() {
    for scheme in ["socks5://", "socks5h://"] {
        check_tunnel(scheme, "http://a.invalid", steps(&[NO_AUTHENTICATION, (&name(), DONE)])).await;
    }
}

#[tokio::test]
async fn addresses_are_sent_as_such_and_the_bound_address_may_be_of_any_kind() {
    let v4 = [5, 1, 0, 1, 127, 0, 0, 9, 0x1f, 0x90];
    let bound_v6 = [&[5, 0, 0, 4][..], &[0; 18]].concat();
    check_tunnel("socks5://", "http://127.0.0.9:8080", steps(&[NO_AUTHENTICATION, (&v4, &bound_v6)])).await;
    let v6 = [&[5, 1, 0, 4][..], &[0; 15], &[1, 0, 80]].concat();
    for length in [0, 1, 255] {
        let bound_name = [&[5, 0, 0, 3, length][..], &vec![b'x'; usize::from(length) + 2]].concat();
        check_tunnel("socks5://", "http://[::1]", steps(&[NO_AUTHENTICATION, (&v6, &bound_name)])).await;
    }
}

#[tokio::test]
async fn user_and_password_are_sent_when_the_proxy_asks_for_them() {
    let offer = [5, 2, 0, 2];
    let credentials = [&[1, 4][..], b"user", &[6], b"pa:ss\xff"].concat();
    let list = [(&offer[..], &[5, 2][..]), (&credentials, &[1, 0]), (&name(), DONE)];
    check_tunnel("socks5://user:pa:ss%ff@", "http://a.invalid", steps(&list)).await;
    let list = [(&offer[..], &[5, 0][..]), (&name(), DONE)];
    check_tunnel("socks5://user:pw@", "http://a.invalid", steps(&list)).await;
}

#[tokio::test]
async fn tls_is_spoken_through_the_proxy() {
    let (root, acceptor) = authority("own", "a.invalid");
    let (uri, proxy) = serve(async move |mut stream| {
        exchange(&mut stream, NO_AUTHENTICATION.0, NO_AUTHENTICATION.1).await;
        let request = [&[5, 1, 0, 3, 9][..], b"a.invalid", &443_u16.to_be_bytes()].concat();
        exchange(&mut stream, &request, DONE).await;
        let mut stream = acceptor.accept(stream).await.unwrap();
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        stream.flush().await.unwrap();
        let _ = stream.read(&mut [0; 1]).await;
    })
    .await;
    let transport = through("socks5://", &uri).extra_root_certificate(root).build().unwrap();
    assert_eq!(post(&transport, "https://a.invalid").head().await.unwrap().status, 204);
    finish(proxy).await;
}

/// A proxy that does `steps` and closes.
async fn check_failure(scheme_and_user: &str, steps: Vec<(Vec<u8>, Vec<u8>)>, message: &str, retryable: bool) -> Error {
    let (error, (), proxy) = refused(scheme_and_user, "http://a.invalid", async move |mut stream| {
        for (expected, answer) in steps {
            exchange(&mut stream, &expected, &answer).await;
        }
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Proxy, Phase::Proxy), "{error:?}");
    assert_eq!(error.to_string().replace(&proxy, "PROXY"), message);
    assert_eq!(error.is_retryable_proxy(), retryable, "{message}");
    assert!(error.proxy_answer().is_none());
    error
}

#[tokio::test]
async fn a_refusal_tells_the_reason_and_whether_to_try_again() {
    for (reply, reason, retryable) in [
        (1, "general failure", true),
        (2, "not allowed by its rules", false),
        (3, "network unreachable", true),
        (4, "host unreachable", true),
        (5, "connection refused", true),
        (6, "time to live expired", true),
        (7, "command not supported", false),
        (8, "address type not supported", false),
        (99, "reply 99", false),
    ] {
        let message = format!("the proxy PROXY refused to connect to a.invalid:80: {reason}");
        let list = [NO_AUTHENTICATION, (&name(), &[5, reply])];
        check_failure("socks5://", steps(&list), &message, retryable).await;
    }
}

#[tokio::test]
async fn credentials_are_missing_or_wrong_or_of_the_wrong_kind() {
    let missing = "the proxy PROXY asks for credentials";
    check_failure("socks5://", steps(&[(&[5, 1, 0], &[5, 0xff])]), missing, false).await;
    check_failure("socks5://", steps(&[(&[5, 1, 0], &[5, 2])]), missing, false).await;
    let kind = "the proxy PROXY asks for credentials of another kind than it was offered";
    check_failure("socks5://u:secret@", steps(&[(&[5, 2, 0, 2], &[5, 0xff])]), kind, false).await;
    let credentials = b"\x01\x01u\x06secret";
    let list = [(&[5, 2, 0, 2][..], &[5, 2][..]), (credentials, &[1, 1])];
    let wrong = "the proxy PROXY did not accept the credentials";
    let error = check_failure("socks5://u:secret@", steps(&list), wrong, false).await;
    assert!(!format!("{error:?}").contains("secret"));
}

#[tokio::test]
async fn another_protocol_is_named_and_a_closed_connection_may_be_tried_again() {
    let garbage = "the proxy PROXY does not speak SOCKS 5";
    check_failure("socks5://", steps(&[(&[5, 1, 0], b"HTTP/1.1 400 Bad Request\r\n\r\n")]), garbage, false).await;
    check_failure("socks5://", steps(&[(&[5, 1, 0], &[5, 7])]), garbage, false).await;
    check_failure("socks5://", steps(&[NO_AUTHENTICATION, (&name(), &[4, 0])]), garbage, false).await;
    check_failure("socks5://", steps(&[NO_AUTHENTICATION, (&name(), &[5, 0, 0, 9])]), garbage, false).await;
    let closed = "the proxy PROXY closed the connection before it answered";
    for list in [&[(&[5, 1, 0][..], &[][..])][..], &[NO_AUTHENTICATION, (&name(), &[5, 0, 0, 1, 0])]] {
        let error = check_failure("socks5://", steps(list), closed, true).await;
        assert!(causes(&error).count() > 0);
    }
}

#[tokio::test]
async fn a_name_that_is_too_long_is_not_cut() {
    // Too long for a DNS name, and not for a URI.
    let target = format!("http://{}.invalid", "x".repeat(255));
    let (error, (), _) = refused("socks5://", &target, async move |_| {}).await;
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(error.to_string(), "the host name is too long for a SOCKS proxy (255 bytes)");
}
