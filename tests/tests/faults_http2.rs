//! What can go wrong on HTTP/2, and what the caller of a whole client sees of it: over cleartext that is known to be
//! HTTP/2, and over TLS where the service chooses it. The names begin with the numbers in `docs/faults.md`.

mod support;

use std::time::Duration;

use codex_api::FailureKind::{Connect, Protocol, Timeout, Truncated};
use codex_api::{
    Client, ClientBuilder, Error, FailureKind, HttpVersions, Jitter, Pacing, Phase, Provider, Request, RetryBudget,
    RetryPolicy, Timeouts, TurnEvent, TurnStream, Wire,
};
use stream_replay::{FaultScript, ReplayServer};
use support::{Tap, drain, impatient, soon};

const BEGIN: &str = "h2-preface\nh2-settings\n";
const HEAD: &str = "read-request\nh2-headers 200 \"content-type: text/event-stream\"\n";
const TEXT: &str = r#"h2-data "data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"Hi\"}\n\n"
"#;
const COMPLETED: &str = r#"h2-data "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\"}}\n\n" end-stream
"#;

/// How client and service come to speak HTTP/2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    PriorKnowledge,
    Tls,
}

const WAYS: [Way; 2] = [Way::PriorKnowledge, Way::Tls];

/// A service that does this to its connections, one after another.
struct Service {
    script: FaultScript,
    server: ReplayServer,
    way: Way,
}

impl Service {
    async fn playing(way: Way, connections: &[String]) -> Self {
        let accept = if way == Way::Tls { "tls-accept alpn \"h2\"\n" } else { "" };
        let sections = connections.iter().zip(1..);
        let sections = sections.map(|(steps, number)| format!("connection {number}:\n{accept}{BEGIN}{steps}\n"));
        let text = sections.collect::<Vec<_>>().concat();
        let script = FaultScript::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let server = ReplayServer::builder().fault(script.clone()).start().await.unwrap();
        Self { script, server, way }
    }

    fn base_url(&self) -> String {
        let scheme = if self.way == Way::Tls { "https:" } else { "http:" };
        self.server.base_url().replace("http:", scheme)
    }

    /// The client that speaks HTTP/2 with it.
    fn reached_by(&self, client: ClientBuilder) -> Client {
        let client = match self.way {
            Way::PriorKnowledge => client.http_versions(HttpVersions::Http2),
            Way::Tls => client.extra_root_certificate(self.server.root_certificate().unwrap()),
        };
        client.build().unwrap()
    }

    fn client(&self) -> Client {
        self.reached_by(impatient(&self.base_url()))
    }

    fn tap(&self) -> Tap {
        Tap::new(self.script.gate())
    }

    /// On which connections the requests came.
    fn connections(&self) -> Vec<usize> {
        self.server.requests().iter().map(|request| request.connection).collect()
    }
}

fn ask(client: &Client) -> TurnStream {
    client.session().begin_turn().stream(Request::new("m").user("Hi"))
}

/// Reads to the end, and lets the service pass its gate whenever everything that was sent has been read.
async fn tapped(service: &Service, mut stream: TurnStream) -> (Vec<TurnEvent>, Option<Error>) {
    let (mut tap, mut events) = (service.tap(), Vec::new());
    loop {
        match soon(tap.try_next(&mut stream)).await {
            Ok(Some(event)) => events.push(event),
            Ok(None) => return (events, None),
            Err(error) => return (events, Some(error)),
        }
    }
}

fn retries(events: &[TurnEvent]) -> Vec<(FailureKind, bool)> {
    let retries = events.iter().filter_map(|event| match event {
        TurnEvent::Retry(retry) => Some((retry.reason, retry.discarded)),
        _ => None,
    });
    retries.collect()
}

fn text(events: &[TurnEvent]) -> usize {
    events.iter().filter(|event| matches!(event, TurnEvent::TextDelta(_))).count()
}

fn whole() -> String {
    format!("{HEAD}{TEXT}{COMPLETED}hold")
}

