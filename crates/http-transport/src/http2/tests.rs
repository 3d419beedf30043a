//! Over an in-memory stream and paused time: what happens when nothing happens.

#[path = "../../tests/support/frames.rs"]
mod frames;

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use tokio::io::{DuplexStream, duplex};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{Instant, sleep, timeout};

use self::frames::{ACK, DATA, END_HEADERS, Frames, GOAWAY, HEADERS, OK, PING, SETTINGS, WINDOW_UPDATE};
use super::connect;
use crate::call::Call;
use crate::error::{Error, ErrorKind};
use crate::head::Head;
use crate::outgoing::prepare;
use crate::phase::Phase;
use crate::pool::{Entry, Pool, Way, Wish};
use crate::proxy::Route;
use crate::request::Request;
use crate::target::{Endpoint, Target};
use crate::versions::Offer;
use crate::waiting::Waiting;

/// The head timeout, longer than it takes to find out that nobody is there.
const LIMIT: Duration = Duration::from_secs(60);
/// Longer than anything here takes, in virtual time.
const FOR_EVER: Duration = Duration::from_secs(10_000);

struct Client {
    pool: Arc<Pool>,
    way: Way,
}

impl Client {
    fn new() -> Self {
        let target = Target::parse(&"http://a.example".parse().unwrap()).unwrap();
        Self { pool: Arc::default(), way: Way { endpoint: Arc::new(target.endpoint), route: Route::Direct } }
    }

    fn enter(&self, wish: Wish) -> Entry {
        self.pool.enter(&self.way, Offer::Http2, wish, Some(LIMIT))
    }

    /// A request of `length` bytes, on a connection that is there or on a new one; with the server's end of a new one.
    async fn send(&self, length: usize) -> (Waiting, Option<DuplexStream>) {
        let endpoint = &self.way.endpoint;
        let (place, far) = match self.enter(Wish::Any) {
            Entry::Shared(place) => (place, None),
            Entry::Dial(Some(lead), _) => {
                let (near, far) = duplex(1024 * 1024);
                (connect(Box::new(near), endpoint, lead).await.unwrap(), Some(far))
            }
            _ => panic!("there is nothing to wait for"),
        };
        let call = place.send(endpoint, request(endpoint, length)).unwrap();
        (Waiting::new(Arc::clone(endpoint), Call::Http2(Box::new(call)), Some(LIMIT)), far)
    }
}

fn request(endpoint: &Endpoint, length: usize) -> http::Request<Bytes> {
    let uri = format!("http://{endpoint}/").parse().unwrap();
    let request = Request::post(uri, HeaderMap::new(), vec![b'x'; length]);
    let target = Target::parse(&request.uri).unwrap();
    prepare(request, &target, &Route::Direct).unwrap()
}

async fn head(waiting: &mut Waiting) -> Result<Head, Error> {
    timeout(FOR_EVER, poll_fn(|cx| waiting.poll(cx))).await.expect("there is a deadline")
}

async fn data(waiting: &mut Waiting) -> Option<Result<Bytes, Error>> {
    let Waiting { endpoint, call, .. } = waiting;
    timeout(FOR_EVER, poll_fn(|cx| call.poll_data(cx, endpoint))).await.expect("somebody notices")
}

#[track_caller]
fn check(error: &Error, phase: Phase, message: &str) {
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Timeout, phase), "{error:?}");
    assert_eq!(error.to_string(), message);
}

/// Timers count whole milliseconds and round up.
#[track_caller]
fn check_elapsed(start: Instant, expected: Duration) {
    let taken = start.elapsed();
    assert!(taken >= expected && taken < expected + Duration::from_millis(10), "{taken:?}");
}

/// A request on a new connection, with the head of its answer read: `hello` is there of the body, which does not end.
async fn answered(client: &Client) -> (Waiting, Frames<DuplexStream>) {
    let (mut waiting, far) = client.send(2).await;
    let server = tokio::spawn(async move {
        let mut frames = Frames::accept(far.unwrap()).await;
        let stream = frames.request().await;
        frames.write(HEADERS, END_HEADERS, stream, OK).await;
        frames.write(DATA, 0, stream, b"hello").await;
        frames
    });
    head(&mut waiting).await.unwrap();
    (waiting, server.await.unwrap())
}

const UNRESPONSIVE: &str = "a.example:80 did not answer a PING within 20s";

