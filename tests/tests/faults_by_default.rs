//! What a client does that nobody has told anything: the default deadlines and waits, to the millisecond. The services
//! are in memory, and the clock moves when everybody waits.

mod support;

use std::{future::pending, io, time::Duration};

use codex_api::FailureKind::{Connect, Protocol, Status, Timeout};
use codex_api::{
    Auth, AuthorizeFuture, Client, ClientBuilder, Credentials, Environment, Error, FailureKind, Jitter,
    OutgoingRequest, Pacing, Phase, Provider, ProxyUrl, Request, RetryBudget, RetryPolicy, Transport, TurnEvent,
    connector,
};
use support::in_memory::{Service, accept_socket};
use tokio::{
    io::{AsyncWriteExt, BufReader, DuplexStream, duplex},
    time::{Instant, sleep, sleep_until},
};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const SSE: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
const EVENT: &str = "data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"Hi\"}\n\n";
const EVENT_JSON: &str = "{\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"Hi\"}";
const COMPLETED: &str = "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\"}}\n\n";
/// Attempts by default.
const ATTEMPTS: usize = 9;
/// The windows of the waits between them, in seconds.
const WINDOWS: [u64; ATTEMPTS - 1] = [1, 2, 4, 8, 16, 30, 30, 30];

/// A client with the default deadlines and the default policy.
fn client(base_url: &str) -> ClientBuilder {
    Client::builder(Provider::new(base_url).unwrap()).retry_seed(1).environment(Environment::empty())
}

/// A request from its beginning to its end.
struct Course {
    /// How long each attempt took.
    attempts: Vec<Duration>,
    /// The waits between them, and what was told of the failures before.
    waits: Vec<Duration>,
    reasons: Vec<FailureKind>,
    discarded: Vec<bool>,
    error: Option<Error>,
}