#[tokio::test]
async fn an_answer_comes_over_http_2() {
    for way in WAYS {
        let service = Service::playing(way, &[whole()]).await;
        let (events, error) = soon(drain(ask(&service.client()))).await;
        assert!(error.is_none(), "{way:?}: {error:?}");
        assert_eq!((text(&events), retries(&events)), (1, vec![]));
        let request = &service.server.requests()[0];
        assert_eq!((&*request.method, &*request.path), ("POST", "/v1/responses"));
        assert!(request.body.starts_with(b"{"));
    }
}

/// Row 47.
#[tokio::test]
async fn a_refused_stream_is_asked_for_once_more_for_free() {
    for way in WAYS {
        let refused = || "read-request\nh2-rst-stream refused_stream\nhold".to_owned();
        let service = Service::playing(way, &[refused(), whole()]).await;
        let (events, error) = soon(drain(ask(&service.client()))).await;
        assert!(error.is_none(), "{way:?}: {error:?}");
        assert_eq!((text(&events), retries(&events)), (1, vec![]), "{way:?}");
        assert_eq!(service.server.requests().len(), 2, "{way:?}");
        assert_eq!(service.server.requests()[0].body, service.server.requests()[1].body, "{way:?}");

        // The same of a request above the last stream of a GOAWAY.
        let gone = "read-request\nh2-goaway no_error last 0\nhold".to_owned();
        let service = Service::playing(way, &[gone, whole()]).await;
        let (events, error) = soon(drain(ask(&service.client()))).await;
        assert!(error.is_none(), "{way:?}: {error:?}");
        assert_eq!((retries(&events), service.connections()), (vec![], vec![0, 1]), "{way:?}");

        // Free once: whoever refuses everything is asked as often as attempts allow, without a token of the budget.
        let service = Service::playing(way, &[refused()]).await;
        let budget = RetryBudget::new(Pacing::new(100, Duration::from_secs(24 * 60 * 60)));
        let client = service.reached_by(impatient(&service.base_url()).retry_budget(budget.clone()));
        let (events, error) = soon(drain(ask(&client))).await;
        let error = error.expect("a failure");
        assert_eq!((error.kind(), error.attempts(), error.is_retryable()), (Connect, 9, true), "{error:?}");
        assert_eq!((retries(&events), error.phase()), (vec![(Connect, false); 8], Phase::Sending));
        assert!(budget.tokens() >= 100, "{way:?}: {}", budget.tokens());
        assert_eq!(service.server.requests().len(), 10, "{way:?}: nine attempts, and one that was free");
    }
}

/// Row 47: the server says which version it wants (RFC 9113, section 7), and is not asked for the other again.
#[tokio::test]
async fn a_service_that_requires_http_1_1_gets_it() {
    let answer = "data: {\\\"type\\\":\\\"response.completed\\\",\\\"response\\\":{\\\"id\\\":\\\"r\\\"}}\\n\\n";
    let required = "read-request\nh2-rst-stream http_1_1_required\nhold";
    let script = format!(
        "connection 1:\ntls-accept alpn \"h2\" \"http/1.1\"\n{BEGIN}{required}\n\
         connection 2:\ntls-accept alpn \"h2\" \"http/1.1\"\nrepeat 2\nread-request\n\
         head 200 \"content-type: text/event-stream\" \"transfer-encoding: chunked\"\nchunk \"{answer}\"\nlast-chunk\nend\nhold\n"
    );
    let script = FaultScript::parse(&script).unwrap_or_else(|error| panic!("{script}: {error}"));
    let server = ReplayServer::builder().fault(script.clone()).start().await.unwrap();
    let service = Service { script, server, way: Way::Tls };
    let client = service.client();
    for _ in 0..2 {
        let (events, error) = soon(drain(ask(&client))).await;
        assert!(error.is_none(), "{error:?}");
        assert_eq!(retries(&events), vec![]);
    }
    assert_eq!(service.connections(), [0, 1, 1]);

    // A client that speaks nothing else cannot be helped.
    let service = Service::playing(Way::PriorKnowledge, &[required.to_owned()]).await;
    let (_, error) = soon(drain(ask(&service.client()))).await;
    let error = error.expect("a failure");
    assert_eq!((error.kind(), error.attempts(), error.is_retryable()), (FailureKind::Config, 1, false), "{error:?}");
    assert!(error.message().contains("HTTP/1.1"), "{error}");
}

