//! What goes out, and what is refused before it does.

mod support;

use http::{HeaderMap, HeaderValue, Method};
use http_transport::{ErrorKind, Head, Request, Transport};
use support::{finish, read_request, serve};
use tokio::io::AsyncWriteExt;

fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in list {
        headers.append(*name, HeaderValue::from_static(value));
    }
    headers
}

/// Sends `request` (its URI is a path here) and compares the bytes at the server; `HOST` stands for `host:port`.
async fn check(mut request: Request, expected: &str) {
    let (uri, server) = serve(async |mut stream| {
        let request = read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        request
    })
    .await;
    request.uri = format!("{uri}{}", request.uri).parse().unwrap();
    support::direct().open(request).head().await.unwrap();
    let expected = expected.replace("HOST", uri.strip_prefix("http://").unwrap());
    assert_eq!(finish(server).await, expected);
}

#[tokio::test]
async fn a_post_has_host_and_content_length() {
    check(
        Request::post("/v1/x?a=1".parse().unwrap(), headers(&[("accept", "text/event-stream")]), "{}"),
        "POST /v1/x?a=1 HTTP/1.1\r\naccept: text/event-stream\r\nhost: HOST\r\ncontent-length: 2\r\n\r\n{}",
    )
    .await;
}

#[tokio::test]
async fn framing_headers_follow_the_body_and_expect_is_never_sent() {
    let misleading = headers(&[
        ("content-length", "99"),
        ("transfer-encoding", "chunked"),
        ("expect", "100-continue"),
        ("host", "other.example"),
    ]);
    check(
        Request::post("/".parse().unwrap(), misleading, "{}"),
        "POST / HTTP/1.1\r\nhost: other.example\r\ncontent-length: 2\r\n\r\n{}",
    )
    .await;
}

#[tokio::test]
async fn an_empty_body_is_announced_only_where_one_is_expected() {
    check(
        Request::post("/".parse().unwrap(), HeaderMap::new(), ""),
        "POST / HTTP/1.1\r\nhost: HOST\r\ncontent-length: 0\r\n\r\n",
    )
    .await;
    let get = Request::get("/".parse().unwrap(), HeaderMap::new());
    check(get, "GET / HTTP/1.1\r\nhost: HOST\r\n\r\n").await;
}

#[tokio::test]
async fn a_large_body_arrives_whole() {
    let body = "0123456789abcdef".repeat(256 * 1024);
    let expected = format!("POST / HTTP/1.1\r\nhost: HOST\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    check(Request::post("/".parse().unwrap(), HeaderMap::new(), body), &expected).await;
}

async fn check_refused(uri: &str, message: &str) {
    let request = Request::post(uri.parse().unwrap(), HeaderMap::new(), "");
    let mut exchange = support::direct().open(request);
    let error = exchange.head().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{uri}");
    assert_eq!(error.to_string(), message);
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
}

#[tokio::test]
async fn uris_that_cannot_be_dialled_are_named_without_their_secrets() {
    check_refused("/v1", "cannot use the URI /v1: it has no scheme (http or https)").await;
    check_refused(
        "ftp://user:secret@a.example/x?key=secret",
        "cannot use the URI ftp://a.example/x?[redacted]: its scheme is none of http, https, ws and wss",
    )
    .await;
    check_refused(
        "https://user:secret@a.example/",
        "cannot use the URI https://a.example/: user info is not supported, use an authorization header",
    )
    .await;
    check_refused(
        "http://a.example:99999/",
        "cannot use the URI http://a.example:99999/: its port is not a number up to 65535",
    )
    .await;
}

#[tokio::test]
async fn connect_is_refused() {
    let mut request = Request::post("http://a.example/".parse().unwrap(), HeaderMap::new(), "");
    request.method = Method::CONNECT;
    let error = support::direct().open(request).head().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[test]
fn polling_without_a_runtime_is_an_error_and_no_panic() {
    let mut exchange = support::post(&support::direct(), "http://127.0.0.1:1/");
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match exchange.poll_head(&mut cx) {
        std::task::Poll::Ready(Err(error)) => assert_eq!(error.kind(), ErrorKind::Config),
        other => panic!("{other:?}"),
    }
}

#[test]
fn debug_output_hides_secrets_and_shows_the_rest() {
    let mut headers = headers(&[
        ("authorization", "Bearer secret"),
        ("proxy-authorization", "Basic secret"),
        ("cookie", "a=secret"),
        ("set-cookie", "a=secret"),
        ("x-codex-turn-state", "secret"),
        ("api-key", "secret"),
        ("x-goog-api-key", "secret"),
        ("ocp-apim-subscription-key", "secret"),
        ("x-amz-security-token", "secret"),
        ("x-request-id", "visible"),
        ("x-ratelimit-remaining-tokens", "visible too"),
    ]);
    let mut marked = HeaderValue::from_static("secret");
    marked.set_sensitive(true);
    headers.insert("x-marked", marked);
    let uri = "https://user:secret@a.example/path?key=secret".parse().unwrap();
    let mut response = http::Response::new(());
    *response.headers_mut() = headers.clone();
    let head = Head::from(&response);
    let request = format!("{:?}", Request::post(uri, headers, "secret"));
    for text in [&request, &format!("{head:?}")] {
        assert!(!text.contains("secret"), "{text}");
        for shown in ["authorization", "x-codex-turn-state", "\"visible\"", "\"visible too\""] {
            assert!(text.contains(shown), "{shown}: {text}");
        }
    }
    assert!(request.contains("https://a.example/path"), "{request}");
    assert!(request.contains("6 bytes"), "{request}");
}

#[test]
fn the_public_types_can_be_sent_and_shared() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    fn sent<T: Send>(_: &T) {}
    fn spawned<T: Send + 'static>(_: &T) {}
    fn error<T: std::error::Error + Send + Sync + 'static>() {}
    shared::<Transport>();
    shared::<Request>();
    shared::<Head>();
    error::<http_transport::Error>();
    let mut exchange = support::post(&support::direct(), "http://127.0.0.1:1/");
    spawned(&exchange);
    sent(&exchange.head());
    sent(&exchange.data());
    sent(&exchange.read_body_limited(http_transport::BodyLimits::default()));
}
