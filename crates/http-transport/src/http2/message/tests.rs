use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Version};

use super::split;
use crate::error::{Error, ErrorKind};
use crate::target::Target;

/// The head of a request to `uri` with these headers, as it goes out.
fn head(uri: &str, headers: &[(&'static str, &'static str)]) -> Result<Request<()>, Error> {
    let target = Target::parse(&uri.parse().unwrap()).unwrap();
    let mut request = Request::new(Bytes::from_static(b"{}"));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = target.origin_form.clone();
    for (name, value) in headers {
        request.headers_mut().append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let (head, body) = split(&target.endpoint, request)?;
    assert_eq!((head.version(), body.as_ref()), (Version::HTTP_2, b"{}".as_slice()));
    Ok(head)
}

fn names(headers: &HeaderMap) -> Vec<&str> {
    headers.keys().map(HeaderName::as_str).collect()
}

#[test]
fn the_host_header_becomes_the_authority() {
    let check = |uri, host, expected: &str| {
        let head = head(uri, &[("host", host)]).unwrap();
        assert_eq!(head.uri(), expected);
        assert!(head.headers().is_empty(), "{:?}", head.headers());
    };
    check("https://a.example/v1?x=1", "a.example", "https://a.example/v1?x=1");
    check("https://a.example:444", "a.example:444", "https://a.example:444/");
    check("http://[::1]:80/x", "[::1]", "http://[::1]/x");
    check("https://a.example/x", "another.example", "https://another.example/x");
}

#[test]
fn a_host_header_that_is_none_is_refused() {
    let error = head("https://a.example/", &[("host", "not a host")]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(error.to_string(), "the host header of a request to a.example:443 is no host");
}

#[test]
fn headers_about_the_connection_are_left_out() {
    let check = |headers: &[(&'static str, &'static str)], expected: &[&str]| {
        let mut all = vec![("host", "a.example")];
        all.extend_from_slice(headers);
        assert_eq!(names(head("https://a.example/", &all).unwrap().headers()), expected, "{headers:?}");
    };
    check(&[("connection", "keep-alive, X-One"), ("connection", "x-two"), ("x-one", "1"), ("x-two", "2")], &[]);
    check(&[("keep-alive", "5"), ("proxy-connection", "close"), ("upgrade", "echo"), ("accept", "*/*")], &["accept"]);
    check(&[("te", "trailers")], &["te"]);
    check(&[("te", "trailers, deflate")], &[]);
    check(&[("te", "trailers"), ("te", "gzip")], &[]);
}

#[test]
fn secrets_stay_out_of_the_shared_table() {
    let head = head("https://a.example/", &[("host", "a.example"), ("authorization", "x"), ("accept", "y")]).unwrap();
    assert!(head.headers()["authorization"].is_sensitive());
    assert!(!head.headers()["accept"].is_sensitive());
}
