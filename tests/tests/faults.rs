//! Everything that can go wrong on HTTP/1.1, and what the caller of a whole client sees of it. `docs/faults.md` says
//! what was decided for each row; the names here begin with the numbers there.

mod support;

use codex_api::FailureKind::{Api, Connect, Protocol, Status, TooLarge, Truncated};
use support::faults::{
    Bound, COMPLETED, CREATED, Ends, SSE, TEXT, always, answer, check_all, drop_by_drop, events, never, once, send,
    stream,
};

/// The head and the beginning of an answer that is one document.
const DOCUMENT: &str =
    "head 200 \"content-type: application/json\" \"content-length: 999999999\"\nsend \"{\\\"id\\\":\\\"\"\n";

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
            "21 33 interim answers",
            silent("repeat 33 send \"HTTP/1.1 103 Early Hints\\r\\n\\r\\n\"\n"),
            once(Protocol, "sends interim answers without end"),
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
    let error = |code: &str| format!("{{\"error\":{{\"code\":\"{code}\",\"message\":\"Oh.\"}}}}");
    let api = |code, requests: usize, message| Ends::Fails {
        kind: Api,
        code: Some(code),
        retryable: requests > 1,
        requests,
        message,
    };
    let cut =
        |status: u16, body: &str, end: &str| format!("head {status} \"content-length: 999\"\n{}{end}", send(body));
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
            "13 captive portal without end",
            format!("head 200 \"content-type: text/html\"\n{}repeat forever send \"<p>\" * 1000", send(page)),
            once(Protocol, "not an API answer: HTTP 200 with text/html: Log in"),
            Bound::LetsGo,
        ),
        (
            "13 a success without a body",
            "head 204\nhold".to_owned(),
            once(Protocol, "not an API answer: HTTP 204 with no content type and an empty body"),
            Bound::LetsGo,
        ),
        (
            "13 a success without a body, whatever it is called",
            format!("head 205 \"content-type: text/event-stream\"\n{}hold", send(COMPLETED)),
            once(Protocol, "not an API answer: HTTP 205 with text/event-stream and an empty body"),
            Bound::LetsGo,
        ),
        (
            "33 an error object in place of a stream, by its code",
            json(200, "\"content-type: application/json\"", &error("server_error")),
            api("server_error", 9, "Oh."),
            Bound::Ended,
        ),
        (
            "33 an error object that is final",
            json(200, "\"content-type: application/json\"", &error("invalid_prompt")),
            api("invalid_prompt", 1, "Oh."),
            Bound::Ended,
        ),
        (
            "34 a document without end",
            format!("{DOCUMENT}repeat forever send \"x\" * 65536"),
            never(TooLarge, "a document of more than 33554432 bytes"),
            Bound::LetsGo,
        ),
        ("34 a document that is cut", format!("{DOCUMENT}fin"), always(Truncated, "too early"), Bound::Ended),
        (
            "34 a document of which nothing comes",
            "head 200 \"content-type: application/json\" \"content-length: 9\"\nfin".to_owned(),
            always(Truncated, "too early"),
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
            "28 hint a second too far away",
            plain(429, "\"retry-after: 121\""),
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
        (
            "32 an error object that is cut behind its code",
            cut(429, "{\"error\":{\"code\":\"insufficient_quota\",\"message\":\"Spent a", "fin"),
            api("insufficient_quota", 1, "Spent …"),
            Bound::Ended,
        ),
        (
            "32 an error object whose end does not come",
            cut(429, "{\"error\":{\"message\":\"Oh.\",\"code\":\"insufficient_quota\"", "hold"),
            api("insufficient_quota", 1, "Oh."),
            Bound::LetsGo,
        ),
        (
            "32 an error object without end",
            format!(
                "head 429 \"transfer-encoding: chunked\"\n{}repeat forever chunk \"a \" * 500",
                support::faults::step("chunk", "{\"error\":{\"code\":\"insufficient_quota\",\"debug\":\"")
            ),
            api("insufficient_quota", 1, "the service gave no error message"),
            Bound::LetsGo,
        ),
        (
            "32 an error object in an event that is cut",
            cut(429, "data: {\"error\":{\"code\":\"insufficient_quota\",\"mess", "fin"),
            api("insufficient_quota", 1, "the service gave no error message"),
            Bound::Ended,
        ),
        (
            "32 an error object that is damaged",
            json(429, "", "{\"error\":{\"message\":\"No \"more\".\n\",\"code\":\"insufficient_quota\",}}"),
            api("insufficient_quota", 1, "No \"more\".\n"),
            Bound::Ended,
        ),
        (
            "32 an error object that is cut in its code",
            cut(429, "{\"error\":{\"code\":\"insufficient", "fin"),
            always(Status, "HTTP 429 Too Many Requests: {\"error\":{\"code\":\"insufficient"),
            Bound::Ended,
        ),
        (
            "33 an error object in place of a stream, cut",
            cut(200, "{\"error\":{\"code\":\"invalid_prompt\",", "fin"),
            api("invalid_prompt", 1, "the service gave no error message"),
            Bound::Ended,
        ),
    ];
    for status in [403, 404, 413, 422] {
        rows.push((
            "24 a refusal for good, with an error object",
            json(status, "", "{\"error\":{\"message\":\"No.\"}}"),
            never(Api, "No."),
            Bound::Ended,
        ));
        rows.push(("24 a refusal for good", json(status, "", "oops"), never(Status, ": oops"), Bound::Ended));
    }
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
    let item = format!("{{\"type\":\"x\",\"y\":\"{}\"}}", "x".repeat(1_000_000));
    let item = format!("{{\"type\":\"response.output_item.done\",\"item\":{item}}}");
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
            "51 giant answer",
            format!("{prefix}repeat forever {}", events([item.as_str()])),
            never(TooLarge, "67108864 bytes"),
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
