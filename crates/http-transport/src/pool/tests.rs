//! Which connection is for which request; that they are used again is seen at sockets, in `tests/`.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use http::{HeaderMap, Uri};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio::runtime::{Handle, Id};
use tokio::time::advance;

#[cfg(feature = "http2")]
use super::Entry;
use super::handover::{MANY, SOON};
use super::lanes::{CLEAN_EVERY, REST_LIMIT};
use super::{Checkout, Draining, IDLE_LIMIT, Pool, Way, Wish};
use crate::environment::Environment;
use crate::idle::Idle;
use crate::proxy::{ProxySettings, ProxyUrl, Route, Table};
use crate::target::Target;
use crate::versions::Offer;

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

fn checkout_of(pool: &Arc<Pool>, way: &Way, runtime: Id) -> Checkout {
    Checkout::new(&mut pool.lock().lane(way).queue, pool, way, runtime)
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
        pool.park(parked, Idle::new(Box::new(near)).await.unwrap());
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

/// A pool with connections that are about to come free on one way.
struct Ends {
    pool: Arc<Pool>,
    way: Way,
    draining: VecDeque<Draining>,
}

impl Ends {
    fn new(count: usize) -> Self {
        let (pool, way) = (Arc::new(Pool::default()), way("http://a.example", None, false));
        let mut ends = Self { pool, way, draining: VecDeque::new() };
        ends.begin(count);
        ends
    }

    fn begin(&mut self, count: usize) {
        let draining = || Draining::new(&self.pool, self.way.clone(), Handle::current().id());
        self.draining.extend((0..count).map(|_| draining()));
    }

    /// The oldest ends.
    fn end(&mut self, came_free: bool) {
        self.draining.pop_front().unwrap().end(came_free);
    }

    fn request(&self) -> Checkout {
        checkout_of(&self.pool, &self.way, Handle::current().id())
    }

    #[track_caller]
    fn check(&self, may_dial: bool) {
        assert_eq!(can_dial(&mut self.request()), may_dial);
    }
}

fn can_dial(checkout: &mut Checkout) -> bool {
    checkout.poll_head_start(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_where_many_connections_are_about_to_come_free() {
    let mut ends = Ends::new(MANY - 1);
    ends.check(true);
    ends.begin(1);
    ends.check(false);
    // It is for one alone.
    let mut first = ends.request();
    assert!(!can_dial(&mut first));
    ends.check(true);
    ends.begin(1);
    ends.check(false);
    // Timers round up.
    advance(SOON + Duration::from_millis(1)).await;
    assert!(can_dial(&mut first));
    // It has waited in vain, so nobody else does before one comes free.
    ends.check(true);
    ends.begin(1);
    ends.end(true);
    ends.check(false);
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_only_for_what_comes_free_soon() {
    const EARLY: Duration = Duration::from_millis(14);
    let mut ends = Ends::new(1);
    advance(EARLY + Duration::from_millis(1) + SOON).await;
    // What the server takes for the end of a body is seen at the first one.
    ends.end(true);
    ends.begin(MANY);
    advance(EARLY).await;
    ends.check(true);
    advance(Duration::from_millis(1)).await;
    ends.check(false);
}

#[tokio::test(start_paused = true)]
async fn a_request_does_not_wait_where_connections_are_closed() {
    let mut ends = Ends::new(MANY + 1);
    ends.check(false);
    ends.end(false);
    ends.check(true);
}

#[tokio::test]
async fn what_comes_free_goes_to_the_request_that_waited_longest_and_is_there() {
    let pool = Arc::new(Pool::default());
    let way = way("http://a.example", None, false);
    let runtime = Handle::current().id();
    let mut cx = Context::from_waker(Waker::noop());
    let [gone, mut first, mut second] = [(); 3].map(|()| checkout_of(&pool, &way, runtime));
    drop(gone);
    let (near, _far) = duplex(64);
    pool.park(&way, Idle::new(Box::new(near)).await.unwrap());
    assert!(second.poll(&mut cx).is_pending());
    assert!(pool.take(&way, runtime).is_none(), "it is spoken for");
    // One that was given and never looked at is not lost.
    drop(first);
    assert!(second.poll(&mut cx).is_ready());
    first = checkout_of(&pool, &way, runtime);
    assert!(first.poll(&mut cx).is_pending());
    drop((first, second));
    assert!(pool.lock().find(&way).unwrap().is_at_rest());
}

/// The way to one of any number of hosts.
fn host(number: usize) -> Way {
    way(&format!("https://h{number}.example"), None, false)
}

async fn idle() -> Idle {
    // The other end may be gone: nobody looks at it.
    Idle::new(Box::new(duplex(64).0)).await.unwrap()
}

/// Uses a pool for thousands of hosts by `visit`, beside what `kept` keeps on another way, if anything.
#[track_caller]
fn check_growth<K>(kept: impl FnOnce(&Arc<Pool>, &Way) -> K, is_kept: bool, mut visit: impl FnMut(&Arc<Pool>, &Way)) {
    let (pool, way) = (Arc::new(Pool::default()), way("https://kept.example", None, false));
    let kept = kept(&pool, &way);
    let is_there = || pool.lock().iter().any(|(other, _)| *other == way);
    for number in 0..3000 {
        visit(&pool, &host(number));
        let count = pool.lock().iter().count();
        assert!(count <= 2 * REST_LIMIT + 2, "{count} lanes after {number} hosts");
    }
    assert_eq!(is_there(), is_kept);
    drop(kept);
    for number in 0..=2 * REST_LIMIT {
        visit(&pool, &host(number));
    }
    assert!(!is_there(), "a lane outlives its use");
}

#[tokio::test]
async fn ever_new_hosts_are_forgotten_and_hosts_in_use_are_not() {
    let runtime = Handle::current().id();
    let any = |pool: &Arc<Pool>, way: &Way| pool.enter(way, Offer::Either, Wish::Any, None);
    let ask = |pool: &Arc<Pool>, way: &Way| drop(any(pool, way));
    let learn = |pool: &Arc<Pool>, way: &Way| pool.require_http1(way);
    let nothing = |_: &Arc<Pool>, _: &Way| ();

    check_growth(nothing, false, ask);
    check_growth(nothing, false, |pool, way| drop(pool.enter(way, Offer::Http1, Wish::Any, None)));
    check_growth(nothing, false, |pool, way| drop(pool.enter(way, Offer::Http2, Wish::Fresh, None)));
    check_growth(nothing, false, |pool, way| drop(Draining::new(pool, way.clone(), runtime)));
    check_growth(learn, false, ask);
    check_growth(learn, false, learn);

    check_growth(|pool, way| checkout_of(pool, way, runtime), true, learn);
    check_growth(|pool, way| Draining::new(pool, way.clone(), runtime), true, learn);
    check_growth(|pool, way| pool.enter(way, Offer::Http2, Wish::Fresh, None), true, learn);
    let parked = idle().await;
    let park = |pool: &Arc<Pool>, way: &Way| {
        pool.park(way, parked);
        let (pool, way) = (Arc::clone(pool), way.clone());
        Guard(Some(move || assert!(pool.take(&way, runtime).is_none(), "its other end is gone")))
    };
    check_growth(park, true, learn);
}

/// Does something when dropped.
struct Guard<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Drop for Guard<F> {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(|end| end());
    }
}

/// A connection of HTTP/2 that takes so many requests at a time, if the server says how many.
#[cfg(feature = "http2")]
async fn join(pool: &Arc<Pool>, way: &Way, limit: Option<u8>) -> (crate::http2::Place, DuplexStream) {
    use tokio::io::AsyncWriteExt as _;

    let (near, mut far) = duplex(64 * 1024);
    let Entry::Dial(Some(lead), _) = pool.enter(way, Offer::Http2, Wish::Any, None) else { panic!("there is none") };
    // A SETTINGS frame (RFC 9113, sections 4.1 and 6.5).
    let limit = limit.map_or_else(Vec::new, |limit| vec![0, 3, 0, 0, 0, limit]);
    far.write_all(&[&[0, 0, limit.len() as u8, 4, 0, 0, 0, 0, 0], &*limit].concat()).await.unwrap();
    let place = crate::http2::connect(Box::new(near), &way.endpoint, lead).await.unwrap();
    let arrivals = pool.arrivals(way);
    while pool.arrivals(way) == arrivals {
        tokio::task::yield_now().await;
    }
    (place, far)
}

#[cfg(feature = "http2")]
#[tokio::test]
async fn a_host_with_a_shared_connection_is_not_forgotten() {
    let (pool, way, runtime) = (Arc::new(Pool::default()), host(0), Handle::current().id());
    let (place, _far) = join(&pool, &way, None).await;
    drop(place);
    for number in 1..1000 {
        pool.require_http1(&host(number));
    }
    assert!(pool.place(&way, runtime).is_some());
}

#[cfg(feature = "http2")]
#[tokio::test]
async fn no_more_requests_follow_a_dial_than_its_connection_will_take() {
    for (limit, expected) in [(Some(1), "ddddd"), (Some(2), "dfdfd"), (Some(3), "dffdf"), (None, "dffff")] {
        let (pool, way) = (Arc::new(Pool::default()), host(0));
        let enter = || pool.enter(&way, Offer::Http2, Wish::Any, None);
        let told = |entries: &[Entry]| {
            entries.iter().map(|entry| if matches!(entry, Entry::Follow(_)) { 'f' } else { 'd' }).collect::<String>()
        };
        let before: Vec<_> = [(); 5].map(|()| enter()).into();
        assert_eq!(told(&before), "dffff", "the limit is not known");
        drop(before);
        let (_place, _far) = join(&pool, &way, limit).await;
        let places: Vec<_> = std::iter::from_fn(|| pool.place(&way, Handle::current().id())).collect();
        assert_eq!(places.len() + 1, limit.map_or(64, usize::from));
        let entries: Vec<_> = [(); 5].map(|()| enter()).into();
        assert_eq!(told(&entries), expected, "{limit:?}");
    }
}

/// A connection at whose end another one comes.
#[cfg(feature = "http2")]
struct Relieved {
    pool: Arc<Pool>,
    way: Way,
    by: Option<Arc<crate::http2::Connection>>,
}

#[cfg(feature = "http2")]
impl AsyncRead for Relieved {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(connection) = self.by.take() {
            self.pool.share(&self.way, connection);
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(feature = "http2")]
impl AsyncWrite for Relieved {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(feature = "http2")]
#[tokio::test]
async fn a_connection_that_comes_while_a_request_looks_is_seen() {
    let (pool, way, elsewhere) = (Arc::new(Pool::default()), host(0), host(1));
    let (_place, _far) = join(&pool, &elsewhere, None).await;
    let by = Arc::clone(&pool.lock().find(&elsewhere).unwrap().shared[0].connection);
    let stale = Relieved { pool: Arc::clone(&pool), way: way.clone(), by: Some(by) };
    pool.park(&way, Idle::new(Box::new(stale)).await.unwrap());
    assert!(matches!(pool.enter(&way, Offer::Either, Wish::Any, None), Entry::Shared(_)));
}

#[tokio::test]
async fn what_was_learned_is_kept_of_the_hosts_that_were_used_last() {
    let pool = Arc::new(Pool::default());
    let narrowed = |number| pool.narrowed(&host(number), Offer::Either) == Offer::Http1;
    for number in 0..1000 {
        pool.require_http1(&host(number));
        assert!(narrowed(0), "it was asked for with every other");
    }
    let kept: Vec<_> = (0..1000).filter(|number| narrowed(*number)).collect();
    assert!((REST_LIMIT..=2 * REST_LIMIT).contains(&kept.len()), "{kept:?}");
    let last = 1001 - kept.len()..1000;
    assert_eq!(kept, [0].into_iter().chain(last).collect::<Vec<_>>());
}

/// A stream, or a waker, that needs the pool for its own ends.
struct Probe {
    stream: Mutex<DuplexStream>,
    pool: Arc<Pool>,
    met: Arc<Met>,
}

/// How often it found the pool open, and how often locked.
#[derive(Debug, Default)]
struct Met {
    open: AtomicUsize,
    locked: AtomicUsize,
}

impl Probe {
    fn new(pool: &Arc<Pool>, met: &Arc<Met>) -> Self {
        Self { stream: Mutex::new(duplex(64).0), pool: Arc::clone(pool), met: Arc::clone(met) }
    }

    fn look(&self) {
        let count = if self.pool.0.try_lock().is_ok() { &self.met.open } else { &self.met.locked };
        count.fetch_add(1, SeqCst);
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.look();
    }
}

impl Wake for Probe {
    fn wake(self: Arc<Self>) {
        self.look();
    }
}

impl AsyncRead for Probe {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.get_mut().stream.get_mut().unwrap()).poll_read(cx, buf)
    }
}

impl AsyncWrite for Probe {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(self.get_mut().stream.get_mut().unwrap()).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.get_mut().stream.get_mut().unwrap()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.get_mut().stream.get_mut().unwrap()).poll_shutdown(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_closed_while_the_pool_is_open_to_others() {
    let (pool, met) = (Arc::new(Pool::default()), Arc::new(Met::default()));
    let park = async |way: &Way| pool.park(way, Idle::new(Box::new(Probe::new(&pool, &met))).await.unwrap());
    let closed = || (met.open.load(SeqCst), met.locked.load(SeqCst));

    for _ in 0..=MANY {
        park(&host(0)).await;
    }
    assert_eq!(closed(), (1, 0), "one is too much");
    advance(IDLE_LIMIT).await;
    park(&host(0)).await;
    assert_eq!(closed(), (MANY + 1, 0), "all are too old");
    advance(IDLE_LIMIT).await;
    pool.require_http1(&host(1));
    assert_eq!(closed(), (MANY + 2, 0), "another lane is made");
    let nearly = IDLE_LIMIT.saturating_sub(CLEAN_EVERY / 2);
    park(&host(0)).await;
    advance(nearly).await;
    park(&host(1)).await;
    advance(CLEAN_EVERY / 2).await;
    park(&host(1)).await;
    assert_eq!(closed(), (MANY + 2, 0), "not all are looked at each time");
    advance(CLEAN_EVERY / 2).await;
    park(&host(1)).await;
    assert_eq!(closed(), (MANY + 3, 0), "but soon");
    advance(IDLE_LIMIT).await;
    assert!(pool.take(&host(1), Handle::current().id()).is_none());
    assert_eq!(closed(), (MANY + 6, 0), "they are asked for");
}

#[tokio::test]
async fn a_request_that_waits_is_woken_and_leaves_while_the_pool_is_open_to_others() {
    let (pool, met) = (Arc::new(Pool::default()), Arc::new(Met::default()));
    let waiting = || {
        let mut checkout = checkout_of(&pool, &host(0), Handle::current().id());
        let waker = Waker::from(Arc::new(Probe::new(&pool, &met)));
        assert!(checkout.poll(&mut Context::from_waker(&waker)).is_pending());
        checkout
    };
    let calls = || (met.open.load(SeqCst), met.locked.load(SeqCst));

    let checkout = waiting();
    pool.park(&host(0), idle().await);
    assert_eq!(calls(), (1, 0), "it was woken");
    drop(checkout);
    assert_eq!(calls(), (2, 0), "its waker is gone");
    pool.take(&host(0), Handle::current().id());
    drop(waiting());
    assert_eq!(calls(), (3, 0), "so is that of one that got nothing, and nobody woke it");
}