async fn course(client: &Client) -> Course {
    let mut stream = client.session().begin_turn().stream(Request::new("m").user("Hi"));
    let (mut attempts, mut waits, mut reasons, mut discarded) = (vec![], vec![], vec![], vec![]);
    let mut begun = Instant::now();
    let error = loop {
        match stream.try_next().await {
            Ok(Some(TurnEvent::Request(_))) => begun = Instant::now(),
            Ok(Some(TurnEvent::Retry(retry))) => {
                attempts.push(begun.elapsed());
                waits.push(retry.delay);
                reasons.push(retry.reason);
                discarded.push(retry.discarded);
            }
            Ok(Some(_)) => {}
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    attempts.push(begun.elapsed());
    Course { attempts, waits, reasons, discarded, error }
}

/// Timers are exact to a millisecond.
#[track_caller]
fn assert_takes(taken: Duration, expected: Duration, name: &str) {
    assert!(taken >= expected && taken < expected + Duration::from_millis(5), "{name}: {taken:?}, not {expected:?}");
}

/// Whether the retries take tokens of the budget.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cost {
    Free,
    Tokens,
}

/// Every attempt fails in the same way after so many seconds, and is tried again as often as there are attempts.
async fn check(name: &str, client: ClientBuilder, limit: u64, cost: Cost, failure: (Phase, &str)) {
    // Enough, and nothing is earned.
    let budget = RetryBudget::new(Pacing::new(100, seconds(24 * 60 * 60)));
    let client = client.retry_budget(budget.clone()).build().unwrap();
    let Course { attempts, waits, reasons, discarded, error } = course(&client).await;
    let error = error.unwrap_or_else(|| panic!("{name}: an answer"));
    let (phase, message) = failure;
    assert_eq!((error.kind(), error.phase(), error.message()), (Timeout, phase, message), "{name}: {error:?}");
    assert!(error.is_retryable(), "{name}");
    assert_eq!((error.attempts() as usize, attempts.len()), (ATTEMPTS, ATTEMPTS), "{name}");
    for taken in attempts {
        assert_takes(taken, seconds(limit), name);
    }
    for (wait, window) in waits.iter().zip(WINDOWS) {
        assert!(*wait <= seconds(window), "{name}: {waits:?}");
    }
    assert!(waits.iter().sum::<Duration>() <= seconds(120), "{name}: {waits:?}");
    assert!(reasons.iter().all(|reason| *reason == Timeout), "{name}: {reasons:?}");
    assert!(discarded.iter().all(|discarded| *discarded == (phase == Phase::Streaming)), "{name}: {discarded:?}");
    let left = if cost == Cost::Tokens { 92 } else { 100 };
    assert_eq!(budget.tokens(), left, "{name}");
}

/// Rows 3, 7 and 11.
#[tokio::test(start_paused = true)]
async fn the_way_to_the_service_has_10_s_for_each_stage() {
    let (http, https) = ("http://model.test/v1", "https://model.test/v1");
    let through = |proxy: &str| client(https).proxy(proxy.parse::<ProxyUrl>().unwrap());
    let silent = || Service::new("");

    let hole = connector::from_fn(|_| pending::<io::Result<DuplexStream>>());
    let message = "timed out connecting to model.test:80 after 10s (connect timeout)";
    check("3 black hole", client(http).connector(hole), 10, Cost::Free, (Phase::Connect, message)).await;

    let message = "timed out in the TLS handshake with model.test:443 after 10s (connect timeout)";
    let stalls = client(https).connector(silent().connector());
    check("7 TLS", stalls, 10, Cost::Tokens, (Phase::Tls, message)).await;

    let message = "the proxy proxy.test:8080 did not connect to model.test:443 within 10s (connect timeout)";
    for (name, service) in [
        ("11 silent proxy", silent()),
        ("11 half an answer", Service::new("HTTP/1.1 200 O")),
        ("11 an answer in a trickle", Service::new("HTTP/1.1 200 OK\r\nx: ").again(seconds(3), "x")),
    ] {
        let client = through("http://proxy.test:8080").connector(service.connector());
        check(name, client, 10, Cost::Free, (Phase::Connect, message)).await;
    }
}

/// Rows 17, 18, 21, 38, 39 and 40.
#[tokio::test(start_paused = true)]
async fn silence_and_trickles_have_the_documented_ends() {
    let head = (Phase::Head, "no response head came from model.test:80 within 120s (head timeout)");
    let first = (Phase::FirstEvent, "no event within 300s after the response head (first-event timeout)");
    let idle = (Phase::Streaming, "no byte for 300s (idle timeout)");
    let progress = (Phase::Streaming, "no event for 900s, although the connection was alive (progress timeout)");
    // No multiple of this is the end of a deadline.
    let often = seconds(7);
    let says = |parts: &[&str]| Service::new(parts.concat());
    for (name, service, limit, failure) in [
        ("17 no head", says(&[]), 120, head),
        ("17 the beginning of a head", says(&["HTTP/1.1 200 OK\r\n"]), 120, head),
        ("18 slow-loris head", says(&["HTTP/1.1 200 OK\r\nx: "]).again(often, "x"), 120, head),
        ("18 one header after the other", says(&["HTTP/1.1 200 OK\r\n"]).again(often, "x: y\r\n"), 120, head),
        ("21 interim answers", says(&[]).again(often, "HTTP/1.1 102 Processing\r\n\r\n"), 120, head),
        ("38 silence before the first event", says(&[SSE]), 300, first),
        ("38 silence between events", says(&[SSE, EVENT]), 300, idle),
        ("39 silence inside the first event", says(&[SSE, "data: {"]), 300, first),
        ("39 silence inside an event", says(&[SSE, EVENT, "data: {"]), 300, idle),
        ("39 the first event in a trickle", says(&[SSE, "data: "]).again(often, "x"), 300, first),
        ("39 an event in a trickle", says(&[SSE, EVENT, "data: "]).again(often, "x"), 900, progress),
        ("39 an event of many lines", says(&[SSE, EVENT]).again(often, "data: x\n"), 900, progress),
        ("40 comments only", says(&[SSE]).again(often, ": x\n"), 300, first),
        ("40 comments from then on", says(&[SSE, EVENT]).again(often, ": x\n\n"), 900, progress),
        ("40 comments as data", says(&[SSE, EVENT]).again(often, "data: : x\n\n"), 900, progress),
        (
            "40 keep-alives as events",
            says(&[SSE, EVENT]).again(often, "data: {\"type\":\"keepalive\"}\n\n"),
            900,
            progress,
        ),
    ] {
        let client = client("http://model.test/v1").connector(service.connector());
        check(name, client, limit, Cost::Tokens, failure).await;
    }
}

/// What a WebSocket brings, and when: these bytes, and a sign of life every so often.
async fn socket_of(begin: Vec<u8>, often: Option<Duration>, life: &'static [u8], far: DuplexStream) -> io::Result<()> {
    let mut stream = accept_socket(BufReader::new(far)).await?;
    stream.write_all(&begin).await?;
    while let Some(often) = often {
        sleep(often).await;
        stream.write_all(life).await?;
    }
    // Nobody reads any more, and the connection stays.
    pending().await
}

/// Rows 50 and 82: a peer that is gone is found by pings that nobody answers; one that lives, by what it does not say.
#[tokio::test(start_paused = true)]
async fn a_dead_socket_is_found_after_40_s_and_a_silent_one_like_a_silent_stream() {
    let text = [&[0x81, EVENT_JSON.len() as u8], EVENT_JSON.as_bytes()].concat();
    let half = [&text[..], b"\x01\x01{"].concat();
    let (ping, fragment) = (&b"\x89\x00"[..], &b"\x00\x01x"[..]);
    let often = Some(seconds(7));
    let dead = "the peer gave no sign of life";
    let first = "no event within 300s after the response head (first-event timeout)";
    let progress = "no event for 900s, although the connection was alive (progress timeout)";
    for (name, begin, often, life, limit, message) in [
        ("50 before an event", vec![], None, ping, 40, dead),
        ("50 behind an event", text.clone(), None, ping, 40, dead),
        ("82 half a message", half.clone(), None, ping, 40, dead),
        ("38 pings before an event", vec![], often, ping, 300, first),
        ("38 pings behind an event", text, often, ping, 900, progress),
        ("82 half a message, and pings", half.clone(), often, ping, 900, progress),
        ("82 a message without end", half, often, fragment, 900, progress),
    ] {
        let sockets = connector::from_fn(move |_| {
            let (near, far) = duplex(64 * 1024);
            tokio::spawn(socket_of(begin.clone(), often, life, far));
            async move { Ok::<_, io::Error>(near) }
        });
        let client = client("http://model.test/v1").connector(sockets).transport(Transport::WebSocket);
        let Course { attempts, waits, error, .. } = course(&client.build().unwrap()).await;
        let error = error.expect("a failure");
        assert_eq!(
            (error.kind(), error.message(), error.is_retryable()),
            (Timeout, message, true),
            "{name}: {error:?}"
        );
        assert_eq!((error.attempts() as usize, attempts.len()), (ATTEMPTS, ATTEMPTS), "{name}");
        for taken in attempts {
            assert_takes(taken, seconds(limit), name);
        }
        for (wait, window) in waits.iter().zip(WINDOWS) {
            assert!(*wait <= seconds(window), "{name}: {waits:?}");
        }
    }
}

/// Rows 13 and 31: what explains a refusal is waited for, but not for long.
#[tokio::test(start_paused = true)]
async fn the_text_of_a_refusal_is_read_for_5_s() {
    const REFUSED: &str = "HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/plain\r\n\r\nOverheat";
    let often = Duration::from_millis(700);
    let portal = || Service::new("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<title>Log in</title>");
    let overheat = "HTTP 500 Internal Server Error: Overheat";
    let page = "not an API answer: HTTP 200 with text/html: Log in";
    let empty = Service::new("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n");
    let no_page = "not an API answer: HTTP 200 with text/html and no body within 5s";
    for (name, service, kind, count, message) in [
        ("31 a body that stays away", Service::new(REFUSED), Status, ATTEMPTS, overheat),
        ("31 a body in a trickle", Service::new(REFUSED).again(often, "ed"), Status, ATTEMPTS, overheat),
        (
            "31 never tried again",
            Service::new(REFUSED.replace("500", "400")),
            Status,
            1,
            "HTTP 400 Bad Request: Overheat",
        ),
        ("13 a page that stays away", portal(), Protocol, 2, page),
        ("13 a page of which nothing comes", empty, Protocol, 2, no_page),
        ("13 a page in a trickle", portal().again(often, "<p>"), Protocol, 2, page),
    ] {
        let client = client("http://model.test/v1").connector(service.connector()).build().unwrap();
        let Course { attempts, error, .. } = course(&client).await;
        let error = error.expect("a failure");
        assert_eq!(
            (error.kind(), error.attempts() as usize, attempts.len()),
            (kind, count, count),
            "{name}: {error:?}"
        );
        assert!(error.message().starts_with(message), "{name}: {error:?}");
        assert_eq!(error.is_retryable(), count > 1, "{name}");
        for taken in attempts {
            assert_takes(taken, seconds(5), name);
        }
    }
}

/// A network that is not there, and whose absence is noticed at once.
fn no_route() -> io::Error {
    io::Error::new(io::ErrorKind::NetworkUnreachable, "no route")
}

/// Row 91, without jitter: the longest waits that there can be.
#[tokio::test(start_paused = true)]
async fn waits_are_of_30_s_at_most_and_of_120_s_in_all() {
    let budget = RetryBudget::new(Pacing::default());
    let gone = connector::from_fn(|_| async { Err::<DuplexStream, _>(no_route()) });
    let client = client("http://model.test/v1").connector(gone).retry_budget(budget.clone());
    let client = client.retry(RetryPolicy::new().with_jitter(Jitter::None)).build().unwrap();
    let begun = Instant::now();
    let Course { waits, reasons, discarded, error, .. } = course(&client).await;
    let error = error.expect("a failure");
    assert_eq!((error.kind(), error.attempts(), error.is_retryable()), (Connect, 9, true), "{error:?}");
    assert_eq!(error.message(), "cannot connect to model.test:80: network unreachable");
    assert_eq!(error.gave_up(), Some("all attempts are used up"));
    assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 29].map(seconds));
    assert!(reasons.iter().all(|reason| *reason == Connect) && !discarded.contains(&true));
    // They were waited for, too.
    let taken = begun.elapsed();
    assert!(taken >= seconds(120) && taken < seconds(120) + Duration::from_millis(50), "{taken:?}");
    assert_eq!(budget.tokens(), 2, "whoever has no network is no load on the service");
}