/// How the request ends, whatever way it goes: the class, the attempts, and a part of the message.
async fn check(name: &str, steps: &str, failure: (FailureKind, u32, &str), discarded: bool) {
    check_on(&WAYS, name, steps, failure, discarded).await;
}

async fn check_on(ways: &[Way], name: &str, steps: &str, failure: (FailureKind, u32, &str), discarded: bool) {
    for way in ways.iter().copied() {
        let service = Service::playing(way, &[steps.to_owned()]).await;
        let (events, error) = tapped(&service, ask(&service.client())).await;
        let error = error.unwrap_or_else(|| panic!("{name}, {way:?}: {events:?}"));
        let (kind, attempts, message) = failure;
        assert_eq!((error.kind(), error.attempts()), (kind, attempts), "{name}, {way:?}: {error:?}");
        assert!(error.message().contains(message), "{name}, {way:?}: {error:?}");
        assert_eq!(error.is_retryable(), kind != FailureKind::TooLarge, "{name}, {way:?}: {error:?}");
        support::assert_portable(&error);
        assert!(error.message().chars().count() < 500, "{name}: a message is a sentence");
        assert_eq!(retries(&events), vec![(kind, discarded); attempts as usize - 1], "{name}, {way:?}");
        assert_eq!(service.server.requests().len(), attempts as usize, "{name}, {way:?}");
    }
}

/// Rows 16, 20, 42, 44, 46, 48.
#[tokio::test]
async fn streams_that_break_off() {
    let early = "ended the response body too early";
    // A stream that has its end, or comes at a bad time, is no reason to leave the connection.
    let on_one_connection = |step: &str| format!("repeat 9\n{HEAD}{TEXT}gate\n{step}\nend\nhold");
    let behind_text = |steps: &str| format!("{HEAD}{TEXT}gate\n{steps}");
    for (name, steps, failure, discarded) in [
        (
            "16 RST_STREAM",
            "read-request\nh2-rst-stream internal_error\nhold".to_owned(),
            (Connect, 9, "INTERNAL_ERROR"),
            false,
        ),
        ("16 FIN", "read-request\nfin".to_owned(), (Connect, 9, "closed the connection before it answered"), false),
        ("16 RST", "read-request\nrst".to_owned(), (Connect, 9, "closed the connection before it answered"), false),
        (
            "20 no frame",
            "read-request\nsend \"HTTP/1.1 200 OK\\r\\n\\r\\n\"\nhold".to_owned(),
            (Protocol, 2, "HTTP/2"),
            false,
        ),
        ("42 FIN", behind_text("fin"), (Truncated, 9, early), true),
        ("42 RST", behind_text("rst"), (Truncated, 9, early), true),
        ("42 FIN in a frame", behind_text("send-hex 0000ff 00 00 00000001 20\nfin"), (Truncated, 9, early), true),
        (
            "43 content-length too long",
            format!(
                "read-request\nh2-headers 200 \"content-type: text/event-stream\" \"content-length: 5000\"\n{TEXT}gate\nh2-data end-stream\nhold"
            ),
            (Truncated, 9, early),
            true,
        ),
        ("46 END_STREAM", on_one_connection("h2-data end-stream"), (Truncated, 9, "before a terminal event"), true),
        ("46 trailers", on_one_connection("h2-trailers \"x: y\""), (Truncated, 9, "before a terminal event"), true),
        (
            "48 INTERNAL_ERROR",
            behind_text("h2-rst-stream internal_error\nhold"),
            (Truncated, 9, "INTERNAL_ERROR"),
            true,
        ),
        ("48 CANCEL", behind_text("h2-rst-stream cancel\nhold"), (Truncated, 9, "CANCEL"), true),
        (
            "48 ENHANCE_YOUR_CALM",
            on_one_connection("h2-rst-stream enhance_your_calm"),
            (Truncated, 9, "ENHANCE_YOUR_CALM"),
            true,
        ),
        (
            "48 ENHANCE_YOUR_CALM to everybody",
            behind_text("h2-goaway enhance_your_calm last 0\nhold"),
            (Truncated, 9, "ENHANCE_YOUR_CALM"),
            true,
        ),
        (
            "48 GOAWAY with 16,000 bytes for debugging",
            behind_text(&format!("h2-frame goaway 0 0 00000000 00000002 {}\nhold", "78".repeat(16_000))),
            (Truncated, 9, "(INTERNAL_ERROR)"),
            true,
        ),
        (
            "48 ENHANCE_YOUR_CALM before the head",
            "repeat 9\nread-request\nh2-rst-stream enhance_your_calm\nend\nhold".to_owned(),
            (Connect, 9, "ENHANCE_YOUR_CALM"),
            false,
        ),
    ] {
        check(name, &steps, failure, discarded).await;
    }
}

