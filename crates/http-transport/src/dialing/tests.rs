//! What becomes of a dial that nobody waits for any more.

use std::future::pending;
use std::io;

use http::HeaderMap;
use tokio::io::{DuplexStream, duplex};
use tokio::time::{Instant, sleep};

use super::*;
use crate::coding::{DecodeLimits, Decoding};
use crate::connector::{Plug, from_fn};
use crate::dial::TlsSettings;
use crate::environment::Environment;
use crate::pool::{Entry, Pool, Wish};
use crate::provider::TlsProvider;
use crate::proxy::{ProxySettings, Table};
use crate::request::Request;
use crate::versions::HttpVersions;

/// Without a deadline, and with connections that never come.
fn settings() -> Settings {
    let dial = from_fn(|_| pending::<io::Result<DuplexStream>>());
    Settings {
        connect_timeout: None,
        head_timeout: None,
        tls: Arc::new(TlsSettings::new(TlsProvider::Ring, Vec::new())),
        proxies: Arc::new(Table::new(&ProxySettings::Direct, &Environment::empty())),
        pool: Arc::new(Pool::default()),
        versions: HttpVersions::Http2,
        plug: Plug(Some(Arc::new(dial))),
        decoding: Decoding::Raw,
        decode_limits: DecodeLimits::default(),
    }
}

#[tokio::test(start_paused = true)]
async fn who_follows_a_dial_that_is_left_tries_for_itself_and_the_dial_has_an_end() {
    let settings = Arc::new(settings());
    let request = Request::post("http://a.example/".parse().unwrap(), HeaderMap::new(), "{}");
    let plan = Plan::new(request, &settings.proxies, settings.versions, settings.decoding).unwrap();
    let (pool, way) = (&settings.pool, plan.way());
    let enter = || pool.enter(&way, plan.offer, Wish::Any, None);
    let Entry::Dial(lead, checkout) = enter() else { panic!("it is the first") };
    let Entry::Follow(mut follow) = enter() else { panic!("it can wait for the first") };

    let mut dialing = Dialing::new(Arc::clone(&settings), plan, lead, checkout);
    let mut cx = Context::from_waker(std::task::Waker::noop());
    assert!(dialing.poll(&mut cx).is_pending());
    let (near, _far) = duplex(64);
    pool.park(&way, Idle::new(Box::new(near)).await.unwrap());
    assert!(matches!(dialing.poll(&mut cx), Poll::Ready(Ok(Dialed::Freed(_)))));

    let for_ever = Duration::from_secs(1_000_000);
    assert_eq!(timeout(for_ever, poll_fn(|cx| follow.poll(cx))).await, Ok(Wish::Any));
    let (left, tasks) = (Instant::now(), Handle::current().metrics());
    while tasks.num_alive_tasks() > 0 && left.elapsed() < for_ever {
        sleep(Duration::from_secs(1)).await;
    }
    assert!(left.elapsed() <= LEFT_DIAL + Duration::from_secs(1), "{:?}", left.elapsed());
}