/// Row 91: whatever the draws.
#[tokio::test(start_paused = true)]
async fn a_network_that_comes_back_is_found_within_30_s() {
    const GONE: Duration = seconds(10);
    let mut all_waits = Vec::new();
    for seed in 0..50 {
        let begun = Instant::now();
        let answer = Service::new([SSE, EVENT, COMPLETED].concat());
        let network = connector::from_fn(move |_| {
            let back = begun.elapsed() >= GONE;
            let answer = answer.clone();
            async move { if back { Ok(answer.connect()) } else { Err(no_route()) } }
        });
        let budget = RetryBudget::new(Pacing::default());
        let client = client("http://model.test/v1").connector(network).retry_seed(seed).retry_budget(budget.clone());
        let Course { waits, error, .. } = course(&client.build().unwrap()).await;
        assert!(error.is_none(), "{seed}: {error:?}");
        assert!(begun.elapsed() <= GONE + seconds(30), "{seed}: {:?}", begun.elapsed());
        for (wait, window) in waits.iter().zip(WINDOWS) {
            assert!(*wait <= seconds(window), "{seed}: {waits:?}");
        }
        assert_eq!(budget.tokens(), 2, "{seed}");
        all_waits.push(waits[0]);
    }
    // They are drawn, and not the same for all.
    assert!(all_waits.iter().any(|wait| *wait < seconds(1) / 5), "{all_waits:?}");
    assert!(all_waits.iter().any(|wait| *wait > seconds(1) * 4 / 5), "{all_waits:?}");
}

