//! The deadlines of the stages, each with a peer that never answers.

use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, timeout};

use super::race::Race;
use super::resolve::Resolve;
use super::tunnel::Tunnel;
use super::{Deadline, Dial, Route, Stage, TlsSettings, socks};
use crate::error::{Error, ErrorKind};
use crate::phase::Phase;
use crate::provider::TlsProvider;
use crate::proxy::{Proxy, ProxyUrl};
use crate::target::{Endpoint, Target};
use crate::versions::Offer;

const LIMIT: Duration = Duration::from_secs(10);

async fn check(stage: Stage, phase: Phase, message: &str) {
    check_route(Route::Direct, stage, phase, message).await;
}

async fn check_route(route: Route, stage: Stage, phase: Phase, message: &str) {
    let error = failure(route, stage, LIMIT).await;
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Timeout, phase), "{error:?}");
    assert_eq!(error.to_string(), message);
}

/// What the dial ends with, after this much (virtual) time.
async fn failure(route: Route, stage: Stage, after: Duration) -> Error {
    let target = Target::parse(&"https://a.example".parse().unwrap()).unwrap();
    let start = Instant::now();
    let mut dial = Dial {
        endpoint: Arc::new(target.endpoint),
        route,
        tls: Arc::new(TlsSettings::new(TlsProvider::Ring, vec![self_signed()])),
        offer: Offer::Http1,
        timeout: Some(LIMIT),
        deadline: Deadline::after(Some(LIMIT)),
        stage,
    };
    let error = timeout(100 * LIMIT, poll_fn(|cx| dial.poll(cx))).await.expect("there is a deadline").err().unwrap();
    let taken = start.elapsed();
    assert!(taken >= after && taken < after + Duration::from_millis(5), "{taken:?}");
    error
}

fn proxy(url: &str) -> Arc<Proxy> {
    url.parse::<ProxyUrl>().unwrap().0
}

fn server() -> Arc<Endpoint> {
    Arc::new(Target::parse(&"https://a.example".parse().unwrap()).unwrap().endpoint)
}

#[tokio::test(start_paused = true)]
async fn a_silent_proxy_times_out_at_each_step() {
    let timed_out = "timed out connecting to the proxy p.example:80 after 10s (connect timeout)";
    let stage = Stage::Connect(Race::new(vec!["[::1]:1".parse().unwrap()], |_| Box::pin(pending())));
    check_route(Route::Forward(proxy("p.example")), stage, Phase::Connect, timed_out).await;

    let timed_out = "cannot resolve the proxy p.example: timed out after 10s (connect timeout)";
    let stage = Stage::Resolve(Resolve::Lookup(Box::pin(pending())));
    check_route(Route::Tunnel(proxy("p.example")), stage, Phase::Dns, timed_out).await;

    let (near, _far) = duplex(64 * 1024);
    let secure = proxy("https://p.example");
    let settings = TlsSettings::new(TlsProvider::Ring, vec![self_signed()]);
    let stage = Stage::ProxyTls(settings.start(&secure.endpoint, Box::new(near), Phase::Proxy, Offer::Http1).unwrap());
    let timed_out = "timed out in the TLS handshake with the proxy p.example:443 after 10s (connect timeout)";
    check_route(Route::Tunnel(secure), stage, Phase::Proxy, timed_out).await;

    let timed_out = "the proxy p.example:1080 did not connect to a.example:443 within 10s (connect timeout)";
    let (near, _far) = duplex(64 * 1024);
    let socks = proxy("socks5://p.example");
    let stage = Stage::Socks(socks::start(Box::new(near), Arc::clone(&socks), server()));
    check_route(Route::Tunnel(socks), stage, Phase::Proxy, timed_out).await;
}

