//! A client that is built without content codings. (Suites that build the whole workspace with all features skip this.)
#![cfg(not(any(feature = "gzip", feature = "zstd", feature = "brotli")))]

use codex_api::{Client, Environment, FailureKind, Provider, Request};
use stream_replay::{ReplayServer, Response};

#[tokio::test]
async fn no_coding_is_asked_for_and_one_that_comes_is_named() {
    for coding in ["gzip", "zstd", "br", "deflate", "odd"] {
        let response = Response::sse("data: {\"type\":\"response.completed\"}\n\n").header("content-encoding", coding);
        let server = ReplayServer::builder().respond(response).start().await.unwrap();
        let provider = Provider::new(&server.base_url()).unwrap();
        let client = Client::builder(provider).environment(Environment::empty()).build().unwrap();
        let error = client.session().begin_turn().stream(Request::new("m")).collect().await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (FailureKind::Protocol, false));
        assert!(error.message().contains(&format!("{coding:?}, which was not asked for")), "{error}");
        let requests = server.requests();
        let asked: Vec<_> = requests.iter().map(|request| request.header("accept-encoding")).collect();
        assert_eq!(asked, [Some("identity")]);
    }
}
