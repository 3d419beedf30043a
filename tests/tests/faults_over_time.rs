//! Faults that are a matter of time: silence, trickles, waits, a consumer that is late. Minutes pass as the test says,
//! one by one, when everything that was sent has been read; between them the clock runs as always.

mod support;

use std::{future::poll_fn, pin::pin, time::Duration};

use codex_api::FailureKind::{Connect, Timeout, Truncated};
use codex_api::{
    Client, ClientBuilder, FailureKind, Pacing, Phase, Provider, ProxyUrl, Request, RetryBudget, RetryPolicy, Timeouts,
    TurnEvent, TurnStream,
};
use stream_replay::{FaultScript, ReplayServer, Response};
use support::{Tap, drain, impatient, playing, soon};
use tokio::task::coop;

const MINUTE: Duration = Duration::from_secs(60);
const SSE: &str = "head 200 \"content-type: text/event-stream\" \"transfer-encoding: chunked\"\n";
const EVENT: &str = r#"chunk "data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"Hi\"}\n\n"
"#;
const COMPLETED: &str = r#"chunk "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\"}}\n\n"
"#;

/// A client that tries once.
fn builder(base_url: &str) -> ClientBuilder {
    let timeouts = Timeouts {
        connect: Some(MINUTE),
        head: Some(5 * MINUTE),
        first_event: Some(10 * MINUTE),
        idle: Some(20 * MINUTE),
        progress: Some(40 * MINUTE),
        ..Timeouts::default()
    };
    Client::builder(Provider::new(base_url).unwrap()).timeouts(timeouts).retry(RetryPolicy::new().with_max_attempts(1))
}

fn ask(client: &Client) -> TurnStream {
    client.session().begin_turn().stream(Request::new("m").user("Hi"))
}

async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Whether the server goes on meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Server {
    Silent,
    /// The script passes its gate every minute.
    Trickles,
}

/// After so many minutes the request fails like this, and the connection is let go.
async fn check(name: &str, script: &str, server: Server, minutes: u32, failure: (FailureKind, Phase, &str)) {
    let script = FaultScript::parse(script).unwrap();
    let replay = playing([Response::fault(script.clone())]).await;
    let mut stream = ask(&builder(&replay.base_url()).build().unwrap());
    let mut tap = Tap::new(script.gate());
    let mut passed = 0;
    let error = loop {
        tokio::select! {
            biased;
            item = stream.try_next() => if let Err(error) = item {
                break error;
            },
            () = tap.arrived() => {
                assert!(passed < 100, "{name}: no end");
                passed += 1;
                if server == Server::Trickles {
                    tap.release();
                }
                // Timers are exact to a millisecond.
                pass(MINUTE + Duration::from_secs(1)).await;
            }
        }
    };
    let (kind, phase, message) = failure;
    assert_eq!((passed, error.kind(), error.phase()), (minutes, kind, phase), "{name}: {error:?}");
    assert!(error.message().contains(message), "{name}: {error:?}");
    assert!(error.is_retryable(), "{name}: {error:?}");
    replay.wait_for_disconnects(1).await;
}

