//! The picture of a turn: what the timeline holds, and what the page does with it.

use std::time::Duration;

use codex_stream::{AttemptHead, Axis, Timeline, TimelineBuilder, html_page};
use response_events::{
    Completed, Created, Delta, Failure, FailureKind, Incomplete, Interpreter, InterpreterOptions, Item, ItemEvent,
    Ledger, Opened, RequestStarted, Retry, TransportKind, TurnEvent, Wire,
};
use serde_json::json;

const LARGEST: usize = 500_000;

#[expect(clippy::unnecessary_wraps, reason = "every time may be missing")]
fn millis(at: u64) -> Option<Duration> {
    Some(Duration::from_millis(at))
}

fn text(text: &str) -> TurnEvent {
    TurnEvent::TextDelta(Delta::new(0, text))
}

fn message() -> TurnEvent {
    let item = Item::from_json(json!({"type": "message", "role": "assistant"})).expect("an item");
    TurnEvent::ItemDone(ItemEvent::new(0, item))
}

fn ledger() -> Ledger {
    Interpreter::new(Wire::Responses, InterpreterOptions::default()).ledger().clone()
}

/// A cut answer, a wait, and the whole one, as a client sees them.
fn retried() -> Timeline {
    let mut builder = TimelineBuilder::new();
    let mut at = |time, event: TurnEvent| builder.event(millis(time), &event);
    at(0, TurnEvent::Request(RequestStarted::new(1, TransportKind::WebSocket, "wss://x.example/v1/responses")));
    at(100, TurnEvent::Opened(Opened::new(101)));
    at(150, TurnEvent::Created(Created::default()));
    at(200, text("Hel"));
    let mut retry = Retry::new(2, 9, FailureKind::Closed, "the socket was closed");
    (retry.delay, retry.discarded) = (Duration::from_millis(400), true);
    at(600, TurnEvent::Retry(retry));
    at(1_000, TurnEvent::Request(RequestStarted::new(2, TransportKind::Sse, "https://x.example/v1/responses")));
    at(1_100, TurnEvent::Opened(Opened::new(200)));
    at(1_200, text("Hello, "));
    at(1_230, text("world"));
    at(3_000, message());
    at(3_010, TurnEvent::Completed(Completed::default()));
    builder.end(millis(3_010), None, &ledger());
    builder.finish()
}

/// The page without its style sheet, whose content nobody reads in a snapshot.
fn skeleton(timeline: &Timeline) -> String {
    let page = html_page(timeline, "made.cassette");
    let (head, rest) = page.split_once("<style>").expect("a style sheet");
    let (_, body) = rest.split_once("</style>").expect("its end");
    format!("{head}<style>…</style>{body}")
}

/// What must hold for every page.
#[track_caller]
fn check(timeline: &Timeline) -> String {
    let page = html_page(timeline, "x.sse");
    assert_eq!(page, html_page(timeline, "x.sse"), "the same timeline gives the same page");
    assert!(page.len() < LARGEST, "{} bytes", page.len());
    assert_eq!(page.matches("<h1").count(), 1);
    for foreign in ["http:", "https:", "src=", "@import", "<script", "<link", " on"] {
        let found = page.match_indices(foreign).map(|(at, _)| &page[at.saturating_sub(30)..(at + 30).min(page.len())]);
        let found: Vec<_> =
            found.filter(|place| foreign != " on" || place.contains('=') && !place.contains('·')).collect();
        assert!(found.is_empty(), "{foreign}: {found:?}");
    }
    assert_eq!(page.matches("href=").count(), page.matches("href=\"#a").count());
    assert!(!page.contains("NaN") && !page.contains("inf%"), "every place is a number");
    page
}

#[test]
fn a_retried_turn_has_two_attempts_and_one_end() {
    let timeline = retried();
    let totals = timeline.totals();
    assert_eq!((totals.duration, totals.first_token), (millis(3_010), millis(1_200)));
    assert_eq!((totals.longest_gap, totals.events, totals.deltas), (millis(1_770), 6, 3));
    let [void, whole] = &timeline.attempts[..] else { panic!("two attempts: {timeline:?}") };
    assert!(void.void && !whole.void);
    assert_eq!((void.duration(), void.wait), (Duration::from_millis(600), millis(400)));
    assert_eq!((whole.request, whole.number, Some(whole.begins)), (1, 2, millis(1_000)));
    let gaps: Vec<_> = whole.gaps().iter().map(|gap| (gap.from.as_millis(), gap.length().as_millis())).collect();
    assert_eq!(gaps, [(1_230, 1_770)]);
    insta::assert_snapshot!(skeleton(&timeline));
}

#[test]
fn pages_of_nothing_and_of_one_event_are_pages() {
    let page = check(&TimelineBuilder::new().finish());
    assert!(page.contains("nothing was recorded"));
    for at in [None, millis(0), millis(70)] {
        let mut builder = TimelineBuilder::new();
        builder.begin(at, AttemptHead::default());
        assert!(check(&builder.finish()).contains("No event came"));
        let mut builder = TimelineBuilder::new();
        builder.event(at, &text("x"));
        let page = check(&builder.finish());
        assert!(page.contains("1 delta, 1 character") && page.contains("not ended"), "{page}");
    }
}

