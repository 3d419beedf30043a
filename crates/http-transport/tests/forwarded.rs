//! Plain HTTP through an HTTP proxy.

mod support;

use http::HeaderMap;
use http_transport::{ErrorKind, Phase, Request};
use support::proxy::{refused, through};
use support::{causes, finish, post, read_request, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Posts to `target` with `headers`; `head` is what the proxy gets.
async fn check(scheme_and_user: &str, target: &str, headers: &[(&'static str, &str)], head: &str) {
    let (uri, proxy) = serve(async move |mut stream| {
        let request = read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await.unwrap();
        request
    })
    .await;
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    let transport = through(scheme_and_user, &uri).build().unwrap();
    let mut exchange = transport.open(Request::post(target.parse().unwrap(), map, "{}"));
    assert_eq!(exchange.head().await.unwrap().status, 200);
    assert_eq!(exchange.data().await.unwrap().unwrap(), "hi");
    let mut request = finish(proxy).await;
    let mut lines: Vec<_> = request.split_inclusive("\r\n").collect();
    lines[1..].sort_unstable();
    request = lines.concat();
    let mut expected: Vec<_> = head.split_inclusive("\r\n").chain(["content-length: 2\r\n", "\r\n", "{}"]).collect();
    expected[1..].sort_unstable();
    assert_eq!(request, expected.concat());
}

#[tokio::test]
async fn a_request_in_absolute_form_needs_no_tunnel_and_no_look_up() {
    let head = "POST http://a.invalid/v1?x=1 HTTP/1.1\r\nhost: a.invalid\r\n";
    check("http://", "http://a.invalid/v1?x=1", &[], head).await;
    check("http://", "http://a.invalid:80/v1?x=1", &[], head).await;
    check("http://", "ws://a.invalid/v1?x=1", &[], head).await;
    let head = "POST http://[::1]:8080/ HTTP/1.1\r\nhost: [::1]:8080\r\n";
    check("http://", "http://[::1]:8080", &[], head).await;
}

#[tokio::test]
async fn the_proxy_is_sent_its_credentials_unless_the_request_has_some() {
    let head = "POST http://a.invalid/ HTTP/1.1\r\nhost: a.invalid\r\n";
    let basic = format!("{head}proxy-authorization: Basic dTpw\r\n");
    check("http://u:p@", "http://a.invalid", &[], &basic).await;
    let own = format!("{head}proxy-authorization: Bearer x\r\n");
    check("http://u:p@", "http://a.invalid", &[("proxy-authorization", "Bearer x")], &own).await;
}

#[tokio::test]
async fn a_407_is_the_proxys_and_any_other_status_an_answer() {
    for (status, is_answer) in [("407 Who Are You", false), ("502 Bad Gateway", true), ("403 Forbidden", true)] {
        let (uri, proxy) = serve(async move |mut stream| {
            read_request(&mut stream).await;
            let answer = format!("HTTP/1.1 {status}\r\nproxy-authenticate: Basic\r\ncontent-length: 7\r\n\r\nLog in!");
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let mut exchange = post(&through("http://", &uri).build().unwrap(), "http://a.invalid");
        let head = exchange.head().await;
        finish(proxy).await;
        if is_answer {
            assert_eq!(head.unwrap().status.as_str(), &status[..3]);
            continue;
        }
        let error = head.unwrap_err();
        assert_eq!((error.kind(), error.phase()), (ErrorKind::Proxy, Phase::Head));
        assert!(!error.is_retryable_proxy());
        let message = "asks for credentials (407 Proxy Authentication Required, by Basic)";
        assert_eq!(error.to_string(), uri.replace("http://", "the proxy ") + " " + message);
        assert_eq!(error.proxy_answer().unwrap().text, "Log in!");
        assert_eq!(causes(&error).next().unwrap().to_string(), "the proxy said \"Log in!\"");
        assert_eq!(exchange.head().await.unwrap_err().kind(), ErrorKind::Config, "the exchange is over");
    }
}

#[tokio::test]
async fn without_a_proxy_a_407_is_an_answer_like_any_other() {
    let (uri, server) = serve(async move |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 407 x\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    })
    .await;
    assert_eq!(post(&support::direct(), &uri).head().await.unwrap().status, 407);
    finish(server).await;
}

#[tokio::test]
async fn an_error_behind_a_proxy_names_both() {
    let (error, (), proxy) = refused("http://", "http://a.invalid", async move |mut stream| {
        read_request(&mut stream).await;
        stream.shutdown().await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    assert_eq!(error.kind(), ErrorKind::Unanswered);
    let message = format!("a.invalid:80 (through the proxy {proxy}) closed the connection before it answered");
    assert_eq!(error.to_string(), message);
}
