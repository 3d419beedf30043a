//! The deadlines of the stages, each with a peer that never answers.

use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::duplex;
use tokio::time::{Instant, timeout};

use super::race::Race;
use super::resolve::Resolve;
use super::{Deadline, Dial, Stage, TlsSettings};
use crate::error::ErrorKind;
use crate::phase::Phase;
use crate::target::Target;

const LIMIT: Duration = Duration::from_secs(10);

async fn check(stage: Stage, phase: Phase, message: &str) {
    let target = Target::parse(&"https://a.example".parse().unwrap()).unwrap();
    let start = Instant::now();
    let mut dial = Dial {
        endpoint: Arc::new(target.endpoint),
        tls: Arc::new(TlsSettings::new(Vec::new()).unwrap()),
        timeout: Some(LIMIT),
        deadline: Deadline::after(Some(LIMIT)),
        stage,
    };
    let error = timeout(100 * LIMIT, poll_fn(|cx| dial.poll(cx))).await.expect("there is a deadline").err().unwrap();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Timeout, phase), "{error:?}");
    assert_eq!(error.to_string(), message);
    let taken = start.elapsed();
    assert!(taken >= LIMIT && taken < LIMIT + Duration::from_millis(5), "{taken:?}");
}

#[tokio::test(start_paused = true)]
async fn a_look_up_without_an_answer_times_out() {
    let stage = Stage::Resolve(Resolve::Lookup(Box::pin(pending())));
    check(stage, Phase::Dns, "cannot resolve a.example: timed out after 10s").await;
}

#[tokio::test(start_paused = true)]
async fn addresses_that_never_answer_share_one_deadline() {
    let addresses = ["[::1]:1", "127.0.0.1:1", "127.0.0.2:1"];
    let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    let stage = Stage::Connect(Race::new(addresses, |_| Box::pin(pending())));
    check(stage, Phase::Connect, "timed out connecting to a.example:443 after 10s").await;
}

#[tokio::test(start_paused = true)]
async fn a_stalled_tls_handshake_times_out() {
    let root = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
    let settings = TlsSettings::new(vec![root.cert.der().to_vec()]).unwrap();
    let target = Target::parse(&"https://a.example".parse().unwrap()).unwrap();
    let (near, _far) = duplex(64 * 1024);
    let stage = Stage::Tls(settings.start(&target.endpoint, Box::new(near)).unwrap());
    let message = "timed out in the TLS handshake with a.example:443 after 10s";
    check(stage, Phase::Tls, message).await;
}