/// Never answers.
struct Speechless;

impl Credentials for Speechless {
    fn authorize(&self, _: OutgoingRequest) -> AuthorizeFuture {
        Box::pin(pending())
    }
}

/// Row 92.
#[tokio::test(start_paused = true)]
async fn a_credential_hook_has_10_s() {
    let client = client("http://model.test/v1").connector(Service::new("").connector());
    let Course { attempts, error, .. } = course(&client.auth(Auth::hook(Speechless)).build().unwrap()).await;
    let error = error.expect("a failure");
    assert_eq!(error.message(), "no credentials came for the request within 10s (connect timeout)");
    assert_eq!((error.kind(), error.phase(), error.attempts()), (Timeout, Phase::Connect, 1));
    assert!(!error.is_retryable());
    assert_takes(attempts[0], seconds(10), "92");
}

/// Row 74: a session keeps away from WebSockets for ten minutes, and then asks for one again.
#[tokio::test(start_paused = true)]
async fn a_session_falls_back_for_ten_minutes() {
    // Timers are exact to a millisecond.
    const MOMENT: Duration = Duration::from_millis(5);
    let refuses = Service::new("HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\n\r\n");
    let answers = Service::new([SSE, EVENT, COMPLETED].concat());
    let service = Service::by_method([("GET", refuses), ("POST", answers)]);
    let client = client("http://model.test/v1").connector(service.connector()).transport(Transport::Auto);
    let session = client.build().unwrap().session();
    let begun = Instant::now();
    let again = seconds(600) + MOMENT;
    for (at, methods) in [
        (Duration::ZERO, "GET POST"),
        (MOMENT, "POST"),
        (seconds(599), "POST"),
        (again, "GET POST"),
        (again + seconds(599), "POST"),
        (again + seconds(600) + MOMENT, "GET POST"),
    ] {
        sleep_until(begun + at).await;
        session.begin_turn().stream(Request::new("m").user("Hi")).collect().await.unwrap();
        let asked = std::mem::take(&mut *service.requests.lock().unwrap());
        assert_eq!(asked.join(" "), methods);
    }
}