#[test]
fn without_a_clock_the_axis_counts_events_and_the_page_says_so() {
    let mut builder = TimelineBuilder::new();
    builder.begin(millis(0), AttemptHead::default());
    builder.event(millis(9_000), &text("a"));
    builder.event(None, &text("b"));
    builder.end(None, None, &ledger());
    let timeline = builder.finish();
    assert_eq!(timeline.axis, Axis::Order);
    assert_eq!((timeline.totals().duration, timeline.totals().first_token), (None, None));
    let page = check(&timeline);
    assert!(page.contains("has no clock") && page.contains("event 1: 1 delta of text"), "{page}");
    assert!(!page.contains("9.000"), "{page}");
}

#[test]
fn the_first_line_says_why_the_turn_ended() {
    for (failure, event, expected) in [
        (None, Some(TurnEvent::Completed(Completed::default())), "completed after 3.20 s"),
        (None, Some(incomplete("max_output_tokens")), "incomplete after 3.20 s: max_output_tokens"),
        (Some(invalid_prompt()), None, "failed after 3.20 s: invalid_prompt — “No.”, not retryable"),
        (Some(Failure::new(FailureKind::Truncated, "cut")), None, "failed after 3.20 s: truncated — “cut”, retryable"),
    ] {
        let mut builder = TimelineBuilder::new();
        builder.begin(millis(0), AttemptHead::default());
        if let Some(event) = event {
            builder.event(millis(3_200), &event);
        }
        builder.end(millis(3_200), failure.as_ref(), &ledger());
        let page = check(&builder.finish());
        assert!(page.contains(&format!("<title>{expected}</title>")), "{expected}: {page}");
    }
}

fn incomplete(reason: &str) -> TurnEvent {
    let mut end = Incomplete::default();
    reason.clone_into(&mut end.reason);
    TurnEvent::Incomplete(end)
}

fn invalid_prompt() -> Failure {
    let mut failure = Failure::new(FailureKind::Api, "No.");
    failure.code = Some("invalid_prompt".to_owned());
    failure
}

#[test]
fn a_request_after_an_answer_is_the_next_request() {
    let mut builder = TimelineBuilder::new();
    for (request, end) in [(0, None), (1, Some(invalid_prompt())), (2, None)] {
        builder.begin(millis(request * 100), AttemptHead::default());
        if end.is_none() {
            builder.event(millis(request * 100 + 50), &TurnEvent::Completed(Completed::default()));
        }
        builder.end(millis(request * 100 + 50), end.as_ref(), &ledger());
    }
    let timeline = builder.finish();
    let numbers: Vec<_> = timeline.attempts.iter().map(|a| (a.request, a.number, a.void)).collect();
    assert_eq!(numbers, [(1, 1, false), (2, 1, true), (2, 2, false)]);
    let page = check(&timeline);
    assert!(page.contains("Request 2, attempt 2") && page.contains("2 requests, 3 attempts"), "{page}");
}

#[test]
fn hostile_text_stays_text() {
    let hostile = "</title></style><script>x</script>\"'><img src=x onerror=y> ]]> --> \u{202e}abc\u{2066}\u{0}";
    let mut builder = TimelineBuilder::new();
    let head = AttemptHead { request_id: Some(hostile.to_owned()), ..AttemptHead::default() };
    builder.begin(millis(0), head);
    let mut created = Created::default();
    created.model = Some(hostile.to_owned());
    builder.event(millis(1), &TurnEvent::Created(created));
    builder.event(millis(2), &text(hostile));
    let call = json!({"type": hostile, "call_id": hostile, "name": hostile, "arguments": hostile});
    let item = Item::from_json(call).expect("an item");
    builder.event(millis(3), &TurnEvent::ItemDone(ItemEvent::new(0, item)));
    let mut failure = Failure::new(FailureKind::Api, hostile);
    failure.code = Some(hostile.to_owned());
    builder.end(millis(4), Some(&failure), &ledger());
    let page = html_page(&builder.finish(), hostile);
    for markup in ["<script", "<img", "</title></style>", "]]>", "-->", "\u{202e}", "\u{2066}", "\0"] {
        assert!(!page.contains(markup), "{markup}");
    }
    assert!(page.contains("&lt;script&gt;x&lt;/script&gt;&quot;&#39;&gt;&lt;img") && page.contains("[U+202E]abc"));
}

#[test]
fn the_size_is_bounded_whatever_passes() {
    let classes = [
        text("<<<<\"\"\"\""),
        TurnEvent::ReasoningDelta(Delta::new(0, "&&&&")),
        TurnEvent::ToolInputDelta(Delta::new(1, "''''")),
        message(),
        TurnEvent::Created(Created::default()),
    ];
    for (attempts, events) in [(1, 100_000), (9, 20_000), (400, 250)] {
        let mut builder = TimelineBuilder::new();
        let mut now = 0;
        for _ in 0..attempts {
            builder.begin(millis(now), AttemptHead::default());
            for event in 0..events {
                now += 1;
                builder.bytes(millis(now), 100);
                builder.event(millis(now), &classes[event % classes.len()]);
            }
            let failure = Failure::new(FailureKind::Truncated, "<".repeat(5_000));
            builder.end(millis(now), Some(&failure), &ledger());
        }
        check(&builder.finish());
    }
}
