//! Faults that are a matter of time: silence, trickles, waits, a consumer that is late. Minutes pass as the test says, one
//! by one, when everything that was sent has been read; between them the clock runs as always.

mod support;

use std::time::Duration;

use codex_api::FailureKind::{Connect, Timeout, Tls};
use codex_api::{
    Client, ClientBuilder, FailureKind, Phase, Provider, Request, RetryPolicy, Timeouts, TurnEvent, TurnStream,
};
use stream_replay::{FaultScript, ReplayServer, Response};
use support::{Tap, drain, impatient, playing, soon};

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

/// The first wait before another attempt, with the default policy.
async fn first_delay(script: &str) -> Duration {
    let replay = playing([Response::fault(FaultScript::parse(script).unwrap())]).await;
    let client = Client::builder(Provider::new(&replay.base_url()).unwrap()).build().unwrap();
    let mut stream = ask(&client);
    loop {
        if let Some(TurnEvent::Retry(retry)) = soon(stream.try_next()).await.unwrap() {
            return retry.delay;
        }
    }
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
        ("26 429", head(429, ""), s(1), s(2)),
        ("29 nonsense", head(429, "\"retry-after: -7\""), s(1), s(2)),
        ("46 a lone cut", format!("{SSE}{EVENT}last-chunk\nfin"), s(0), s(1)),
        ("73 retry field", format!("{SSE}chunk \"retry: 1000000000\\n\\n\"\n{EVENT}fin"), s(0), s(1)),
        (
            "88 a date by the service's own clock",
            head(503, &format!("{date} \"retry-after: Sun, 06 Nov 1994 08:49:42 GMT\"")),
            s(5),
            ms(7_500),
        ),
    ] {
        let delay = first_delay(&script).await;
        assert!((least..=most).contains(&delay), "{name}: {delay:?}");
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

/// Row 54.
#[tokio::test]
async fn a_late_consumer_is_no_silent_service() {
    let script = FaultScript::parse(&format!("{SSE}{EVENT}gate\n{EVENT}{COMPLETED}gate\nhold")).unwrap();
    let replay = playing([Response::fault(script.clone())]).await;
    let mut stream = ask(&builder(&replay.base_url()).build().unwrap());
    loop {
        if let Some(TurnEvent::TextDelta(_)) = soon(stream.try_next()).await.unwrap() {
            break;
        }
    }
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
    let (events, error) = drain(stream).await;
    assert!(error.is_none(), "{error:?}");
    assert!(matches!(events[..], [TurnEvent::TextDelta(_), TurnEvent::Completed(_)]), "{events:?}");
}

/// Row 5.
#[tokio::test]
async fn a_tls_alert_is_named_and_tried_once_more() {
    for (alert, named) in [("handshake_failure", "HandshakeFailure"), ("protocol_version", "ProtocolVersion")] {
        let script = FaultScript::parse(&format!("tls-alert {alert}\nfin")).unwrap();
        let replay = ReplayServer::builder().fault(script).start().await.unwrap();
        let client = impatient(&replay.base_url().replace("http:", "https:")).build().unwrap();
        let (_, error) = drain(ask(&client)).await;
        let error = error.expect("a failure");
        let told = (error.kind(), error.phase(), error.is_retryable(), error.attempts());
        assert_eq!(told, (Tls, Phase::Connect, true, 2), "{error:?}");
        assert!(error.message().contains(named), "{error:?}");
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