#[tokio::test]
async fn silence_and_trickles_have_an_end() {
    use Server::{Silent, Trickles};

    let trickle = |step: &str| format!("repeat forever\n{step}\ngate\nend");
    let (comment, tiny) = (trickle("chunk \": x\\n\""), trickle("chunk \"x\""));
    let refused = "head 500 \"content-length: 100\"\nsend \"Overheat\"\n";
    let timeout = |phase, message| (Timeout, phase, message);
    for (name, script, server, minutes, failure) in [
        ("17 no head", "gate\nhold".to_owned(), Silent, 5, timeout(Phase::Head, "within 300s")),
        (
            "18 slow-loris head",
            format!("send \"HTTP/1.1 200 OK\\r\\nx: \"\n{}", trickle("send \"x\"")),
            Trickles,
            5,
            timeout(Phase::Head, "within 300s"),
        ),
        (
            "21 slow interim answers",
            trickle("send \"HTTP/1.1 102 Processing\\r\\n\\r\\n\""),
            Trickles,
            5,
            timeout(Phase::Head, "within 300s"),
        ),
        (
            "31 error body that stays away",
            format!("{refused}gate\nhold"),
            Silent,
            1,
            (FailureKind::Status, Phase::FirstEvent, "HTTP 500 Internal Server Error: Overheat"),
        ),
        (
            "31 error body in a trickle",
            format!("{refused}{}", trickle("send \"e\"")),
            Trickles,
            1,
            (FailureKind::Status, Phase::FirstEvent, "HTTP 500 Internal Server Error: Overheat"),
        ),
        (
            "38 silence before the first event",
            format!("{SSE}gate\nhold"),
            Silent,
            10,
            timeout(Phase::FirstEvent, "no event"),
        ),
        (
            "38 silence between events",
            format!("{SSE}{EVENT}gate\nhold"),
            Silent,
            20,
            timeout(Phase::Streaming, "no byte"),
        ),
        (
            "39 silence inside an event",
            format!("{SSE}{EVENT}chunk \"data: {{\"\ngate\nhold"),
            Silent,
            20,
            timeout(Phase::Streaming, "no byte"),
        ),
        (
            "39 an event in a trickle",
            format!("{SSE}{EVENT}chunk \"data: \"\n{tiny}"),
            Trickles,
            40,
            timeout(Phase::Streaming, "no event"),
        ),
        ("40 comments only", format!("{SSE}{comment}"), Trickles, 10, timeout(Phase::FirstEvent, "no event")),
        (
            "40 only comments from then on",
            format!("{SSE}{EVENT}{comment}"),
            Trickles,
            40,
            timeout(Phase::Streaming, "no event"),
        ),
    ] {
        check(name, &script, server, minutes, failure).await;
    }
}

/// The first wait before another attempt of each of 40 requests, with the default policy. The seed is fixed, and so are
/// the draws.
async fn first_delays(script: &str) -> Vec<Duration> {
    let replay = playing([Response::fault(FaultScript::parse(script).unwrap())]).await;
    let client = Client::builder(Provider::new(&replay.base_url()).unwrap()).retry_seed(1).build().unwrap();
    let mut delays = Vec::new();
    while delays.len() < 40 {
        // A stream that is dropped while it waits gives its token back: none of them is paced.
        let mut stream = ask(&client);
        while let Some(event) = soon(stream.try_next()).await.unwrap() {
            if let TurnEvent::Retry(retry) = event {
                assert_eq!((retry.attempt, retry.max_attempts), (2, 9));
                delays.push(retry.delay);
                break;
            }
        }
    }
    delays.sort();
    delays
}

#[tokio::test]
async fn hints_are_the_least_wait_and_nothing_else_is() {
    let told = |message: &str| {
        let body = format!("{{\"error\":{{\"code\":\"rate_limit_exceeded\",\"message\":\"{message}\"}}}}");
        format!("head 429 \"content-length: {}\"\nsend \"{}\"\nserve", body.len(), body.replace('"', "\\\""))
    };
    let head = |status: u16, hint: &str| format!("head {status} \"content-length: 0\" {hint}\nserve");
    let date = "\"date: Sun, 06 Nov 1994 08:49:37 GMT\"";
    let (ms, s) = (Duration::from_millis, Duration::from_secs);
    for (name, script, least, most) in [
        ("25 429", head(429, "\"retry-after: 5\""), s(5), ms(7_500)),
        ("25 503", head(503, "\"retry-after: 5\""), s(5), ms(7_500)),
        ("25 in ms", head(429, "\"retry-after-ms: 5000\""), s(5), ms(7_500)),
        ("25 in words", told("Please try again in 5s."), s(5), ms(7_500)),
        ("25 as far as a hint may go", head(429, "\"retry-after: 120\""), s(120), s(120)),
        ("26 429", head(429, ""), s(1), s(2)),
        ("29 nonsense", head(429, "\"retry-after: -7\""), s(1), s(2)),
        ("46 a lone cut", format!("{SSE}{EVENT}last-chunk\nfin"), s(0), s(1)),
        ("46 before any event", format!("{SSE}last-chunk\nfin"), s(0), s(1)),
        ("73 retry field", format!("{SSE}chunk \"retry: 1000000000\\n\\n\"\n{EVENT}fin"), s(0), s(1)),
        ("73 retry field of nothing", format!("{SSE}chunk \"retry: 0\\n\\n\"\n{EVENT}fin"), s(0), s(1)),
        (
            "88 a date by the service's own clock",
            head(503, &format!("{date} \"retry-after: Sun, 06 Nov 1994 08:49:42 GMT\"")),
            s(5),
            ms(7_500),
        ),
    ] {
        let delays = first_delays(&script).await;
        let (first, last) = (delays[0], delays[delays.len() - 1]);
        assert!(least <= first && last <= most, "{name}: {first:?} to {last:?}");
        // They are spread over all of the window.
        let part = most.saturating_sub(least) / 5;
        assert!(first <= least + part && last + part >= most, "{name}: {first:?} to {last:?}");
    }
}