/// Row 20: frames that no server may send, and more of them than anybody needs.
#[tokio::test]
async fn frames_that_break_the_protocol_are_told_at_once() {
    let head = "did not answer with valid HTTP/2 (PROTOCOL_ERROR)";
    let body = "sent a malformed response body (PROTOCOL_ERROR)";
    for (name, steps, message) in [
        ("a push", "h2-frame push_promise 4 this 00000002 88".to_owned(), head),
        ("a stream of the server's", "h2-frame headers 4 2 88".to_owned(), head),
        ("an upper-case header", "h2-headers 200 \"Content-Type: text/event-stream\"".to_owned(), head),
        ("a header of the connection", "h2-headers 200 \"transfer-encoding: chunked\"".to_owned(), head),
        ("a line break in a header", "h2-headers 200 \"a: b\\r\\nc: d\"".to_owned(), head),
        ("two lengths", "h2-headers 200 \"content-length: 5\" \"content-length: 6\"".to_owned(), head),
        ("a length beyond all", "h2-headers 200 \"content-length: 18446744073709551615\"".to_owned(), head),
        ("no status", "h2-frame headers 4 this 00 01 61 01 62".to_owned(), head),
        ("a block that is none", "h2-frame headers 4 this ff ff ff ff ff ff".to_owned(), head),
        ("data in a block", "h2-frame headers 0 this 88\nh2-frame data 0 this 00".to_owned(), head),
        ("a window of nothing", "h2-frame window_update 0 this 00000000".to_owned(), head),
        ("settings beyond a window", "h2-settings initial_window_size=4294967295".to_owned(), head),
        ("a second head", format!("h2-headers 200\n{TEXT}gate\nh2-headers 200"), body),
        ("an end that is a head", format!("h2-headers 200\n{TEXT}gate\nh2-frame headers 4 this 00 01 61 01 62"), body),
    ] {
        let steps = format!("read-request\n{steps}\nhold");
        check(name, &steps, (Protocol, 2, message), message.contains("body")).await;
    }
}

/// Row 19: as every limit.
#[tokio::test]
async fn frames_without_end_are_not_asked_for_again() {
    let block = "read-request\nh2-frame headers 0 this 88\nrepeat forever h2-frame continuation 0 this 00\nhold";
    let message = "sent more frames than an answer needs (ENHANCE_YOUR_CALM)";
    check("a block", block, (FailureKind::TooLarge, 1, message), false).await;
    let data = format!("read-request\nh2-headers 200\n{TEXT}gate\nrepeat forever h2-frame data 0 this\nhold");
    let message = "sent more frames than a body needs (ENHANCE_YOUR_CALM)";
    check("empty data", &data, (FailureKind::TooLarge, 1, message), true).await;
}

/// What is pointless and allowed costs nothing but time.
#[tokio::test]
async fn an_answer_comes_through_floods() {
    for flood in [
        "h2-ping",
        "h2-settings max_concurrent_streams=10",
        "h2-frame window_update 0 0 00000001",
        "h2-frame priority 0 this 0000000010",
        "h2-frame 99 0 this 00",
    ] {
        let steps =
            format!("read-request\nrepeat 3000 {flood}\n{}{TEXT}{COMPLETED}hold", HEAD.replace("read-request\n", ""));
        let service = Service::playing(Way::PriorKnowledge, &[steps]).await;
        let (events, error) = soon(drain(ask(&service.client()))).await;
        assert!(error.is_none(), "{flood}: {error:?}");
        assert_eq!((text(&events), retries(&events)), (1, vec![]), "{flood}");
    }
}

