//! Which content codings a request asks for.

mod support;

use http::{HeaderMap, HeaderValue};
use http_transport::{Coding, Decoding, Environment, Request, Transport};
use support::{finish, read_request, serve};
use tokio::io::AsyncWriteExt;

/// Sends a GET with these headers and compares what arrives in `accept-encoding`.
async fn check(decoding: Decoding, list: &[(&'static str, &'static str)], expected: Option<&str>) {
    let (uri, server) = serve(async |mut stream| {
        let request = read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        request
    })
    .await;
    let mut headers = HeaderMap::new();
    for (name, value) in list {
        headers.append(*name, HeaderValue::from_static(value));
    }
    let transport = Transport::builder().environment(Environment::empty()).decoding(decoding).build().unwrap();
    transport.open(Request::get(uri.parse().unwrap(), headers)).head().await.unwrap();
    let request = finish(server).await;
    let asked = request.lines().find_map(|line| line.strip_prefix("accept-encoding: "));
    assert_eq!(asked, expected, "{decoding:?} {list:?}");
}

/// What is built in.
fn built_in() -> Option<String> {
    let names = [("zstd", cfg!(feature = "zstd")), ("br", cfg!(feature = "brotli")), ("gzip", cfg!(feature = "gzip"))];
    let names: Vec<_> = names.into_iter().filter(|(_, on)| *on).map(|(name, _)| name).collect();
    Some(names.join(", ")).filter(|names| !names.is_empty())
}

#[tokio::test]
async fn what_is_built_in_is_asked_for_and_nothing_else() {
    check(Decoding::Automatic, &[], built_in().as_deref()).await;
    check(Decoding::Raw, &[], None).await;
    assert_eq!(Coding::ASKED_FOR.is_empty(), built_in().is_none());
}

#[tokio::test]
async fn a_header_of_the_callers_own_wins() {
    for decoding in [Decoding::Automatic, Decoding::Raw] {
        check(decoding, &[("accept-encoding", "identity")], Some("identity")).await;
    }
}

#[tokio::test]
async fn parts_and_upgrades_are_asked_for_as_they_are() {
    check(Decoding::Automatic, &[("range", "bytes=5-")], None).await;
    check(Decoding::Automatic, &[("connection", "upgrade"), ("upgrade", "echo")], None).await;
}