#[tokio::test]
async fn a_used_up_limit_says_when_it_resets() {
    let body = "{\\\"error\\\":{\\\"type\\\":\\\"usage_limit_reached\\\",\\\"message\\\":\\\"Spent.\\\",\\\"resets_at\\\":784115377}}";
    let script =
        format!("head 429 \"date: Sun, 06 Nov 1994 08:49:37 GMT\" \"connection: close\"\nsend \"{body}\"\nfin");
    let replay = playing([Response::fault(FaultScript::parse(&script).unwrap())]).await;
    let (_, error) = drain(ask(&builder(&replay.base_url()).build().unwrap())).await;
    let error = error.expect("a failure");
    assert_eq!((error.message(), error.is_retryable()), ("Spent.", false));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
}

/// What the task of a late consumer has done before it reads, in the same turn of its runtime.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Task {
    Idle,
    /// So much that it may read nothing before its next turn.
    Busy,
}

/// Reads the end of an answer an hour after it has come in good time: text, a pause, and `rest`.
async fn check_late(rest: &str, task: Task, own: impl FnOnce(ClientBuilder) -> ClientBuilder) {
    let script = FaultScript::parse(&format!("{SSE}{EVENT}gate\n{rest}gate\nhold")).unwrap();
    let replay = playing([Response::fault(script.clone())]).await;
    let mut stream = ask(&own(builder(&replay.base_url())).build().unwrap());
    while !matches!(soon(stream.try_next()).await.unwrap(), Some(TurnEvent::TextDelta(_))) {}
    // Its timers have begun to run.
    let mut tap = Tap::new(script.gate());
    tokio::select! {
        biased;
        item = stream.try_next() => panic!("{item:?}"),
        () = tap.arrived() => {}
    }
    // What comes in good time is read too late.
    tap.release();
    soon(tap.arrived()).await;
    pass(60 * MINUTE).await;
    let mut is_busy = task == Task::Busy;
    let mut read = pin!(drain(stream));
    let (events, error) = poll_fn(|cx| {
        while is_busy && coop::has_budget_remaining() {
            _ = pin!(coop::consume_budget()).poll(cx);
        }
        is_busy = false;
        read.as_mut().poll(cx)
    })
    .await;
    assert!(error.is_none(), "{error:?}");
    assert!(matches!(events[..], [TurnEvent::TextDelta(_), TurnEvent::Completed(_)]), "{events:?}");
}

/// Row 54.
#[tokio::test]
async fn a_late_consumer_is_no_silent_service() {
    for task in [Task::Idle, Task::Busy] {
        check_late(&format!("{EVENT}{COMPLETED}"), task, |builder| builder).await;
    }
}

/// Row 54, with a deadline for the whole turn: what comes in good time, in one chunk, is read when it is over.
#[tokio::test]
async fn an_answer_that_is_there_is_an_answer_when_its_turn_is_over() {
    let rest = format!("{EVENT}{COMPLETED}").replace("chunk \"", "").replace("\"\n", "");
    let timeouts = Timeouts { turn: Some(30 * MINUTE), ..Timeouts::default() };
    for task in [Task::Idle, Task::Busy] {
        check_late(&format!("chunk \"{rest}\"\n"), task, |builder| builder.timeouts(timeouts)).await;
    }
}