/// Row 48: what a service says as it leaves is heard, although the stream hears only that the connection has ended.
#[tokio::test]
async fn a_service_that_asks_for_calm_and_leaves_has_asked_for_calm() {
    let asks = "asks for fewer requests (ENHANCE_YOUR_CALM)";
    for (way, end) in [(Way::PriorKnowledge, "fin"), (Way::Tls, "tls-close-notify\nfin")] {
        let leave = format!("h2-goaway enhance_your_calm\n{end}");
        let steps = format!("read-request\n{leave}");
        check_on(&[way], "before the head", &steps, (Connect, 9, asks), false).await;
        let steps = format!("{HEAD}{TEXT}gate\n{leave}");
        check_on(&[way], "in the body", &steps, (Truncated, 9, asks), true).await;
    }
}

/// Row 48: not as soon as after a cut.
#[tokio::test]
async fn a_service_that_asks_for_calm_is_given_some() {
    for (reason, least) in [("internal_error", Duration::ZERO), ("enhance_your_calm", Duration::from_secs(2))] {
        let steps = format!("{HEAD}{TEXT}gate\nh2-rst-stream {reason}\nhold");
        let service = Service::playing(Way::PriorKnowledge, &[steps]).await;
        let client = Client::builder(Provider::new(&service.base_url()).unwrap())
            .retry(RetryPolicy::new().with_jitter(Jitter::None));
        let mut stream = ask(&service.reached_by(client));
        let mut tap = service.tap();
        let retry = loop {
            if let Some(TurnEvent::Retry(retry)) = soon(tap.try_next(&mut stream)).await.unwrap() {
                break retry;
            }
        };
        assert!(retry.delay >= least, "{reason}: {:?}", retry.delay);
        let code = (!least.is_zero()).then_some("ENHANCE_YOUR_CALM");
        assert_eq!((retry.reason, retry.code.as_deref()), (Truncated, code));
        assert!(least > Duration::ZERO || retry.delay <= Duration::from_secs(1), "{reason}: {:?}", retry.delay);
    }
}

/// Row 49.
#[tokio::test]
async fn a_stream_goes_on_behind_goaway_and_the_next_one_is_on_another_connection() {
    let twice = format!("repeat 2\n{HEAD}{TEXT}{COMPLETED}end\nhold");
    let leaving = format!("{HEAD}{TEXT}h2-goaway no_error\ngate\n{TEXT}{COMPLETED}hold");
    for way in WAYS {
        for (first, texts, connections) in [(&twice, 1, [0, 0]), (&leaving, 2, [0, 1])] {
            let service = Service::playing(way, &[first.clone(), whole()]).await;
            let client = service.client();
            let session = client.session();
            for texts in [texts, 1] {
                let (events, error) = tapped(&service, session.begin_turn().stream(Request::new("m").user("Hi"))).await;
                assert!(error.is_none(), "{way:?}: {error:?}");
                assert_eq!((text(&events), retries(&events)), (texts, vec![]), "{way:?}");
            }
            assert_eq!(service.connections(), connections, "{way:?}");
        }
    }
}

