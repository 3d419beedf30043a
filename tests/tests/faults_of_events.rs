//! Everything that can be wrong with events on HTTP/1.1, and what the caller of a whole client sees of it.
//! `docs/faults.md` says what was decided for each row; the names here begin with the numbers there.

mod support;

use codex_api::FailureKind::{Api, Protocol, Truncated};
use codex_api::Wire;
use support::faults::{
    Bound, COMPLETED, CREATED, Ends, FLAGGED, Row, SSE, TEXT, always, answer, check, check_all, drop_by_drop, events,
    once, step, stream,
};

const CHAT_TEXT: &str = "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"DONE\"}}]}";
const CHAT_STOP: &str = "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}";

#[tokio::test]
async fn events_of_the_responses_wire() {
    let nonsense = |count| std::iter::repeat_n("nonsense", count);
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
        ("56 31 events in a row", stream(nonsense(31).chain([TEXT, COMPLETED]), "hold"), odd(0, 31), Bound::LetsGo),
        (
            "56 32 events in a row",
            stream(nonsense(32).chain([TEXT, COMPLETED]), "hold"),
            once(Protocol, "32"),
            Bound::LetsGo,
        ),
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
            "68 a terminal event behind a sentinel",
            stream([TEXT, "[DONE]", COMPLETED], "last-chunk\nfin"),
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
        ("61 failed and half a comment, held open", of(FLAGGED) + "\n: keep-", held, flagged(), Bound::LetsGo),
        ("61 completed and half a line, held open", of(COMPLETED) + "\r\nid", held, answer("Hé"), Bound::LetsGo),
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
        ("68 DONE and a line feed, held open", of("DONE\n"), held, answer("DONE"), Bound::LetsGo),
        ("68 [DONE], held open", of("[DONE]"), held, answer("DONE"), Bound::LetsGo),
        ("68 [DONE] and half a line, held open", of("[DONE]\nevent: e"), held, answer("DONE"), Bound::LetsGo),
        ("68 [DONE] and half of another line, held open", of("[DONE]\ndat"), held, answer("DONE"), Bound::LetsGo),
        ("68 DONE and half a comment, held open", of("DONE\n:"), held, answer("DONE"), Bound::LetsGo),
        ("68 [DONE], cut", of("[DONE]"), cut, answer("DONE"), Bound::Ended),
        ("68 a part of [DONE], cut", of("[DON"), cut, always(Truncated, ""), Bound::Ended),
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
            "68 events behind it",
            vec![CHAT_TEXT, "[DONE]", CHAT_TEXT, "{\"error\":{}}"],
            "hold",
            answer("DONE"),
            Bound::LetsGo,
        ),
        ("68 twice", vec![CHAT_TEXT, "[DONE]", "DONE"], "last-chunk\nfin", answer("DONE"), Bound::Ended),
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