#[tokio::test(start_paused = true)]
async fn a_half_open_connection_is_found_out_in_the_body() {
    let client = Client::new();
    let (mut waiting, mut frames) = answered(&client).await;
    assert_eq!(data(&mut waiting).await.unwrap().unwrap(), "hello");
    let start = Instant::now();
    let error = data(&mut waiting).await.unwrap().unwrap_err();
    check(&error, Phase::Body, UNRESPONSIVE);
    check_elapsed(start, Duration::from_secs(40));
    let mut kinds = Vec::new();
    while let Some(frame) = frames.read().await {
        kinds.push(frame.kind);
    }
    kinds.retain(|kind| ![SETTINGS, WINDOW_UPDATE].contains(kind));
    assert_eq!(kinds, [PING], "it was asked once, and then left");
    assert!(matches!(client.enter(Wish::Any), Entry::Dial(_, _)), "nobody else gets there");
}

#[tokio::test(start_paused = true)]
async fn a_half_open_connection_is_found_out_although_data_crossed_an_earlier_ping() {
    let client = Client::new();
    let (mut waiting, mut frames) = answered(&client).await;
    assert_eq!(data(&mut waiting).await.unwrap().unwrap(), "hello");
    sleep(Duration::from_secs(21)).await;
    frames.write(DATA, 0, 1, b"more").await;
    assert_eq!(data(&mut waiting).await.unwrap().unwrap(), "more");
    let start = Instant::now();
    let error = data(&mut waiting).await.unwrap().unwrap_err();
    check(&error, Phase::Body, UNRESPONSIVE);
    check_elapsed(start, Duration::from_secs(40));
}

#[tokio::test(start_paused = true)]
async fn a_half_open_connection_is_found_out_before_the_head() {
    let client = Client::new();
    let (mut waiting, far) = client.send(2).await;
    let start = Instant::now();
    let error = head(&mut waiting).await.unwrap_err();
    check(&error, Phase::Head, UNRESPONSIVE);
    check_elapsed(start, Duration::from_secs(40));
    assert!(!waiting.call.is_unseen(&error), "the server may have acted on it");
    drop(far);
}

