//! What a service can do to a client over HTTP/1.1 beyond the rows of `docs/faults.md`: heads, framing and
//! headers that are barely what they should be, or just not.

mod support;

use codex_api::FailureKind::{Api, Protocol, Proxy, Status, TooLarge, Truncated};
use codex_api::{ProxyUrl, Request, TurnEvent};
use stream_replay::{FaultScript, ReplayServer, Response};
use support::faults::{Bound, COMPLETED, Ends, TEXT, always, answer, check_all, never, once, send, step, stream};
use support::{Tap, drain, impatient, playing, soon};

/// The header that makes an event stream.
const KIND: &str = "content-type: text/event-stream\r\n";

fn body() -> String {
    format!("data: {TEXT}\n\ndata: {COMPLETED}\n\n")
}

/// These bytes and the end of the connection.
fn raw(bytes: &str) -> String {
    format!("{}fin", send(bytes))
}

/// A status line and these headers, then an event stream up to the end of the connection.
fn answered(status_line: &str, headers: &str) -> String {
    raw(&format!("{status_line}\r\n{headers}\r\n{}", body()))
}

async fn check_ended(rows: impl IntoIterator<Item = (&'static str, String, Ends)>) {
    check_all(rows.into_iter().map(|(name, script, ends)| (name, script, ends, Bound::Ended))).await;
}

#[tokio::test]
async fn heads_that_are_odd_are_read_and_those_that_are_none_are_not() {
    let ok = |line: &str| answered(line, KIND);
    let with = |header: &str| answered("HTTP/1.1 200 OK", &format!("{header}\r\n{KIND}"));
    let invalid = || once(Protocol, "did not answer with valid HTTP");
    check_ended([
        ("HTTP/1.0", ok("HTTP/1.0 200 OK"), answer("Hé")),
        ("no reason phrase", ok("HTTP/1.1 200"), answer("Hé")),
        ("an empty reason phrase", ok("HTTP/1.1 200 "), answer("Hé")),
        ("a reason phrase that is not ASCII", ok("HTTP/1.1 200 Größe"), answer("Hé")),
        ("empty lines first", ok("\r\n\r\nHTTP/1.1 200 OK"), answer("Hé")),
        ("lines that end with a newline alone", raw(&format!("HTTP/1.1 200 OK\n\n{}", body())), answer("Hé")),
        ("other successes", ok("HTTP/1.1 202 Accepted"), answer("Hé")),
        ("a folded header", with("x-a: 1\r\n 2"), answer("Hé")),
        (
            "a folded content type",
            answered("HTTP/1.1 200 OK", "content-type: text/\r\n event-stream\r\n"),
            answer("Hé"),
        ),
        ("NUL in a header", with("x-a: 1\u{0}2"), invalid()),
        ("CR in a header", with("x-a: 1\r2"), invalid()),
        ("a version of lower case", ok("http/1.1 200 OK"), invalid()),
        ("HTTP/3", ok("HTTP/3 200 OK"), invalid()),
        ("a status of two digits", ok("HTTP/1.1 99 x"), invalid()),
        ("a status below all others", ok("HTTP/1.1 099 x"), invalid()),
        ("a status of four digits", ok("HTTP/1.1 1000 x"), invalid()),
        (
            "a status that nobody knows",
            raw("HTTP/1.1 999 x\r\ncontent-length: 4\r\n\r\noops"),
            Ends::Fails {
                kind: Status,
                code: None,
                retryable: true,
                requests: 3,
                message: "HTTP 999 unnamed status: oops",
            },
        ),
        (
            "a switch of protocols",
            answered("HTTP/1.1 101 x", "upgrade: websocket\r\nconnection: upgrade\r\n"),
            once(Protocol, "switched protocols without being asked to"),
        ),
        (
            "not modified",
            raw("HTTP/1.1 304 x\r\nlocation: /v2\r\n\r\n"),
            once(Protocol, "HTTP 304 Not Modified is no answer to this request"),
        ),
        (
            "choices without a place",
            raw("HTTP/1.1 300 x\r\ncontent-length: 5\r\n\r\nA, B."),
            once(Protocol, "HTTP 300 Multiple Choices is no answer to this request: A, B."),
        ),
        (
            "a redirect without a place",
            raw("HTTP/1.1 308 x\r\ncontent-length: 0\r\n\r\n"),
            once(Protocol, "HTTP 308 Permanent Redirect is no answer to this request"),
        ),
        (
            "a redirect that nobody knows",
            raw("HTTP/1.1 306 x\r\ncontent-length: 0\r\n\r\n"),
            once(Protocol, "HTTP 306 unnamed status is no answer to this request"),
        ),
        (
            "a redirect with an error",
            raw("HTTP/1.1 302 x\r\ncontent-length: 36\r\n\r\n{\"error\":{\"code\":\"x\",\"message\":\"m\"}}"),
            Ends::Fails { kind: Api, code: Some("x"), retryable: false, requests: 1, message: "m" },
        ),
    ])
    .await;
    let endless = [
        ("empty lines without end", "repeat forever send \"\\r\\n\" * 1000"),
        ("a reason phrase without end", "send \"HTTP/1.1 200 \"\nrepeat forever send \"x\" * 1000"),
    ];
    check_all(
        endless
            .map(|(name, script)| (name, script.to_owned(), never(TooLarge, "is larger than 64 KiB"), Bound::LetsGo)),
    )
    .await;
}

#[tokio::test]
async fn lengths_that_contradict_themselves_are_refused() {
    let length = body().len();
    let framed = |headers: &str| answered("HTTP/1.1 200 OK", &format!("{KIND}{headers}"));
    let chunked = |version: &str, headers: &str| {
        raw(&format!("{version} 200 OK\r\n{KIND}{headers}\r\n{length:x}\r\n{}\r\n0\r\n\r\n", body()))
    };
    let invalid = || once(Protocol, "did not answer with valid HTTP");
    check_ended([
        (
            "the same length twice",
            framed(&format!("content-length: {length}\r\ncontent-length: {length}\r\n")),
            answer("Hé"),
        ),
        ("the same length in a list", framed(&format!("content-length: {length}, {length}\r\n")), answer("Hé")),
        ("two lengths", framed(&format!("content-length: {length}\r\ncontent-length: 3\r\n")), invalid()),
        ("a length with a sign", framed(&format!("content-length: +{length}\r\n")), invalid()),
        ("a length below zero", framed("content-length: -1\r\n"), invalid()),
        ("a length above all numbers", framed("content-length: 18446744073709551616\r\n"), invalid()),
        ("no length", framed("content-length: \r\n"), invalid()),
        (
            "chunked twice",
            chunked("HTTP/1.1", "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n"),
            answer("Hé"),
        ),
        ("identity", framed("transfer-encoding: identity\r\n"), answer("Hé")),
        (
            "more than there are headers for",
            framed("content-length: 18446744073709551615\r\n"),
            never(TooLarge, "has more than 100 headers, or a content-length that no body can have"),
        ),
        (
            "a transfer coding that nobody asked for",
            chunked("HTTP/1.1", "transfer-encoding: GZip, chunked\r\n"),
            once(Protocol, "in the transfer coding \"gzip\", which was not asked for"),
        ),
        ("no encoding, twice", framed("content-encoding: identity, Identity\r\n"), answer("Hé")),
        (
            "an encoding behind none",
            framed("content-encoding: identity\r\ncontent-encoding: odd\r\n"),
            never(Protocol, "is encoded as \"odd\", which was not asked for"),
        ),
        (
            "a long name of a transfer coding",
            chunked("HTTP/1.1", &format!("transfer-encoding: {}\r\n", "x".repeat(20_000))),
            once(Protocol, "in the transfer coding \"xxxxxx"),
        ),
        (
            "a transfer coding of a refusal",
            raw("HTTP/1.1 404 x\r\ntransfer-encoding: gzip\r\n\r\nrubbish"),
            never(Status, "HTTP 404 Not Found at "),
        ),
        ("chunked in HTTP/1.0", chunked("HTTP/1.0", "transfer-encoding: chunked\r\n"), invalid()),
    ])
    .await;
}

#[tokio::test]
async fn chunks_and_trailers_have_limits() {
    let rest = || step("chunk", format!("\n\ndata: {COMPLETED}\n\n"));
    let after = |chunk: &str, then: &str| stream([TEXT], &format!("{}{}{then}", send(chunk), rest()));
    let malformed = || once(Protocol, "sent a malformed response body");
    check_all([
        ("chunk extensions", after("1;a=\"b\";c\r\n:\r\n", "hold"), answer("Hé"), Bound::LetsGo),
        (
            "long chunk extensions",
            after(&format!("1;{}\r\n:\r\n", "e".repeat(10_000)), "hold"),
            answer("Hé"),
            Bound::LetsGo,
        ),
        (
            "chunk extensions without end",
            stream([TEXT], "send \"1;\"\nrepeat forever send \"e\" * 4096"),
            malformed(),
            Bound::LetsGo,
        ),
        ("zeros before a size", after(&format!("{}1\r\n:\r\n", "0".repeat(100)), "hold"), answer("Hé"), Bound::LetsGo),
        ("trailers", stream([TEXT, COMPLETED], "send \"0\\r\\nx: y\\r\\n\\r\\n\"\nfin"), answer("Hé"), Bound::Ended),
        (
            "trailers without the terminal event",
            stream([TEXT], "send \"0\\r\\nx: y\\r\\n\\r\\n\"\nfin"),
            always(Truncated, "the stream ended before a terminal event"),
            Bound::Ended,
        ),
        (
            "trailers without end",
            stream([TEXT], "send \"0\\r\\n\"\nrepeat forever send \"x: y\\r\\n\" * 100"),
            malformed(),
            Bound::LetsGo,
        ),
        (
            "a trailer without end",
            stream([TEXT], "send \"0\\r\\nx: \"\nrepeat forever send \"x\" * 1000"),
            malformed(),
            Bound::LetsGo,
        ),
        (
            "trailers without end behind the terminal event",
            stream([TEXT, COMPLETED], "send \"0\\r\\n\"\nrepeat forever send \"x: y\\r\\n\" * 100"),
            answer("Hé"),
            Bound::LetsGo,
        ),
    ])
    .await;
}

#[tokio::test]
async fn answers_without_content_say_so() {
    let empty = |status: &str, headers: &str| raw(&format!("HTTP/1.1 {status}\r\n{headers}\r\n"));
    check_ended([
        (
            "an empty stream",
            empty("200 OK", &format!("{KIND}content-length: 0\r\n")),
            always(Truncated, "the answer ended without a single event (HTTP 200, text/event-stream)"),
        ),
        (
            "nothing at all",
            empty("200 OK", "content-length: 0\r\n"),
            always(Truncated, "the answer ended without a single event (HTTP 200, no content type)"),
        ),
        (
            "no content",
            empty("204 No Content", ""),
            once(Protocol, "not an API answer: HTTP 204 with no content type and an empty body"),
        ),
        (
            "a byte order mark",
            raw(&format!("HTTP/1.1 200 OK\r\n{KIND}\r\n\u{feff}")),
            always(Truncated, "the answer ended without a single event (HTTP 200, text/event-stream)"),
        ),
        (
            "an empty page",
            empty("200 OK", "content-type: text/html\r\ncontent-length: 0\r\n"),
            once(Protocol, "not an API answer: HTTP 200 with text/html and an empty body"),
        ),
        (
            "an empty document",
            empty("200 OK", "content-type: application/json\r\ncontent-length: 0\r\n"),
            once(Protocol, "not an API answer: HTTP 200 with application/json and an empty body"),
        ),
    ])
    .await;
}

/// A message is a sentence: `check` measures it.
#[tokio::test]
async fn headers_of_any_length_are_quoted_in_part() {
    let long = "y".repeat(20_000);
    let head = |status: u16, header: &str, body: &str| raw(&format!("HTTP/1.1 {status} x\r\n{header}\r\n\r\n{body}"));
    check_ended([
        (
            "a content type",
            head(200, &format!("content-type: text/html; {long}"), "<p>Hi"),
            once(Protocol, "not an API answer: HTTP 200 with text/html; yyyyyy"),
        ),
        (
            "that of an empty answer",
            head(200, &format!("content-type: text/plain; {long}"), ""),
            always(Truncated, "the answer ended without a single event (HTTP 200, text/plain; yyyyyy"),
        ),
        (
            "a content encoding",
            head(200, &format!("content-encoding: {long}"), ""),
            never(Protocol, "…\", which was not asked for"),
        ),
        (
            "that of a refusal",
            head(404, &format!("content-encoding: {long}"), ""),
            never(Status, "…\", which was not asked for"),
        ),
        (
            "a redirect",
            head(302, &format!("location: https://other.example/{long}"), ""),
            never(Protocol, "HTTP 302 redirects to https://other.example/yyyyyy"),
        ),
        (
            "a title",
            head(200, "content-type: text/html", &format!("<title>{long}</title>")),
            once(Protocol, "not an API answer: HTTP 200 with text/html: yyyyyy"),
        ),
        (
            "a reason phrase",
            raw(&format!("HTTP/1.1 500 {long}\r\ncontent-length: 0\r\n\r\n")),
            always(Status, "HTTP 500 Internal Server Error"),
        ),
    ])
    .await;
    // The same of a proxy.
    let refusal = format!("read-head\nsend \"HTTP/1.1 502 {long}\\r\\n\\r\\n{long}\"\nfin");
    let server = ReplayServer::builder().fault(FaultScript::parse(&refusal).unwrap()).start().await.unwrap();
    let proxy: ProxyUrl = format!("http://{}", server.addr()).parse().unwrap();
    let client = impatient("https://localhost/v1").proxy(proxy).build().unwrap();
    let (_, error) = soon(drain(client.session().begin_turn().stream(Request::new("m")))).await;
    let error = error.expect("a failure");
    assert_eq!((error.kind(), error.attempts()), (Proxy, 9), "{error:?}");
    assert!(error.message().chars().count() < 500, "{}", error.message().len());
}

#[tokio::test]
async fn redirects_that_lead_nowhere_are_not_followed() {
    for location in ["javascript:alert(1)", "mailto:me@host.example", "", "/caf\\xe9", "//other.example/"] {
        let script =
            format!("send \"HTTP/1.1 307 x\\r\\nlocation: {location}\\r\\ncontent-length: 0\\r\\n\\r\\n\"\nfin");
        check_ended([("a redirect", script, never(Protocol, "which is not followed"))]).await;
    }
}

#[tokio::test]
async fn waits_that_nobody_can_mean_are_none() {
    for header in [
        "retry-after: 99999999999999999999999999",
        "retry-after: 18446744073709551615",
        "retry-after: Fri, 31 Dec 9999 23:59:59 GMT",
        "retry-after: -99999999999999",
        "retry-after: 0x10",
        "retry-after: 5,6",
        "retry-after: ",
        "retry-after-ms: -1",
        "retry-after-ms: nan",
    ] {
        let script = raw(&format!("HTTP/1.1 503 x\r\n{header}\r\ncontent-length: 0\r\n\r\n"));
        check_ended([("a hint", script, always(Status, "HTTP 503 Service Unavailable"))]).await;
    }
    let fields = "retry: 99999999999999999999999\nretry: -1\nretry: soon\nretry:\n\n";
    let script = raw(&format!("HTTP/1.1 200 OK\r\n{KIND}\r\n{fields}{}", body()));
    check_ended([("fields", script, answer("Hé"))]).await;
}

/// An answer that nobody asked for, sent behind the one before: it must not be taken for that of the next request.
#[tokio::test]
async fn surplus_bytes_are_no_answer_to_the_next_request() {
    let framed = |body: &str| format!("HTTP/1.1 200 OK\r\n{KIND}content-length: {}\r\n\r\n{body}", body.len());
    let (honest, forged) = (framed(&body()), framed(&body().replace("Hé", "forged")));
    let script = format!("connection 1:\n{}hold\nconnection 2:\n{}hold", send(honest.clone() + &forged), send(honest));
    let server = playing([Response::fault(FaultScript::parse(&script).unwrap())]).await;
    let session = impatient(&server.base_url()).build().unwrap().session();
    for _ in 0..2 {
        let (events, error) = soon(drain(session.begin_turn().stream(Request::new("m").user("Hi")))).await;
        assert!(error.is_none(), "{error:?}");
        assert!(events.iter().any(|event| matches!(event, TurnEvent::TextDelta(delta) if delta.text == "Hé")));
        // What is surplus arrives.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(server.requests().len(), 2);
}

/// A refusal that comes while the request is still on its way, and the end of the connection right behind it.
#[tokio::test]
async fn an_early_refusal_is_read_although_nobody_takes_the_request() {
    for end in ["fin", "hold", "gate\nrst"] {
        let refusal = "HTTP/1.1 413 x\\r\\ncontent-length: 4\\r\\nconnection: close\\r\\n\\r\\noops";
        let script = FaultScript::parse(&format!("read-head\nsend \"{refusal}\"\n{end}")).unwrap();
        let server = ReplayServer::builder().fault(script.clone()).start().await.unwrap();
        let client = impatient(&server.base_url()).build().unwrap();
        let mut stream = client.session().begin_turn().stream(Request::new("m").user("x".repeat(8 << 20)));
        let mut tap = Tap::new(script.gate());
        let error = loop {
            if let Err(error) = soon(tap.try_next(&mut stream)).await {
                break error;
            }
        };
        assert_eq!((error.kind(), error.status(), error.attempts()), (Status, Some(413), 1), "{end}: {error:?}");
        assert!(error.message().ends_with(": oops"), "{end}: {error:?}");
        assert_eq!(server.requests().len(), 1);
    }
}