async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// The service waits at its gate, and the task of the connection has moved what it has sent.
async fn settled(tap: &Tap) {
    soon(tap.arrived()).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// The clients that have nothing to read get their turns, and look at their timers.
async fn nothing_comes(stream: &mut TurnStream) {
    for _ in 0..100 {
        tokio::select! {
            biased;
            item = stream.try_next() => panic!("{item:?}"),
            () = tokio::task::yield_now() => {}
        }
    }
}

const QUIET: Duration = Duration::from_millis(20_001);

/// Row 50: the service is gone without a word.
#[tokio::test]
async fn a_connection_without_an_answer_to_a_ping_is_given_up() {
    for way in WAYS {
        let silent = format!("{HEAD}{TEXT}h2-ignore-pings\ngate\nh2-read ping\ngate\nhold");
        let service = Service::playing(way, &[silent, whole()]).await;
        // The default deadlines: 300 s without a byte.
        let client = service.reached_by(impatient(&service.base_url()));
        let mut stream = ask(&client);
        while !matches!(soon(stream.try_next()).await.unwrap(), Some(TurnEvent::TextDelta(_))) {}
        let mut tap = service.tap();
        tokio::select! {
            biased;
            item = stream.try_next() => panic!("{item:?}"),
            () = tap.arrived() => tap.release(),
        }
        nothing_comes(&mut stream).await;
        pass(QUIET).await;
        // The PING has come.
        tokio::select! {
            biased;
            item = stream.try_next() => panic!("{item:?}"),
            () = soon(tap.arrived()) => {}
        }
        nothing_comes(&mut stream).await;
        pass(QUIET).await;
        let item = soon(stream.try_next()).await.unwrap();
        let Some(TurnEvent::Retry(retry)) = item else { panic!("{item:?}") };
        assert_eq!((retry.reason, retry.discarded, retry.attempt), (Timeout, true, 2));
        assert!(retry.message.contains("PING"), "{}", retry.message);
        tap.release();
        let (events, error) = soon(drain(stream)).await;
        assert!(error.is_none(), "{error:?}");
        assert_eq!((text(&events), service.connections()), (1, vec![0, 1]));
        // Nothing of the dead connection is kept.
        soon(service.server.wait_for_disconnects(1)).await;
    }
}

/// Row 50, the control: who answers pings is there, up to the deadline for silence.
#[tokio::test]
async fn a_connection_that_answers_pings_is_kept_until_it_is_idle_for_too_long() {
    for way in WAYS {
        let service = Service::playing(way, &[format!("{HEAD}{TEXT}gate\nhold")]).await;
        let once = impatient(&service.base_url()).retry(RetryPolicy::new().with_max_attempts(1));
        let mut stream = ask(&service.reached_by(once));
        while !matches!(soon(stream.try_next()).await.unwrap(), Some(TurnEvent::TextDelta(_))) {}
        let mut passed = Duration::ZERO;
        let error = loop {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            tokio::select! {
                biased;
                item = stream.try_next() => match item {
                    Err(error) => break error,
                    item => panic!("{item:?}"),
                },
                () = std::future::ready(()) => {
                    passed += Duration::from_secs(10);
                    pass(Duration::from_secs(10)).await;
                }
            }
        };
        assert_eq!((error.kind(), error.phase()), (Timeout, Phase::Streaming), "{way:?}: {error:?}");
        assert!(passed >= Duration::from_secs(300) && passed <= Duration::from_secs(320), "{way:?}: {passed:?}");
    }
}

/// Row 38: what is silent may be the connection, so the next attempt gets another one.
#[tokio::test]
async fn a_silent_stream_costs_its_connection_further_requests() {
    let limit = Duration::from_secs(10);
    let timeouts = Timeouts { head: Some(limit), first_event: Some(limit), idle: Some(limit), ..Timeouts::default() };
    for way in WAYS {
        for (name, silent, discarded) in [
            ("before the head", "read-request\ngate\nhold".to_owned(), false),
            ("before the first event", format!("{HEAD}gate\nhold"), false),
            ("between events", format!("{HEAD}{TEXT}gate\nhold"), true),
            (
                "inside a document",
                format!("{}h2-data \"{{\"\ngate\nhold", HEAD.replace("text/event-stream", "application/json")),
                false,
            ),
        ] {
            let service = Service::playing(way, &[silent, whole()]).await;
            let client = service.reached_by(impatient(&service.base_url()).timeouts(timeouts));
            let (mut stream, tap) = (ask(&client), service.tap());
            let retry = loop {
                tokio::select! {
                    biased;
                    item = stream.try_next() => if let Some(TurnEvent::Retry(retry)) = item.unwrap() {
                        break retry;
                    },
                    () = settled(&tap) => pass(limit + Duration::from_millis(1)).await,
                }
            };
            assert_eq!((retry.reason, retry.discarded), (Timeout, discarded), "{name}, {way:?}: {retry:?}");
            let (events, error) = soon(drain(stream)).await;
            assert!(error.is_none(), "{name}, {way:?}: {error:?}");
            assert_eq!((text(&events), retries(&events)), (1, vec![]), "{name}, {way:?}");
            assert_eq!(service.connections(), [0, 1], "{name}, {way:?}");
        }
    }
}

/// Row 55: the stream alone is taken back, and others go on.
#[tokio::test]
async fn a_dropped_stream_is_reset_and_its_connection_kept() {
    for way in WAYS {
        let steps = format!("{HEAD}{TEXT}h2-read rst_stream\n{HEAD}{TEXT}{COMPLETED}hold");
        let service = Service::playing(way, &[steps]).await;
        let session = service.client().session();
        let mut stream = session.begin_turn().stream(Request::new("m").user("Hi"));
        while !matches!(soon(stream.try_next()).await.unwrap(), Some(TurnEvent::TextDelta(_))) {}
        drop(stream);
        let (events, error) = soon(drain(session.begin_turn().stream(Request::new("m").user("Hi")))).await;
        assert!(error.is_none(), "{way:?}: {error:?}");
        assert_eq!((text(&events), service.connections()), (1, vec![0, 0]), "{way:?}");
    }
}

/// Rows 61 and 68: what ends an answer ends it at once, in any pieces, although its stream stays open; the connection
/// serves the next request, which sends the turn's state where it is of the same turn.
#[tokio::test]
async fn an_answer_ends_before_its_stream_does() {
    let failed = r#"{"type":"response.failed","response":{"error":{"code":"invalid_prompt","message":"No."}}}"#;
    let completed = r#"{"type":"response.completed","response":{"id":"r"}}"#;
    let error = r#"{"error":{"code":"invalid_prompt","message":"No."}}"#;
    let chunk = r#"{"id":"c","choices":[{"index":0,"delta":{"content":"Hi"}}]}"#;
    let marked = HEAD.trim_end().to_owned() + " \"x-codex-turn-state: ts-1\"\n";
    for (way, wire, body, code) in WAYS.into_iter().flat_map(|way| {
        [
            (way, Wire::Responses, format!("data: {failed}\n\n"), Some("invalid_prompt")),
            (way, Wire::Responses, format!("\u{feff}: ok\r\rdata: {failed}\r"), Some("invalid_prompt")),
            (way, Wire::Responses, format!("data: {completed}\r\n"), None),
            (way, Wire::Chat, format!("data: {chunk}\n\ndata: [DONE]\n\n"), None),
            (way, Wire::Chat, format!("data: {chunk}\r\r: ok\rdata: DONE\r"), None),
            (way, Wire::Chat, format!("data: {error}\n"), Some("invalid_prompt")),
        ]
    }) {
        for length in [1, body.len()] {
            let pieces = body.as_bytes().chunks(length);
            let pieces = pieces.map(|piece| format!("h2-data \"{}\"\n", piece.escape_ascii()));
            let pieces = pieces.collect::<Vec<_>>().concat();
            let name = format!("{way:?}: {pieces}");
            let steps = format!("{marked}{pieces}{marked}{pieces}{HEAD}{pieces}hold");
            let service = Service::playing(way, &[steps]).await;
            let client = service.reached_by(impatient(&service.base_url()).wire(wire));
            let session = client.session();
            let turn = session.begin_turn();
            for turn in [&turn, &turn, &session.begin_turn()] {
                let (events, error) = soon(drain(turn.stream(Request::new("m").user("Hi")))).await;
                assert_eq!(error.as_ref().and_then(Error::code), code, "{name}");
                assert_eq!(events.iter().filter(|event| event.is_terminal()).count(), usize::from(code.is_none()));
                let items = events.iter().filter(|event| matches!(event, TurnEvent::ItemDone(_))).count();
                assert_eq!(items, usize::from(wire == Wire::Chat && code.is_none()), "{name}");
            }
            let requests = service.server.requests();
            let states: Vec<_> = requests.iter().map(|request| request.header("x-codex-turn-state")).collect();
            assert_eq!(states, [None, Some("ts-1"), None], "{name}");
            assert_eq!(service.connections(), [0, 0, 0], "{name}");
        }
    }
}
