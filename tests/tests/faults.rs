//! Everything that can go wrong on HTTP/1.1, and what the caller of a whole client sees of it. `docs/faults.md` says
//! what was decided for each row; the names here begin with the numbers there.

mod support;

use codex_api::FailureKind::{Api, Connect, Protocol, Status, TooLarge, Truncated};
use codex_api::{FailureKind, Request, TurnEvent, Wire};
use stream_replay::{FaultScript, Response};
use support::{Tap, impatient, playing, soon};

/// The steps that begin an event stream.
const SSE: &str = "head 200 \"content-type: text/event-stream\" \"transfer-encoding: chunked\"\n";
const CREATED: &str = "{\"type\":\"response.created\",\"response\":{\"id\":\"r\"}}";
const TEXT: &str = "{\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"Hé\"}";
const COMPLETED: &str = "{\"type\":\"response.completed\",\"response\":{\"id\":\"r\"}}";
const FLAGGED: &str = "{\"type\":\"response.failed\",\"response\":{\"id\":\"r\",\"error\":{\"code\":\"invalid_prompt\",\"message\":\"No.\"}}}";

const CHAT_TEXT: &str = "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"DONE\"}}]}";
const CHAT_STOP: &str = "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}";

/// How a request ends.
#[derive(Debug)]
enum Ends {
    /// With an answer: its text, and how many events were not understood.
    Answer { text: &'static str, unknown: u64, malformed: u64 },
    /// Incomplete, for this reason.
    Incomplete(&'static str),
    /// With an error.
    Fails {
        kind: FailureKind,
        code: Option<&'static str>,
        retryable: bool,
        /// Which are the attempts, too.
        requests: usize,
        /// A part of the message.
        message: &'static str,
    },
}

/// What else holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    /// The service ended the connection itself.
    Ended,
    /// The service goes on, or holds the connection: the client is done all the same, and lets go of it.
    LetsGo,
}

/// A fault: what is sent in answer to every request, and what comes of it.
struct Row {
    name: &'static str,
    wire: Wire,
    script: String,
    ends: Ends,
    bound: Bound,
}

fn answer(text: &'static str) -> Ends {
    Ends::Answer { text, unknown: 0, malformed: 0 }
}

/// Nothing helps.
fn never(kind: FailureKind, message: &'static str) -> Ends {
    Ends::Fails { kind, code: None, retryable: false, requests: 1, message }
}

/// One more try may help.
fn once(kind: FailureKind, message: &'static str) -> Ends {
    Ends::Fails { kind, code: None, retryable: true, requests: 2, message }
}

/// It is tried as often as attempts are allowed.
fn always(kind: FailureKind, message: &'static str) -> Ends {
    Ends::Fails { kind, code: None, retryable: true, requests: 9, message }
}

/// A step that sends these bytes.
fn send(bytes: impl AsRef<[u8]>) -> String {
    let nothing = bytes.as_ref().is_empty();
    if nothing { String::new() } else { step("send", bytes) }
}

fn step(name: &str, bytes: impl AsRef<[u8]>) -> String {
    let text = bytes.as_ref().escape_ascii().to_string();
    format!("{name} \"{}\"\n", text.replace("\\'", "'"))
}

/// A step that sends these payloads, an event and a chunk each.
fn events<'a>(payloads: impl IntoIterator<Item = &'a str>) -> String {
    payloads.into_iter().map(|payload| step("chunk", format!("data: {payload}\n\n"))).collect()
}

/// An event stream with these payloads, and how it goes on.
fn stream<'a>(payloads: impl IntoIterator<Item = &'a str>, then: &str) -> String {
    format!("{SSE}{}{then}", events(payloads))
}

/// These bytes one by one, each read before the next is sent.
fn drop_by_drop(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| send([*byte]) + "gate\n").collect()
}