/// A tunnel stage whose proxy has said this much, and keeps the connection open.
async fn tunnel(answer: &[u8]) -> (Route, Stage, DuplexStream) {
    let proxy = proxy("p.example");
    let (near, mut far) = duplex(256 * 1024);
    let stage = Stage::Tunnel(Tunnel::start(Box::new(near), Arc::clone(&proxy), server()).unwrap());
    far.write_all(answer).await.unwrap();
    (Route::Tunnel(proxy), stage, far)
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_does_not_answer_a_connect_times_out_however_it_begins() {
    let timed_out = "the proxy p.example:80 did not connect to a.example:443 within 10s (connect timeout)";
    // In memory, what comes before the request is not told from an answer: the answer is a part of one.
    let (route, stage, mut far) = tunnel(b"").await;
    let feeder = tokio::spawn(async move {
        for byte in b"HTTP/1.1 200 O" {
            tokio::time::sleep(Duration::from_secs(1)).await;
            // The last bytes come after the end.
            let _ = far.write_all(&[*byte]).await;
        }
    });
    check_route(route, stage, Phase::Proxy, timed_out).await;
    feeder.await.unwrap();
    let (route, stage, _far) = tunnel(b"").await;
    check_route(route, stage, Phase::Proxy, timed_out).await;
}

/// Says `pieces`, each after its (virtual) seconds.
fn speak(mut far: DuplexStream, pieces: &'static [(u64, &'static str)]) -> tokio::task::JoinHandle<DuplexStream> {
    tokio::spawn(async move {
        for (seconds, piece) in pieces {
            tokio::time::sleep(Duration::from_secs(*seconds)).await;
            far.write_all(piece.as_bytes()).await.unwrap();
        }
        far
    })
}

#[tokio::test(start_paused = true)]
async fn the_text_of_a_refusal_is_waited_for_only_so_long() {
    let check = async |pieces, seconds, text: &str| {
        let (route, stage, far) = tunnel(b"").await;
        let speaker = speak(far, pieces);
        let error = failure(route, stage, Duration::from_secs(seconds)).await;
        assert_eq!(error.kind(), ErrorKind::Proxy);
        assert_eq!(
            error.to_string(),
            "the proxy p.example:80 refused to connect to a.example:443 (503 Service Unavailable)"
        );
        assert_eq!(error.proxy_answer().unwrap().text, text);
        assert!(error.is_retryable_proxy());
        drop(speaker.await);
    };
    // A text that is long enough is not waited for at all.
    let (route, stage, mut far) = tunnel(b"").await;
    let answer = format!("HTTP/1.1 503 Service Unavailable\r\n\r\n{}", "x".repeat(64 * 1024));
    let speaker = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        far.write_all(answer.as_bytes()).await.unwrap();
        far
    });
    assert_eq!(failure(route, stage, Duration::from_secs(1)).await.proxy_answer().unwrap().text.len(), 64 * 1024);
    drop(speaker.await);
    // Five seconds for the text ...
    check(&[(1, "HTTP/1.1 503 Service Unavailable\r\n\r\nso")], 6, "so").await;
    // ... but not beyond the ten for everything.
    check(&[(8, "HTTP/1.1 503 Service Unavailable\r\n\r\nso")], 10, "so").await;
    check(&[(1, "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nso"), (2, " it")], 3, "so i").await;
}

fn self_signed() -> CertificateDer<'static> {
    rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap().cert.der().clone()
}

#[tokio::test(start_paused = true)]
async fn a_look_up_without_an_answer_times_out() {
    let stage = Stage::Resolve(Resolve::Lookup(Box::pin(pending())));
    check(stage, Phase::Dns, "cannot resolve a.example: timed out after 10s (connect timeout)").await;
}

#[tokio::test(start_paused = true)]
async fn addresses_that_never_answer_share_one_deadline() {
    let addresses = ["[::1]:1", "127.0.0.1:1", "127.0.0.2:1"];
    let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    let stage = Stage::Connect(Race::new(addresses, |_| Box::pin(pending())));
    check(stage, Phase::Connect, "timed out connecting to a.example:443 after 10s (connect timeout)").await;
}

#[tokio::test(start_paused = true)]
async fn a_stalled_tls_handshake_times_out() {
    let settings = TlsSettings::new(TlsProvider::Ring, vec![self_signed()]);
    let target = Target::parse(&"https://a.example".parse().unwrap()).unwrap();
    let (near, _far) = duplex(64 * 1024);
    let stage = Stage::Tls(settings.start(&target.endpoint, Box::new(near), Phase::Tls, Offer::Http1).unwrap());
    let message = "timed out in the TLS handshake with a.example:443 after 10s (connect timeout)";
    check(stage, Phase::Tls, message).await;
}

#[tokio::test(start_paused = true)]
async fn each_stage_has_the_whole_time() {
    let (route, stage, far) = tunnel(b"").await;
    let speaker = speak(far, &[(8, "HTTP/1.1 200 OK\r\n\r\n")]);
    let error = failure(route, stage, Duration::from_secs(18)).await;
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Timeout, Phase::Tls));
    drop(speaker.await);
}
