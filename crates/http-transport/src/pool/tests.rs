//! Which connection is for which request; that they are used again is seen at sockets, in `tests/`.

use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use http::{HeaderMap, Uri};
use tokio::io::duplex;
use tokio::runtime::Handle;
use tokio::time::advance;

use super::{Checkout, Draining, Pool, Way};
use crate::environment::Environment;
use crate::idle::Idle;
use crate::proxy::{ProxySettings, ProxyUrl, Route, Table};
use crate::target::Target;

/// To `uri` through `proxy`, with or without leaving HTTP.
fn way(uri: &str, proxy: Option<&str>, upgrade: bool) -> Way {
    let settings = proxy.map_or(ProxySettings::Direct, |url| ProxySettings::Url(url.parse::<ProxyUrl>().unwrap()));
    let mut headers = HeaderMap::new();
    if upgrade {
        headers.insert("connection", "upgrade".parse().unwrap());
        headers.insert("upgrade", "echo".parse().unwrap());
    }
    let endpoint = Target::parse(&uri.parse::<Uri>().unwrap()).unwrap().endpoint;
    let route = Route::choose(&Table::new(&settings, &Environment::empty()), &endpoint, &headers).unwrap();
    Way { endpoint: Arc::new(endpoint), route }
}

#[tokio::test]
async fn a_connection_is_for_its_own_way_alone() {
    let plain = "http://a.example";
    let ways = [
        way(plain, None, false),
        way("https://a.example:80", None, false),
        way("http://a.example:81", None, false),
        way("http://b.example", None, false),
        way(plain, Some("http://p.example:1"), false),
        way(plain, Some("http://p.example:1"), true),
        way(plain, Some("http://p.example:2"), false),
        way(plain, Some("http://q.example:1"), false),
        way(plain, Some("https://p.example:1"), false),
        way(plain, Some("http://u:p@p.example:1"), false),
        way(plain, Some("http://u:q@p.example:1"), false),
        way(plain, Some("socks5://p.example:1"), false),
        way(plain, Some("socks5://u:p@p.example:1"), false),
    ];
    for parked in &ways {
        let (near, _far) = duplex(64);
        let pool = Pool::default();
        pool.park(parked.clone(), Idle::new(Box::new(near)).await.unwrap());
        for other in ways.iter().filter(|other| !std::ptr::eq(*other, parked)) {
            assert!(pool.take(other, Handle::current().id()).is_none(), "{parked:?} is not {other:?}");
        }
        // Another one that is built the same way is the same.
        let Way { endpoint, route } = parked;
        let same = Way { endpoint: Arc::new((**endpoint).clone()), route: route.clone() };
        assert!(pool.take(&same, Handle::current().id()).is_some(), "{parked:?}");
        assert!(pool.take(&same, Handle::current().id()).is_none(), "{parked:?} is taken");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_for_what_comes_free_and_then_for_nothing() {
    let pool = Arc::new(Pool::default());
    let way = way("http://a.example", None, false);
    let runtime = Handle::current().id();
    let mut cx = Context::from_waker(Waker::noop());
    let mut may_dial = |checkout: &mut Checkout| checkout.poll_head_start(&mut cx).is_ready();
    let checkout = || Checkout::new(&pool, &way, runtime);

    assert!(may_dial(&mut checkout()), "nothing comes free");
    let draining = Draining::new(&pool, way.clone(), runtime);
    let mut first = checkout();
    assert!(!may_dial(&mut first));
    assert!(may_dial(&mut checkout()), "it is for one alone");
    advance(Duration::from_millis(5)).await;
    assert!(may_dial(&mut first));
    assert!(may_dial(&mut checkout()), "time was lost");
    advance(Duration::from_millis(3)).await;
    assert!(may_dial(&mut checkout()));
    advance(Duration::from_millis(1)).await;
    let mut second = checkout();
    assert!(!may_dial(&mut second));
    drop((second, draining));
    assert!(may_dial(&mut checkout()));
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_only_for_what_comes_free_soon() {
    let pool = Arc::new(Pool::default());
    let way = way("http://a.example", None, false);
    let runtime = Handle::current().id();
    let mut cx = Context::from_waker(Waker::noop());
    let mut may_dial = || Checkout::new(&pool, &way, runtime).poll_head_start(&mut cx).is_ready();
    let draining = || Draining::new(&pool, way.clone(), runtime);

    // What the server takes for the end of a body is seen at the first one.
    let first = draining();
    assert!(!may_dial());
    advance(Duration::from_millis(20)).await;
    drop(first);
    let next = draining();
    advance(Duration::from_millis(17)).await;
    assert!(may_dial(), "3 ms are left");
    advance(Duration::from_millis(1)).await;
    assert!(!may_dial(), "2 ms are left");
    drop(next);
}

#[tokio::test]
async fn what_comes_free_goes_to_the_request_that_waited_longest_and_is_there() {
    let pool = Arc::new(Pool::default());
    let way = way("http://a.example", None, false);
    let runtime = Handle::current().id();
    let mut cx = Context::from_waker(Waker::noop());
    let [gone, mut first, mut second] = [(); 3].map(|()| Checkout::new(&pool, &way, runtime));
    drop(gone);
    let (near, _far) = duplex(64);
    pool.park(way.clone(), Idle::new(Box::new(near)).await.unwrap());
    assert!(second.poll(&mut cx).is_pending());
    assert!(pool.take(&way, runtime).is_none(), "it is spoken for");
    // One that was given and never looked at is not lost.
    drop(first);
    assert!(second.poll(&mut cx).is_ready());
    first = Checkout::new(&pool, &way, runtime);
    assert!(first.poll(&mut cx).is_pending());
    drop((first, second));
    assert!(pool.lock()[&way].is_empty());
}