/// Rows 7 and 11: the way to the service is not to be had, and nobody says so.
#[tokio::test]
async fn handshakes_and_proxies_that_say_nothing_have_an_end() {
    let tls = |begin: &str| (format!("{begin}\ngate\nhold"), false, Phase::Tls, "TLS handshake");
    for (script, tunnel, phase, message) in [
        ("gate\nhold".to_owned(), false, Phase::Tls, "TLS handshake"),
        tls("tls-read-hello"),
        tls("tls-begin 5"),
        tls("tls-begin 200"),
        ("read-head\ngate\nhold".to_owned(), true, Phase::Connect, "did not connect to localhost:443 within 60s"),
        (
            "read-head\nsend \"HTTP/1.1 200 O\"\ngate\nhold".to_owned(),
            true,
            Phase::Connect,
            "did not connect to localhost:443 within 60s",
        ),
        ("answer-connect 200\ntls-read-hello\ngate\nhold".to_owned(), true, Phase::Tls, "TLS handshake"),
    ] {
        let script = FaultScript::parse(&script).unwrap();
        let replay = ReplayServer::builder().fault(script.clone()).start().await.unwrap();
        let client = if tunnel {
            let proxy: ProxyUrl = format!("http://{}", replay.addr()).parse().unwrap();
            builder("https://localhost/v1").proxy(proxy)
        } else {
            builder(&replay.base_url().replace("http:", "https:"))
        };
        let mut stream = ask(&client.build().unwrap());
        let mut tap = Tap::new(script.gate());
        let error = loop {
            tokio::select! {
                biased;
                item = stream.try_next() => if let Err(error) = item {
                    break error;
                },
                () = tap.arrived() => {
                    tap.pass_over();
                    pass(MINUTE + Duration::from_secs(1)).await;
                }
            }
        };
        assert_eq!((error.kind(), error.phase(), error.is_retryable()), (Timeout, phase, true), "{error:?}");
        assert!(error.message().contains(message), "{error:?}");
        soon(replay.wait_for_disconnects(1)).await;
    }
}

/// Row 89, where the monotonic clock runs on in sleep: two hours pass at once, and there is nothing to be read at the
/// wake but, perhaps, the end of the connection. Where it stops there, only the latter is news: rows 38 and 42.
#[tokio::test]
async fn a_stream_whose_machine_slept_ends_at_the_wake_and_is_tried_again() {
    const NIGHT: Duration = Duration::from_secs(2 * 60 * 60);
    for (end, kind) in [("rst", Truncated), ("fin", Truncated), ("hold", Timeout)] {
        let broken = format!("connection 1:\n{SSE}{EVENT}gate\n{end}\n");
        let whole = format!("connection 2:\n{SSE}{EVENT}{COMPLETED}last-chunk\nserve");
        let script = FaultScript::parse(&(broken + &whole)).unwrap();
        let replay = playing([Response::fault(script.clone())]).await;
        // The default deadlines and waits.
        let client = Client::builder(Provider::new(&replay.base_url()).unwrap()).build().unwrap();
        let mut stream = ask(&client);
        while !matches!(soon(stream.try_next()).await.unwrap(), Some(TurnEvent::TextDelta(_))) {}
        let mut tap = Tap::new(script.gate());
        // The timers run.
        tokio::select! {
            biased;
            item = stream.try_next() => panic!("{item:?}"),
            () = tap.arrived() => {}
        }
        tap.release();
        // Whatever the other side does, it does while nobody looks.
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        pass(NIGHT).await;
        let at_once = tokio::select! {
            biased;
            item = stream.try_next() => item.unwrap(),
            () = std::future::ready(()) => panic!("{end}: nothing happens at the wake"),
        };
        let Some(TurnEvent::Retry(retry)) = at_once else { panic!("{end}: {at_once:?}") };
        assert_eq!((retry.reason, retry.discarded, retry.attempt), (kind, true, 2), "{end}");
        // The night is no wait: the next attempt comes as after every lone cut, not later than a second.
        assert!(retry.delay <= Duration::from_secs(if kind == Truncated { 1 } else { 5 }), "{end}: {:?}", retry.delay);
        // Nor does one in the middle of the wait make it longer.
        tokio::select! {
            biased;
            item = stream.try_next() => panic!("{end}: {item:?}"),
            () = std::future::ready(()) => {}
        }
        pass(NIGHT).await;
        let (events, error) = soon(drain(stream)).await;
        assert!(error.is_none(), "{end}: {error:?}");
        assert!(matches!(events.last(), Some(TurnEvent::Completed(_))), "{end}: {events:?}");
        assert_eq!(replay.requests().len(), 2, "{end}");
    }
}