/// Serves until the client leaves: answers PINGs, and everything else with silence.
fn stay_awake(mut frames: Frames<DuplexStream>) -> JoinHandle<usize> {
    tokio::spawn(async move {
        let mut pings = 0;
        while let Some(frame) = frames.read().await {
            match frame.kind {
                PING if frame.flags & ACK == 0 => {
                    pings += 1;
                    frames.write(PING, ACK, 0, &frame.payload).await;
                }
                GOAWAY => break,
                _ => {}
            }
        }
        pings
    })
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_pings_may_think_as_long_as_it_likes() {
    let client = Client::new();
    let (mut waiting, frames) = answered(&client).await;
    data(&mut waiting).await.unwrap().unwrap();
    let server = stay_awake(frames);
    let result = timeout(Duration::from_secs(1_000), data(&mut waiting)).await;
    assert!(result.is_err(), "{result:?}");
    drop((waiting, client));
    let pings = server.await.unwrap();
    assert!((48..=50).contains(&pings), "every 20 s: {pings}");
}

#[tokio::test(start_paused = true)]
async fn the_head_timeout_counts_from_the_request_and_is_not_extended() {
    let client = Client::new();
    let (mut waiting, far) = client.send(2).await;
    let server = tokio::spawn(async move {
        let mut frames = Frames::accept(far.unwrap()).await;
        let stream = frames.request().await;
        loop {
            sleep(Duration::from_secs(10)).await;
            // An interim answer (103), and a sign of life.
            frames.write(HEADERS, END_HEADERS, stream, b"\x08\x03103").await;
            frames.write(PING, 0, 0, &[0; 8]).await;
        }
    });
    let start = Instant::now();
    let error = head(&mut waiting).await.unwrap_err();
    check(&error, Phase::Head, "no response head came from a.example:80 within 60s (head timeout)");
    check_elapsed(start, LIMIT);
    server.abort();
}

#[tokio::test(start_paused = true)]
async fn a_request_that_the_server_gives_no_window_for_times_out_while_sending() {
    let client = Client::new();
    let (mut waiting, far) = client.send(1_000_000).await;
    let server = tokio::spawn(async move {
        let mut frames = Frames::accept(far.unwrap()).await;
        // The first 64 KiB go without; after 15 s there is room for 100,000 more, and never again.
        sleep(Duration::from_secs(15)).await;
        for stream in [0, 1] {
            frames.write(WINDOW_UPDATE, 0, stream, &100_000u32.to_be_bytes()).await;
        }
        stay_awake(frames).await
    });
    let start = Instant::now();
    let error = head(&mut waiting).await.unwrap_err();
    check(&error, Phase::Sending, "a.example:80 took no more of the request for 60s (head timeout)");
    // A period for the first bytes and the window, and one without anything.
    check_elapsed(start, 2 * LIMIT);
    drop((waiting, client));
    server.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_requests_is_closed_after_90_seconds() {
    let client = Client::new();
    let (mut waiting, frames) = answered(&client).await;
    data(&mut waiting).await.unwrap().unwrap();
    let server = stay_awake(frames);
    sleep(Duration::from_secs(300)).await;
    drop(waiting);
    sleep(Duration::from_secs(80)).await;
    // Used again, so the time begins again.
    let (waiting, far) = client.send(2).await;
    assert!(far.is_none(), "the connection is there");
    sleep(Duration::from_secs(5)).await;
    drop(waiting);
    let start = Instant::now();
    let pings = server.await.unwrap();
    check_elapsed(start, Duration::from_secs(90));
    assert!((14..=17).contains(&pings), "none while there was no request: {pings}");
    assert!(matches!(client.enter(Wish::Any), Entry::Dial(_, _)));
}

#[tokio::test(start_paused = true)]
async fn a_connection_whose_transport_is_gone_ends_with_its_last_request() {
    let client = Client::new();
    let (mut waiting, frames) = answered(&client).await;
    let server = stay_awake(frames);
    drop(client);
    for _ in 0..10 {
        yield_now().await;
    }
    assert!(!server.is_finished());
    assert_eq!(data(&mut waiting).await.unwrap().unwrap(), "hello");
    let start = Instant::now();
    drop(waiting);
    server.await.unwrap();
    check_elapsed(start, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn others_wait_for_the_servers_settings() {
    let client = Client::new();
    let (_first, far) = client.send(2).await;
    let Entry::Follow(mut follow) = client.enter(Wish::Any) else { panic!("a dial is not over before it is known") };
    let server = tokio::spawn(async move {
        sleep(Duration::from_secs(5)).await;
        // One request at a time: `SETTINGS_MAX_CONCURRENT_STREAMS`.
        Frames::accept_with(far.unwrap(), &[(3, 1)]).await
    });
    let start = Instant::now();
    assert_eq!(poll_fn(|cx| follow.poll(cx)).await, Wish::Any);
    check_elapsed(start, Duration::from_secs(5));
    assert!(matches!(client.enter(Wish::Any), Entry::Dial(_, _)), "it is full");
    drop(server.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever_for_another_ones_dial() {
    let client = Client::new();
    let Entry::Dial(lead, _) = client.enter(Wish::Any) else { panic!("there is nothing yet") };
    let follow = || match client.enter(Wish::Any) {
        Entry::Follow(follow) => follow,
        _ => panic!("a dial is under way"),
    };
    // One that nobody polls.
    let (mut late, mut told) = (follow(), follow());
    let start = Instant::now();
    assert_eq!(poll_fn(|cx| late.poll(cx)).await, Wish::Own);
    check_elapsed(start, LIMIT);
    // One that failed, and one that was given up.
    lead.as_ref().unwrap().failed();
    assert_eq!(poll_fn(|cx| told.poll(cx)).await, Wish::Own);
    let Entry::Dial(next, _) = client.enter(Wish::Any) else { panic!("the other is over") };
    let mut told = follow();
    drop(next);
    assert_eq!(poll_fn(|cx| told.poll(cx)).await, Wish::Any);
    drop(lead);
}

/// They would find the same, one after the other.
#[tokio::test(start_paused = true)]
async fn nobody_leads_the_others_to_a_server_that_ends_connections_unread() {
    let client = Client::new();
    for ends_at_once in [true, false] {
        let Entry::Dial(Some(lead), _) = client.enter(Wish::Any) else { panic!("there is nothing yet") };
        let Entry::Follow(mut follow) = client.enter(Wish::Any) else { panic!("a dial is under way") };
        let (near, far) = duplex(1024 * 1024);
        let endpoint = &client.way.endpoint;
        let far = Some(far).filter(|_| !ends_at_once);
        let place = connect(Box::new(near), endpoint, lead).await;
        drop((far, place));
        assert_eq!(poll_fn(|cx| follow.poll(cx)).await, Wish::Own);
    }
}