async fn check(row: Row) {
    let Row { name, wire, script, ends, bound } = row;
    let script = FaultScript::parse(&script).unwrap_or_else(|error| panic!("{name}: {error}"));
    let server = playing([Response::fault(script.clone())]).await;
    let client = impatient(&server.base_url()).wire(wire).build().unwrap();
    let mut stream = client.session().begin_turn().stream(Request::new("m").user("Hi"));
    let mut tap = Tap::new(script.gate());
    let mut text = String::new();
    let mut last = None;
    let error = loop {
        match soon(tap.try_next(&mut stream)).await {
            Ok(Some(TurnEvent::Request(_))) => text.clear(),
            Ok(Some(TurnEvent::TextDelta(delta))) => text.push_str(&delta.text),
            Ok(Some(event)) => {
                assert!(!last.as_ref().is_some_and(TurnEvent::is_terminal), "{name}: {event:?} behind the end");
                last = Some(event);
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    assert!(matches!(stream.try_next().await, Ok(None)), "{name}: a stream ends once");
    let expected = format!("{name}: {error:?}, {last:?}");
    match ends {
        Ends::Answer { text: whole, unknown, malformed } => {
            assert!(error.is_none() && matches!(last, Some(TurnEvent::Completed(_))), "{expected}");
            assert_eq!((text.as_str(), server.requests().len()), (whole, 1), "{expected}");
            let ledger = stream.ledger();
            assert_eq!((ledger.unknown, ledger.malformed), (unknown, malformed), "{expected}");
        }
        Ends::Incomplete(reason) => {
            let Some(TurnEvent::Incomplete(incomplete)) = last else { panic!("{expected}") };
            assert_eq!((incomplete.reason.as_str(), error.is_none()), (reason, true), "{name}");
        }
        Ends::Fails { kind, code, retryable, requests, message } => {
            let Some(error) = error else { panic!("{expected}") };
            assert!(!last.is_some_and(|last| last.is_terminal()), "{expected}");
            assert_eq!((error.kind(), error.code(), error.is_retryable()), (kind, code, retryable), "{expected}");
            assert_eq!((error.attempts() as usize, server.requests().len()), (requests, requests), "{expected}");
            assert!(error.message().contains(message), "{expected}");
            support::assert_portable(&error);
            assert!(error.message().chars().count() < 500, "{name}: a message is a sentence");
        }
    }
    if bound == Bound::LetsGo {
        // The stream, which is done, is still there.
        soon(server.wait_for_disconnects(server.requests().len())).await;
    }
}

async fn check_all(rows: impl IntoIterator<Item = (&'static str, String, Ends, Bound)>) {
    for (name, script, ends, bound) in rows {
        check(Row { name, wire: Wire::Responses, script, ends, bound }).await;
    }
}

#[tokio::test]
async fn heads() {
    let ok = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let body = format!("data: {TEXT}\n\ndata: {COMPLETED}\n\n");
    let silent = |interim: &str| format!("{interim}{}fin", send(format!("{ok}{body}")));
    check_all([
        ("16 RST", "rst".to_owned(), always(Connect, "closed the connection before it answered"), Bound::Ended),
        ("16 FIN", "fin".to_owned(), always(Connect, "closed the connection before it answered"), Bound::Ended),
        (
            "16 FIN inside the head",
            format!("{}fin", send(&ok[..30])),
            always(Connect, "closed the connection before it answered"),
            Bound::Ended,
        ),
        (
            "19 endless header",
            "send \"HTTP/1.1 200 OK\\r\\nx: \"\nrepeat forever send \"a\" * 4096".to_owned(),
            never(TooLarge, "is larger than 64 KiB"),
            Bound::LetsGo,
        ),
        (
            "19 endless headers",
            "send \"HTTP/1.1 200 OK\\r\\n\"\nrepeat forever send \"x: y\\r\\n\"".to_owned(),
            never(TooLarge, "is larger than 64 KiB or has more than 100 headers"),
            Bound::LetsGo,
        ),
        (
            "20 not HTTP",
            "send \"SSH-2.0-OpenSSH_9.6\\r\\n\"\nhold".to_owned(),
            once(Protocol, "did not answer with valid HTTP"),
            Bound::LetsGo,
        ),
        (
            "21 interim answers",
            silent("send \"HTTP/1.1 100 Continue\\r\\n\\r\\nHTTP/1.1 103 Early Hints\\r\\nlink: x\\r\\n\\r\\n\"\n"),
            answer("Hé"),
            Bound::Ended,
        ),
        (
            "21 32 interim answers",
            silent("repeat 32 send \"HTTP/1.1 103 Early Hints\\r\\n\\r\\n\"\n"),
            answer("Hé"),
            Bound::Ended,
        ),
        (
            "21 flood of interim answers",
            "repeat forever send \"HTTP/1.1 103 Early Hints\\r\\n\\r\\n\"".to_owned(),
            once(Protocol, "interim"),
            Bound::LetsGo,
        ),
        ("57 head and body byte by byte", drop_by_drop(format!("{ok}{body}")) + "hold", answer("Hé"), Bound::LetsGo),
    ])
    .await;
}

#[tokio::test]
async fn bodies() {
    let length = |length: usize, body: &str, then: &str| {
        format!("head 200 \"content-type: text/event-stream\" \"content-length: {length}\"\n{}{then}", send(body))
    };
    let text = format!("data: {TEXT}\n\n");
    let whole = format!("{text}data: {COMPLETED}\n\n");
    let both = format!(
        "head 200 \"content-length: 3\" \"transfer-encoding: chunked\"\n{}last-chunk\nfin",
        events([TEXT, COMPLETED])
    );
    check_all([
        (
            "41 no last chunk",
            stream([TEXT], "fin"),
            always(Truncated, "ended the response body too early"),
            Bound::Ended,
        ),
        (
            "42 FIN inside a chunk",
            stream([TEXT], "send \"ff\\r\\ndata: \"\nfin"),
            always(Truncated, "ended the response body too early"),
            Bound::Ended,
        ),
        (
            "42 RST inside a chunk",
            stream([TEXT], "send \"ff\\r\\ndata: \"\ngate\nrst"),
            always(Truncated, "ended the response body too early"),
            Bound::Ended,
        ),
        (
            "43 content-length too long",
            length(whole.len() + 9, &text, "fin"),
            always(Truncated, "ended the response body too early"),
            Bound::Ended,
        ),
        (
            "43 content-length too long, terminal event",
            length(whole.len() + 9, &whole, "hold"),
            answer("Hé"),
            Bound::LetsGo,
        ),
        (
            "44 content-length too short",
            length(text.len(), &whole, "fin"),
            always(Truncated, "the stream ended before a terminal event"),
            Bound::Ended,
        ),
        (
            "44 content-length inside an event",
            length(text.len() + 9, &whole, "fin"),
            always(Truncated, "the stream ended in the middle of an event"),
            Bound::Ended,
        ),
        (
            "45 bad chunk size",
            stream([TEXT], "send \"zz\\r\\n\"\nhold"),
            once(Protocol, "sent a malformed response body"),
            Bound::LetsGo,
        ),
        ("45 content-length and chunked", both, answer("Hé"), Bound::Ended),
        (
            "46 clean end",
            stream([CREATED, TEXT], "last-chunk\nfin"),
            always(Truncated, "the stream ended before a terminal event"),
            Bound::Ended,
        ),
        (
            "46 close without framing",
            format!("head 200 \"content-type: text/event-stream\"\n{}fin", send(&text)),
            always(Truncated, "the stream ended before a terminal event"),
            Bound::Ended,
        ),
        (
            "73 a retry field of 11 days",
            format!("{SSE}chunk \"retry: 1000000000\\n\\n\"\nlast-chunk\nfin"),
            always(Truncated, "the answer ended without a single event"),
            Bound::Ended,
        ),
    ])
    .await;
}

#[tokio::test]
async fn refusals() {
    let json = |status: u16, headers: &str, body: &str| {
        format!("head {status} \"content-length: {}\" {headers}\n{}serve", body.len(), send(body))
    };
    let plain = |status: u16, headers: &str| json(status, headers, "");
    let usage_limit = "{\"error\":{\"type\":\"usage_limit_reached\",\"message\":\"Spent.\",\"resets_at\":9999999999}}";
    let page = "<html><head><title>Log in</title>";
    let mut rows = vec![
        (
            "13 captive portal",
            json(200, "\"content-type: text/html\"", page),
            once(Protocol, "not an API answer: HTTP 200 with text/html: Log in"),
            Bound::Ended,
        ),
        (
            "13 captive portal that says so",
            json(511, "\"content-type: text/html\"", page),
            never(Status, "HTTP 511 Network Authentication Required: Log in"),
            Bound::Ended,
        ),
        (
            "37 unknown content-encoding",
            format!("head 200 \"content-encoding: odd\" \"transfer-encoding: chunked\"\n{}hold", events([COMPLETED])),
            never(Protocol, "\"odd\", which was not asked for"),
            Bound::LetsGo,
        ),
        (
            "37 unknown content-encoding of a refusal that may be tried again",
            format!("head 429 \"content-encoding: odd\" \"transfer-encoding: chunked\"\n{}hold", events([COMPLETED])),
            always(Status, "HTTP 429 Too Many Requests, with a body encoded as \"odd\", which was not asked for"),
            Bound::LetsGo,
        ),
        (
            "37 unknown content-encoding of a refusal",
            format!("head 404 \"content-encoding: odd\" \"transfer-encoding: chunked\"\n{}hold", events([COMPLETED])),
            never(Status, ", with a body encoded as \"odd\", which was not asked for"),
            Bound::LetsGo,
        ),
        ("26 429 without hint or code", plain(429, ""), always(Status, "HTTP 429 Too Many Requests"), Bound::Ended),
        (
            "27 usage limit",
            json(429, "", usage_limit),
            Ends::Fails {
                kind: Api,
                code: Some("usage_limit_reached"),
                retryable: false,
                requests: 1,
                message: "Spent.",
            },
            Bound::Ended,
        ),
        (
            "28 hint too far away",
            plain(429, "\"retry-after: 10800\""),
            Ends::Fails { kind: Status, code: None, retryable: true, requests: 1, message: "HTTP 429" },
            Bound::Ended,
        ),
        (
            "28 hint too far away, overloaded",
            plain(503, "\"retry-after: 10800\""),
            Ends::Fails { kind: Status, code: None, retryable: true, requests: 1, message: "HTTP 503" },
            Bound::Ended,
        ),
        (
            "31 endless error body",
            "head 500 \"transfer-encoding: chunked\"\nrepeat forever chunk \"nonsense \" * 500".to_owned(),
            always(Status, "HTTP 500 Internal Server Error: nonsense"),
            Bound::LetsGo,
        ),
        (
            "31 endless error body that must not be tried again",
            "head 400 \"transfer-encoding: chunked\"\nrepeat forever chunk \"nonsense \" * 500".to_owned(),
            never(Status, "HTTP 400 Bad Request: nonsense"),
            Bound::LetsGo,
        ),
        (
            "32 error body that is not UTF-8",
            "head 500 \"content-length: 5\"\nsend \"caf\\xe9!\"\nserve".to_owned(),
            always(Status, "HTTP 500 Internal Server Error: caf\u{fffd}!"),
            Bound::Ended,
        ),
        (
            "32 error body that is cut",
            "head 404 \"content-length: 99\"\nsend \"No such mod\"\nfin".to_owned(),
            never(Status, "/v1/responses: No such mod"),
            Bound::Ended,
        ),
    ];
    for hint in ["-1", "NaN", "1e308", "inf", "Sun, 06 Nov 1994 08:49:37 GMT", "soon"] {
        rows.push((
            "29 useless hint",
            plain(503, &format!("\"retry-after: {hint}\"")),
            always(Status, "HTTP 503"),
            Bound::Ended,
        ));
    }
    check_all(rows).await;
}

#[tokio::test]
async fn limits() {
    let prefix = format!("{SSE}{}", events([TEXT]));
    let giant = never(TooLarge, "event is larger than the limit of 33554432 bytes");
    let endless = never(TooLarge, "event is larger than the limit of 33554432 bytes");
    check_all([
        (
            "51 giant event",
            format!("{prefix}repeat forever chunk \"data: \" \"x\" * 60000 \"\\n\""),
            giant,
            Bound::LetsGo,
        ),
        (
            "52 endless line",
            format!("{prefix}chunk \"data: \"\nrepeat forever chunk \"x\" * 65536"),
            endless,
            Bound::LetsGo,
        ),
        (
            "53 a multitude of events in one chunk",
            format!("{prefix}chunk \"data: {{\\\"type\\\":\\\"x\\\"}}\\n\\n\" * 100000\n{}hold", events([COMPLETED])),
            Ends::Answer { text: "Hé", unknown: 100_000, malformed: 0 },
            Bound::LetsGo,
        ),
    ])
    .await;
}

#[tokio::test]
async fn events_of_the_responses_wire() {
    let odd = |unknown, malformed| Ends::Answer { text: "Hé", unknown, malformed };
    let flagged =
        || Ends::Fails { kind: Api, code: Some("invalid_prompt"), retryable: false, requests: 1, message: "No." };
    let no_code = "{\"type\":\"response.failed\",\"response\":{\"id\":\"r\",\"error\":null}}";
    let incomplete = "{\"type\":\"response.incomplete\",\"response\":{\"id\":\"r\",\"incomplete_details\":{\"reason\":\"max_output_tokens\"}}}";
    let completed_as = |fields: &str| format!("{{\"type\":\"response.completed\",\"response\":{{{fields}}}}}");
    let half_completed =
        completed_as("\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":\"content_filter\"}");
    let failed_completed =
        completed_as("\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"Oh.\"}");
    let numbered = |number: &str| format!("{},\"sequence_number\":{number}}}", &TEXT[..TEXT.len() - 1]);
    let (seven, three) = (numbered("7"), numbered("3"));
    let half = format!("{SSE}{}{}hold", step("chunk", b"data: {\"type\":\"\xc3\"}\n\n"), events([TEXT, COMPLETED]));
    let marked = format!("\u{feff}data: {TEXT}\r\n\r\ndata: {COMPLETED}\r\rdata: [DONE]\n\n");
    let split = format!("head 200 \"content-type: text/event-stream\"\n{}hold", drop_by_drop(&marked));
    check_all([
        ("56 invalid UTF-8", half, odd(0, 1), Bound::LetsGo),
        ("57 BOM, CRLF and characters cut anywhere", split, answer("Hé"), Bound::LetsGo),
        ("58 invalid JSON", stream(["{\"type\":", TEXT, "nonsense", COMPLETED], "hold"), odd(0, 2), Bound::LetsGo),
        (
            "58 invalid JSON in the terminal event",
            stream([TEXT, "{\"type\":\"response.completed\",\"response\":{\"id\":"], "hold"),
            odd(0, 1),
            Bound::LetsGo,
        ),
        (
            "59 unknown type",
            stream(["{\"type\":\"response.brand_new\"}", TEXT, COMPLETED], "hold"),
            odd(1, 0),
            Bound::LetsGo,
        ),
        ("60 invalid prompt", stream([CREATED, FLAGGED], "last-chunk\nfin"), flagged(), Bound::Ended),
        ("61 invalid prompt, held open", stream([CREATED, FLAGGED], "hold"), flagged(), Bound::LetsGo),
        (
            "62 failed without an error",
            stream([no_code], "hold"),
            Ends::Fails {
                kind: Api,
                code: None,
                retryable: true,
                requests: 3,
                message: "gave no reason for the failure of response r",
            },
            Bound::LetsGo,
        ),
        ("63 incomplete", stream([TEXT, incomplete], "hold"), Ends::Incomplete("max_output_tokens"), Bound::LetsGo),
        (
            "63 completed, and incomplete by its status",
            stream([TEXT, &half_completed], "hold"),
            Ends::Incomplete("content_filter"),
            Bound::LetsGo,
        ),
        (
            "63 completed, and failed by its status",
            stream([TEXT, &failed_completed], "hold"),
            Ends::Fails { kind: Api, code: Some("server_error"), retryable: true, requests: 1, message: "Oh." },
            Bound::LetsGo,
        ),
        ("64 completed twice", stream([TEXT, COMPLETED, COMPLETED], "hold"), answer("Hé"), Bound::LetsGo),
        ("64 failed behind completed", stream([TEXT, COMPLETED, FLAGGED], "hold"), answer("Hé"), Bound::LetsGo),
        ("64 completed behind failed", stream([FLAGGED, COMPLETED], "hold"), flagged(), Bound::LetsGo),
        (
            "65 endless events behind completed",
            stream([TEXT, COMPLETED], &format!("repeat forever {}", events([TEXT]))),
            answer("Hé"),
            Bound::LetsGo,
        ),
        ("66 completed, then RST", stream([TEXT, COMPLETED], "gate\nrst"), answer("Hé"), Bound::Ended),
        ("66 completed, then rubbish", stream([TEXT, COMPLETED], "send \"zz\\r\\n\"\nfin"), answer("Hé"), Bound::Ended),
        (
            "68 a sentinel is no end here",
            stream([TEXT, "[DONE]"], "last-chunk\nfin"),
            always(Truncated, "sentinel before a terminal event"),
            Bound::Ended,
        ),
        (
            "72 sequence numbers with gaps, repeated and backwards",
            stream([seven.as_str(), &three, &three, COMPLETED], "hold"),
            answer("HéHéHé"),
            Bound::LetsGo,
        ),
    ])
    .await;
}

/// An event stream whose last bytes are no event yet, and how it goes on.
fn unfinished(payload: &str, rest: &str, then: &str) -> String {
    format!("{}{}{then}", stream([payload], ""), step("chunk", rest))
}

#[tokio::test]
async fn last_events_without_their_blank_line() {
    let (clean, cut, held) = ("last-chunk\nfin", "fin", "hold");
    let flagged =
        || Ends::Fails { kind: Api, code: Some("invalid_prompt"), retryable: false, requests: 1, message: "No." };
    let discarded = || always(Truncated, "the stream ended in the middle of an event");
    let of = |data: &str| format!("data: {data}");
    let rows = [
        ("46 completed", of(COMPLETED), clean, answer("Hé"), Bound::Ended),
        ("46 completed, and a line end", of(COMPLETED) + "\n", clean, answer("Hé"), Bound::Ended),
        ("46 failed", of(FLAGGED), clean, flagged(), Bound::Ended),
        ("46 failed, but not its last byte", of(&FLAGGED[..FLAGGED.len() - 1]), clean, discarded(), Bound::Ended),
        ("46 text", of(TEXT), clean, discarded(), Bound::Ended),
        ("46 a sentinel that is none here", of("[DONE]"), clean, discarded(), Bound::Ended),
        ("42 completed, cut", of(COMPLETED), cut, always(Truncated, ""), Bound::Ended),
        ("61 failed and a line end, held open", of(FLAGGED) + "\n", held, flagged(), Bound::LetsGo),
        ("61 completed and a line end, held open", of(COMPLETED) + "\r", held, answer("Hé"), Bound::LetsGo),
    ];
    for (name, rest, then, ends, bound) in rows {
        check(Row { name, wire: Wire::Responses, script: unfinished(TEXT, &rest, then), ends, bound }).await;
    }
    let error = "{\"error\":{\"code\":\"invalid_prompt\",\"message\":\"No.\"}}";
    let rows = [
        ("68 [DONE]", of("[DONE]"), clean, answer("DONE"), Bound::Ended),
        ("68 DONE and a line end", of("DONE\n"), clean, answer("DONE"), Bound::Ended),
        ("68 [DONE] and a line end, held open", of("[DONE]\n"), held, answer("DONE"), Bound::LetsGo),
        ("68 DONE and a line end, held open", of("DONE\r"), held, answer("DONE"), Bound::LetsGo),
        ("68 [DONE], cut", of("[DONE]"), cut, always(Truncated, ""), Bound::Ended),
        ("46 error", of(error), clean, flagged(), Bound::Ended),
        ("61 error and a line end, held open", of(error) + "\n", held, flagged(), Bound::LetsGo),
        ("46 a finish reason", of(CHAT_STOP), clean, discarded(), Bound::Ended),
    ];
    for (name, rest, then, ends, bound) in rows {
        check(Row { name, wire: Wire::Chat, script: unfinished(CHAT_TEXT, &rest, then), ends, bound }).await;
    }
}

#[tokio::test]
async fn events_of_the_chat_wire() {
    let glued = format!("{CHAT_TEXT}DONE");
    let two_lines = format!("{CHAT_STOP}\ndata: DONE");
    for (name, payloads, then, ends, bound) in [
        ("68 [DONE], held open", vec![CHAT_TEXT, "[DONE]"], "hold", answer("DONE"), Bound::LetsGo),
        ("68 DONE, held open", vec![CHAT_TEXT, "DONE"], "hold", answer("DONE"), Bound::LetsGo),
        (
            "69 a sentinel glued to a chunk",
            vec![&glued, "[DONE]"],
            "hold",
            Ends::Answer { text: "DONE", unknown: 0, malformed: 1 },
            Bound::LetsGo,
        ),
        (
            "69 a sentinel in the second line",
            vec![CHAT_TEXT, &two_lines],
            "last-chunk\nfin",
            Ends::Answer { text: "DONE", unknown: 0, malformed: 1 },
            Bound::Ended,
        ),
        (
            "70 DONE is text",
            vec![CHAT_TEXT, CHAT_TEXT],
            "last-chunk\nfin",
            always(Truncated, "ended before"),
            Bound::Ended,
        ),
        ("71 a sentinel before any choice", vec!["[DONE]"], "hold", answer(""), Bound::LetsGo),
        (
            "71 no sentinel behind a finish reason",
            vec![CHAT_TEXT, CHAT_STOP],
            "last-chunk\nfin",
            answer("DONE"),
            Bound::Ended,
        ),
        ("71 a cut behind a finish reason", vec![CHAT_TEXT, CHAT_STOP], "fin", answer("DONE"), Bound::Ended),
    ] {
        check(Row { name, wire: Wire::Chat, script: stream(payloads, then), ends, bound }).await;
    }
}