/// Row 89: a deadline of the whole turn counts what the clock counts.
#[tokio::test]
async fn a_turn_whose_time_passed_in_sleep_is_over_at_the_wake() {
    let script = FaultScript::parse(&format!("{SSE}{EVENT}gate\nhold")).unwrap();
    let replay = playing([Response::fault(script.clone())]).await;
    let timeouts = Timeouts { turn: Some(60 * MINUTE), ..Timeouts::default() };
    let mut stream = ask(&impatient(&replay.base_url()).timeouts(timeouts).build().unwrap());
    while !matches!(soon(stream.try_next()).await.unwrap(), Some(TurnEvent::TextDelta(_))) {}
    let tap = Tap::new(script.gate());
    tokio::select! {
        biased;
        item = stream.try_next() => panic!("{item:?}"),
        () = tap.arrived() => {}
    }
    pass(120 * MINUTE).await;
    let (_, error) = soon(drain(stream)).await;
    let error = error.expect("a failure");
    assert_eq!((error.kind(), error.is_retryable(), error.attempts()), (Timeout, false, 1), "{error:?}");
}

/// Row 30: twenty conversations meet an overloaded service at once. Each has two tries at hand, and from then on all of
/// them together come one every four seconds.
#[tokio::test]
async fn a_storm_is_paced_by_the_budget_that_sessions_share() {
    const SESSIONS: u32 = 20;
    let refusal = FaultScript::parse("head 503 \"content-length: 0\"\nserve").unwrap();
    let replay = playing([Response::fault(refusal)]).await;
    let shared = RetryBudget::new(Pacing::default());
    let client = impatient(&replay.base_url()).retry_budget(shared).build().unwrap();
    // A stream that is dropped while it waits gives its token back.
    let mut streams: Vec<_> = (0..SESSIONS).map(|_| ask(&client)).collect();
    let begun = std::time::Instant::now();
    let mut retries = 0;
    for round in 0..3 {
        for stream in &mut streams {
            let retry = loop {
                if let Some(TurnEvent::Retry(retry)) = soon(stream.try_next()).await.unwrap() {
                    break retry;
                }
            };
            retries += 1;
            // Two tokens for each, and then 1.2 √20 of them every 20 s: however fast or slow this test is.
            let tokens = f64::from(retries) - 2.0 * f64::from(SESSIONS);
            let earned = Duration::from_secs_f64((tokens * 20.0 / (1.2 * f64::from(SESSIONS).sqrt())).max(0.0));
            let paid = retry.delay + begun.elapsed() + Duration::from_millis(1);
            assert!(paid >= earned, "retry {retries}: {:?}, not {earned:?}", retry.delay);
            assert!(round == 2 || retry.delay < Duration::from_secs(1), "retry {retries}: {:?}", retry.delay);
        }
    }
}

/// Row 91.
#[tokio::test]
async fn a_service_that_comes_back_is_found_again() {
    let replay = playing([]).await;
    let (addr, base_url) = (replay.addr(), replay.base_url());
    replay.shutdown().await;
    let mut stream = ask(&impatient(&base_url).build().unwrap());
    let mut waits = 0;
    while waits < 3 {
        if let Some(TurnEvent::Retry(retry)) = soon(stream.try_next()).await.unwrap() {
            assert_eq!((retry.reason, retry.discarded), (Connect, false));
            waits += 1;
        }
    }
    let whole = FaultScript::parse(&format!("{SSE}{EVENT}{COMPLETED}last-chunk\nfin")).unwrap();
    let _back = ReplayServer::builder().listen(addr).respond(Response::fault(whole)).start().await.unwrap();
    let (events, error) = soon(drain(stream)).await;
    assert!(error.is_none(), "{error:?}");
    assert!(matches!(events.last(), Some(TurnEvent::Completed(_))));
}
