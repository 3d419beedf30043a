//! A deadline over a real socket. The others are tested beside the code, in memory.

mod support;

use std::time::Duration;

use http_transport::{Environment, ErrorKind, Phase, Transport};
use support::{finish, post, read_request, serve};
use tokio::sync::oneshot;
use tokio::time::Instant;

#[tokio::test]
async fn the_head_timeout_works_on_a_real_socket() {
    let (got, request) = oneshot::channel();
    let (done, hold) = oneshot::channel::<()>();
    let (uri, server) = serve(async move |mut stream| {
        read_request(&mut stream).await;
        got.send(()).unwrap();
        let _ = hold.await;
    })
    .await;
    let hour = Duration::from_secs(3600);
    let transport = Transport::builder().environment(Environment::empty()).head_timeout(Some(hour)).build().unwrap();
    let mut exchange = post(&transport, &uri);
    tokio::select! {
        _ = exchange.head() => panic!("there is no head"),
        _ = request => {}
    }
    // The deadline began a moment ago, in real time; the rest of the hour is virtual.
    tokio::time::pause();
    let start = Instant::now();
    let error = exchange.head().await.unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Timeout, Phase::Head));
    assert!(error.to_string().ends_with("within 3600s (head timeout)"), "{error}");
    assert!(start.elapsed() > hour / 2 && start.elapsed() <= hour + Duration::from_millis(5));
    done.send(()).unwrap();
    finish(server).await;
}
