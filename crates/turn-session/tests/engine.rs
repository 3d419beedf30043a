//! The engine, driven with injected instants.

use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue, header::CONTENT_TYPE};
use response_events::{Failure, FailureKind, Phase, TurnEvent, Wire};
use turn_session::{Action, EngineConfig, ResponseHead, Target, Timeouts, Transport, TurnEngine, WantedBody};

/// What happens to an engine, at a number of milliseconds after its start.
#[derive(Clone, Copy, Debug)]
enum Input {
    /// A head with a status and a content type.
    Head(u16, &'static str),
    /// Bytes of a stream.
    Data(&'static str),
    Body(&'static str),
    Payload(&'static str),
    /// A payload under an SSE event name.
    Named(&'static str, &'static str),
    /// Everything that was read has been handed in.
    Drained,
    /// Bytes that are no event.
    Bytes,
    Eof,
    Cut,
    ConnectFailed,
    /// The driver's timer: the engine is told only if its own deadline has passed.
    Clock,
}

use Input::{Body, Bytes, Clock, ConnectFailed, Cut, Data, Drained, Eof, Head, Named, Payload};

const STREAM: Input = Head(200, "text/event-stream");
const CREATED: Input = Payload(r#"{"type":"response.created","response":{"id":"r"}}"#);
const TEXT: Input = Payload(r#"{"type":"response.output_text.delta","output_index":0,"delta":"a"}"#);
const COMPLETED: Input = Payload(r#"{"type":"response.completed","response":{"id":"r"}}"#);
const STOP: Input = Payload(r#"{"id":"c","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"#);
const CHUNK: Input = Payload(r#"{"id":"c","choices":[{"index":0,"delta":{"content":"a"}}]}"#);
const USAGE: Input = Payload(r#"{"id":"c","choices":[],"usage":{"total_tokens":1}}"#);

/// Plays the inputs and compares what comes out, one word an event or action, in order.
#[track_caller]
fn check(wire: Wire, timeouts: Timeouts, inputs: &[(u64, Input)], expected: &[&str]) {
    assert_eq!(played(wire, timeouts, inputs), expected);
}

/// What comes out when the inputs are played.
fn played(wire: Wire, timeouts: Timeouts, inputs: &[(u64, Input)]) -> Vec<String> {
    let start = Instant::now();
    let mut config = EngineConfig::new(wire, Target::new("http://service.example/v1"), start);
    config.timeouts = timeouts;
    let mut engine = TurnEngine::new(config);
    let mut seen = drain(&mut engine);
    for (at, input) in inputs {
        let now = start + Duration::from_millis(*at);
        match input {
            Head(status, content_type) => {
                let mut headers = HeaderMap::new();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
                headers.insert("x-request-id", HeaderValue::from_static("req"));
                engine.handle_opened(ResponseHead::new(*status, headers), now);
            }
            Data(data) => engine.handle_data(data.as_bytes(), now),
            Body(body) => engine.handle_body(body.as_bytes(), None, now),
            Payload(data) => engine.handle_payload(None, data.as_bytes(), now),
            Named(name, data) => engine.handle_payload(Some(name), data.as_bytes(), now),
            Drained => engine.handle_drained(now),
            Bytes => engine.handle_activity(now),
            Eof => engine.handle_closed(None, now),
            Cut => engine.handle_closed(Some(Failure::new(FailureKind::Truncated, "connection reset")), now),
            ConnectFailed => engine.handle_failed(Failure::new(FailureKind::Connect, "connection refused"), now),
            Clock => {
                if engine.poll_timeout().is_some_and(|deadline| deadline <= now) {
                    engine.handle_timeout(now);
                }
            }
        }
        seen.extend(drain(&mut engine));
    }
    seen
}

fn drain(engine: &mut TurnEngine) -> Vec<String> {
    let mut seen = Vec::new();
    while let Some(item) = engine.poll_event() {
        seen.push(match item {
            Ok(TurnEvent::Request(request)) => format!("request {}", request.attempt),
            Ok(TurnEvent::Opened(opened)) => format!("opened {}", opened.status),
            Ok(TurnEvent::Created(_)) => "created".into(),
            Ok(TurnEvent::TextDelta(delta)) => format!("text {}", delta.text),
            Ok(TurnEvent::ItemAdded(_)) => "added".into(),
            Ok(TurnEvent::ItemDone(done)) => format!("done {}", done.item.status().unwrap_or("-")),
            Ok(TurnEvent::Completed(_)) => "completed".into(),
            Ok(TurnEvent::Incomplete(end)) => format!("incomplete {}", end.reason),
            Ok(TurnEvent::Other(_)) => "event".into(),
            Ok(other) => format!("{other:?}"),
            Err(failure) => format!("{}: {failure}", failure.kind),
        });
    }
    while let Some(action) = engine.poll_action() {
        seen.push(match action {
            Action::Open { attempt, .. } => format!("> open {attempt}"),
            Action::ReadBody(WantedBody::Answer) => "> read answer".into(),
            Action::ReadBody(_) => "> read refusal".into(),
            Action::Close => "> close".into(),
            other => format!("{other:?}"),
        });
    }
    seen
}

/// Short and different, so that each test sees its own deadline.
fn short() -> Timeouts {
    Timeouts {
        first_event: Some(Duration::from_secs(20)),
        idle: Some(Duration::from_secs(10)),
        progress: Some(Duration::from_secs(30)),
        turn: Some(Duration::from_secs(100)),
        ..Timeouts::default()
    }
}

#[test]
fn a_stream_runs_to_its_terminal_event_and_closes() {
    let expected = ["request 1", "> open 1", "opened 200", "created", "text a", "completed", "> close"];
    check(Wire::Responses, short(), &[(0, STREAM), (1, CREATED), (2, TEXT), (3, COMPLETED)], &expected);
}

#[test]
fn nothing_follows_the_terminal_item() {
    let inputs =
        [(0, STREAM), (1, COMPLETED), (2, TEXT), (3, COMPLETED), (4, Cut), (5, ConnectFailed), (999_999, Clock)];
    check(Wire::Responses, short(), &inputs, &["request 1", "> open 1", "opened 200", "completed", "> close"]);
}

#[test]
fn a_terminal_failure_ends_the_stream_at_once() {
    let failed =
        Payload(r#"{"type":"response.failed","response":{"error":{"code":"invalid_prompt","message":"Flagged."}}}"#);
    let expected = ["request 1", "> open 1", "opened 200", "text a", "api: Flagged. (invalid_prompt)", "> close"];
    check(Wire::Responses, short(), &[(0, STREAM), (1, TEXT), (2, failed)], &expected);
    let named = Named("error", "the model is gone");
    let expected = ["request 1", "> open 1", "opened 200", "api: the model is gone", "> close"];
    check(Wire::Chat, short(), &[(0, STREAM), (1, named)], &expected);
}

#[test]
fn a_refusal_is_told_with_its_body() {
    let inputs = [(0, Head(400, "application/json")), (1, Body(r#"{"error":{"code":"x","message":"No."}}"#))];
    let expected = ["request 1", "> open 1", "opened 400", "> read refusal", "api: No. (x)", "> close"];
    check(Wire::Responses, short(), &inputs, &expected);
}

#[test]
fn an_answer_in_one_document_is_an_answer() {
    let document = r#"{"output":[],"status":"completed"}"#;
    let inputs =
        [(0, Head(200, "application/json; charset=utf-8")), (1, Data("\n")), (2, Data(document)), (3, Body(document))];
    check(
        Wire::Responses,
        short(),
        &inputs,
        &["request 1", "> open 1", "opened 200", "> read answer", "completed", "> close"],
    );
}

#[test]
fn a_head_that_calls_a_stream_a_document_is_not_believed() {
    let head = Head(200, "application/json");
    for (data, read) in [("data: {", None), ("\u{feff}: ", None), ("da", None), ("no", Some("> read answer"))] {
        let expected = ["request 1", "> open 1", "opened 200"].into_iter().chain(read);
        check(Wire::Responses, short(), &[(0, head), (1, Data(data))], &expected.collect::<Vec<_>>());
    }
    let nothing = "protocol: not an API answer: HTTP 200 with application/json and an empty body";
    check(
        Wire::Responses,
        short(),
        &[(0, head), (1, Eof)],
        &["request 1", "> open 1", "opened 200", nothing, "> close"],
    );
}

#[test]
fn silence_before_the_first_event_times_out() {
    // Comments keep the connection alive, and say nothing.
    let inputs = [(0, STREAM), (9_000, Bytes), (18_000, Bytes), (19_999, Clock), (20_000, Clock)];
    let expected = [
        "request 1",
        "> open 1",
        "opened 200",
        "timeout: no event within 20s after the response head (first-event timeout)",
        "> close",
    ];
    check(Wire::Responses, short(), &inputs, &expected);
}

/// The head says that no stream follows. Many a head is wrong, and a byte is enough to wait for a stream.
#[test]
fn what_is_called_a_page_has_5_s_to_begin() {
    let begun = ["request 1", "> open 1", "opened 200"];
    let page = Head(200, "text/html; charset=utf-8");
    let nothing = "protocol: not an API answer: HTTP 200 with text/html; charset=utf-8 and no body within 5s";
    let silent = ["timeout: no byte for 10s (idle timeout)", "> close"];
    let answered = ["text a", "completed", "> close"];
    for (head, inputs, expected) in [
        (page, &[(4_999, Clock), (5_000, Clock)][..], &[nothing, "> close"][..]),
        (
            Head(200, "application/xml"),
            &[(5_000, Clock)],
            &[&nothing.replace("text/html; charset=utf-8", "application/xml"), "> close"],
        ),
        (page, &[(4_999, Data("\n")), (5_000, Clock), (14_998, Clock), (14_999, Clock)], &silent),
        // Compressed, with nothing to show for it yet.
        (page, &[(4_999, Bytes), (14_998, Clock), (14_999, Clock)], &silent),
        (page, &[(4_999, Data(": hi")), (14_000, Clock), (14_000, TEXT), (20_000, COMPLETED)], &answered),
        (Head(200, "text/plain"), &[(5_000, Clock), (9_999, Clock), (10_000, Clock)], &silent),
        (STREAM, &[(5_000, Clock), (9_999, Clock), (10_000, Clock)], &silent),
    ] {
        let inputs = [&[(0, head)], inputs].concat();
        check(Wire::Responses, short(), &inputs, &[&begun, expected].concat());
    }
    // Also where silence has no end of its own, and before one that comes sooner.
    let off = Timeouts { first_event: None, idle: None, progress: None, ..Timeouts::default() };
    check(Wire::Chat, off, &[(0, page), (5_000, Clock)], &[&begun[..], &[nothing, "> close"]].concat());
    let sooner = Timeouts { idle: Some(Duration::from_secs(3)), ..short() };
    let end = ["timeout: no byte for 3s (idle timeout)", "> close"];
    check(Wire::Chat, sooner, &[(0, page), (3_000, Clock)], &[&begun[..], &end].concat());
}

#[test]
fn silence_on_the_connection_times_out_and_any_byte_counts() {
    let inputs = [(0, STREAM), (1_000, TEXT), (10_999, Clock), (10_999, Bytes), (20_998, Clock), (20_999, Clock)];
    check(
        Wire::Responses,
        short(),
        &inputs,
        &["request 1", "> open 1", "opened 200", "text a", "timeout: no byte for 10s (idle timeout)", "> close"],
    );
}

#[test]
fn bytes_without_events_are_no_progress() {
    let mut inputs = vec![(0, STREAM), (1_000, TEXT)];
    inputs.extend((1..=6).flat_map(|n| [(1_000 + n * 5_000 - 1, Clock), (1_000 + n * 5_000 - 1, Bytes)]));
    inputs.push((31_000, Clock));
    let expected = [
        "request 1",
        "> open 1",
        "opened 200",
        "text a",
        "timeout: no event for 30s, although the connection was alive (progress timeout)",
        "> close",
    ];
    check(Wire::Responses, short(), &inputs, &expected);
}

/// Proxies wrap comments as data, and the Responses wire has an event of its own for them.
#[test]
fn keep_alives_in_whatever_clothes_are_bytes_and_no_events() {
    let wrapped = ["", ": keepalive"];
    let typed = [r#"{"type":"keepalive","sequence_number":3}"#];
    let payloads = wrapped.map(|data| (Wire::Chat, data)).into_iter();
    let payloads = payloads.chain(wrapped.into_iter().chain(typed).map(|data| (Wire::Responses, data)));
    for (wire, data) in payloads {
        let every_five = |from: u64, times: u64| (1..=times).map(move |n| (from + n * 5_000 - 1, Payload(data)));
        let events: &[&str] = if data.starts_with('{') { &["event", "event", "event", "event"] } else { &[] };
        let begun = ["request 1", "> open 1", "opened 200"];
        // None is the first event.
        let mut inputs = vec![(0, STREAM)];
        inputs.extend(every_five(0, 4));
        inputs.push((20_000, Clock));
        let end = ["timeout: no event within 20s after the response head (first-event timeout)", "> close"];
        check(wire, short(), &inputs, &[&begun[..], events, &end].concat());
        // Nor the next one.
        let piece = if wire == Wire::Chat { CHUNK } else { TEXT };
        let mut inputs = vec![(0, STREAM), (1_000, piece)];
        inputs.extend(every_five(1_000, 6));
        inputs.push((31_000, Clock));
        let seen = played(wire, short(), &inputs);
        let end = ["timeout: no event for 30s, although the connection was alive (progress timeout)", "> close"];
        assert_eq!(seen[seen.len() - 2..], end, "{wire:?} {data:?}");
        // Nor does it end the silence that a cut behind the head is.
        let seen = phase_of_a_cut(wire, data);
        assert_eq!(seen, Phase::FirstEvent, "{wire:?} {data:?}");
    }
}

/// The phase of a stream that is cut behind its head and one payload.
fn phase_of_a_cut(wire: Wire, data: &str) -> Phase {
    let now = Instant::now();
    let mut engine = TurnEngine::new(EngineConfig::new(wire, Target::new("http://service.example/v1"), now));
    engine.handle_opened(ResponseHead::new(200, HeaderMap::new()), now);
    engine.handle_payload(None, data.as_bytes(), now);
    engine.handle_closed(Some(Failure::new(FailureKind::Truncated, "connection reset")), now);
    std::iter::from_fn(|| engine.poll_event()).find_map(Result::err).expect("a failure").phase
}

#[test]
fn the_whole_turn_has_a_deadline_also_while_connecting() {
    let inputs = [(99_999, Clock), (100_000, Clock)];
    check(
        Wire::Responses,
        short(),
        &inputs,
        &["request 1", "> open 1", "timeout: the turn took longer than 100s (turn timeout)", "> close"],
    );
}

#[test]
fn an_end_in_hand_comes_before_the_end_of_the_turn() {
    let begun = ["request 1", "> open 1", "opened 200", "text a"];
    let expected = |tail: &[&'static str]| [&begun[..], tail].concat();
    let read = [(0, STREAM), (1, TEXT), (99_999, Drained)];
    // In a read after the deadline, alone or behind other events.
    check(
        Wire::Responses,
        short(),
        &[&read[..], &[(100_000, COMPLETED)]].concat(),
        &expected(&["completed", "> close"]),
    );
    let behind = [(100_000, TEXT), (100_000, COMPLETED), (100_000, Drained)];
    check(Wire::Responses, short(), &[&read[..], &behind].concat(), &expected(&["text a", "completed", "> close"]));
    // Without an end, what was read is all.
    let over = "timeout: the turn took longer than 100s (turn timeout)";
    let on = [(100_000, TEXT), (100_000, Drained), (100_001, COMPLETED)];
    check(Wire::Responses, short(), &[&read[..], &on].concat(), &expected(&["text a", over, "> close"]));
}

/// A stream that never pauses, so that nobody ever waits: what is late ends by how much of it comes.
#[test]
fn a_flood_that_is_no_event_does_not_outrun_the_deadlines() {
    const MIB: &str = match std::str::from_utf8(&[b'\n'; 1 << 20]) {
        Ok(text) => text,
        Err(_) => unreachable!(),
    };
    let flood = |from: u64, times: usize| (0..times).flat_map(move |_| [(from, Data(MIB)), (from, Drained)]);
    let begun = ["request 1", "> open 1", "opened 200"];
    let no_event = "timeout: no event within 20s after the response head (first-event timeout)";
    let no_progress = "timeout: no event for 30s, although the connection was alive (progress timeout)";
    for (first, begins_with, late, end) in
        [(None, &[][..], 20_000, no_event), (Some((0, TEXT)), &["text a"], 30_000, no_progress)]
    {
        let stream = || [(0, STREAM)].into_iter().chain(first);
        let begun = [&begun[..], begins_with].concat();
        // As much as may have been there in good time, however late it is read, and an answer behind it.
        let inputs: Vec<_> = stream().chain(flood(late, 8)).chain([(late, COMPLETED)]).collect();
        check(Wire::Responses, short(), &inputs, &[&begun[..], &["completed", "> close"]].concat());
        // However much comes in good time.
        let inputs: Vec<_> = stream().chain(flood(late - 1, 20)).chain([(late, COMPLETED)]).collect();
        check(Wire::Responses, short(), &inputs, &[&begun[..], &["completed", "> close"]].concat());
        // More than that.
        let inputs: Vec<_> = stream().chain(flood(late, 9)).chain([(late, COMPLETED)]).collect();
        check(Wire::Responses, short(), &inputs, &[&begun[..], &[end, "> close"]].concat());
    }
    // What is an event begins a new count.
    let inputs: Vec<_> =
        [(0, STREAM)].into_iter().chain(flood(9, 7)).chain([(10, TEXT)]).chain(flood(40_000, 8)).collect();
    assert_eq!(played(Wire::Responses, short(), &inputs), [&begun[..], &["text a"]].concat());
}

#[test]
fn deadlines_of_zero_pass_at_the_first_wait_and_those_beyond_all_time_never() {
    let begun = ["request 1", "> open 1", "opened 200"];
    let all = |limit| Timeouts { first_event: limit, idle: limit, progress: limit, turn: None, ..Timeouts::default() };
    let zero = all(Some(Duration::ZERO));
    let late = ["timeout: no event within 0ns after the response head (first-event timeout)", "> close"];
    check(Wire::Responses, zero, &[(0, STREAM), (0, Clock)], &[&begun[..], &late].concat());
    // What is there to be read comes first.
    let answer = [&begun[..], &["text a", "completed", "> close"]].concat();
    check(Wire::Responses, zero, &[(0, STREAM), (1, TEXT), (2, COMPLETED)], &answer);
    let never = Timeouts { turn: Some(Duration::MAX), ..all(Some(Duration::MAX)) };
    let inputs = [(0, STREAM), (u64::from(u32::MAX), Clock), (u64::from(u32::MAX), TEXT), (9, COMPLETED)];
    check(Wire::Responses, never, &inputs, &answer);
    let no_grace = Timeouts { finish_grace: Duration::ZERO, ..Timeouts::default() };
    let seen = played(Wire::Chat, no_grace, &[(0, STREAM), (1, STOP), (1, Clock)]);
    assert_eq!(seen[seen.len() - 2..], ["completed", "> close"]);
}

#[test]
fn timers_that_are_off_never_fire() {
    let off = Timeouts { first_event: None, idle: None, progress: None, turn: None, ..Timeouts::default() };
    check(Wire::Responses, off, &[(0, STREAM), (u64::from(u32::MAX), Clock)], &["request 1", "> open 1", "opened 200"]);
}

#[test]
fn a_whole_chat_answer_waits_a_second_for_its_usage() {
    let flushed =
        |tail: &[&'static str]| [&["request 1", "> open 1", "opened 200", "created", "added", "text a"], tail].concat();
    let expected = flushed(&["done completed", "completed", "> close"]);
    // Each chunk starts the second again, a comment does not.
    let inputs = [(0, STREAM), (0, STOP), (900, USAGE), (1_500, Bytes), (1_899, Clock)];
    check(Wire::Chat, short(), &inputs, &flushed(&[]));
    check(Wire::Chat, short(), &[&inputs[..], &[(1_900, Clock)]].concat(), &expected);
    let wrapped = [(1_000, Payload(": keepalive")), (1_800, Payload("")), (1_900, Clock)];
    check(Wire::Chat, short(), &[&inputs[..2], &[(900, USAGE)], &wrapped[..]].concat(), &expected);
    check(Wire::Chat, short(), &[(0, STREAM), (0, STOP), (1, Payload("[DONE]"))], &expected);
    // The answer was whole when the connection broke.
    check(Wire::Chat, short(), &[(0, STREAM), (0, STOP), (1, Cut)], &expected);
}

#[test]
fn pending_chat_items_are_flushed_however_the_stream_ends() {
    let piece = Payload(r#"{"id":"c","choices":[{"index":0,"delta":{"content":"a"}}]}"#);
    let until = |end: &'static str| {
        vec!["request 1", "> open 1", "opened 200", "created", "added", "text a", "done incomplete", end, "> close"]
    };
    let truncated = "truncated: the stream ended before a finish_reason and without a [DONE] sentinel";
    check(Wire::Chat, short(), &[(0, STREAM), (1, piece), (2, Eof)], &until(truncated));
    check(Wire::Chat, short(), &[(0, STREAM), (1, piece), (2, Cut)], &until("truncated: connection reset"));
    check(
        Wire::Chat,
        short(),
        &[(0, STREAM), (1, piece), (99_000, Clock)],
        &until("timeout: no byte for 10s (idle timeout)"),
    );
}

#[test]
fn a_failed_connection_is_the_requests_end() {
    let expected = ["request 1", "> open 1", "connect: connection refused", "> close"];
    check(Wire::Responses, short(), &[(5, ConnectFailed)], &expected);
}

#[test]
fn the_class_of_a_bare_status_says_whether_trying_again_helps() {
    let statuses = [(400, false), (404, false), (407, false), (408, true), (429, true), (500, true), (501, false)];
    for (status, retryable) in statuses {
        let now = Instant::now();
        let mut engine = TurnEngine::new(EngineConfig::new(Wire::Responses, Target::new(""), now));
        engine.handle_opened(ResponseHead::new(status, HeaderMap::new()), now);
        engine.handle_body(b"", None, now);
        let failure = std::iter::from_fn(|| engine.poll_event()).find_map(Result::err).unwrap();
        assert_eq!((failure.status, failure.retryable), (Some(status), retryable));
    }
}

#[test]
fn failures_carry_what_is_known() {
    let now = Instant::now();
    let mut engine = TurnEngine::new(EngineConfig::new(Wire::Responses, Target::new(""), now));
    let mut headers = HeaderMap::new();
    headers.insert("x-oai-request-id", HeaderValue::from_static("req_9"));
    engine.handle_opened(ResponseHead::new(200, headers), now);
    let Input::Payload(text) = TEXT else { unreachable!() };
    engine.handle_payload(None, text.as_bytes(), now);
    engine.handle_closed(None, now);
    let failure = std::iter::from_fn(|| engine.poll_event()).find_map(Result::err).unwrap();
    assert_eq!(failure.request_id.as_deref(), Some("req_9"));
    assert_eq!((failure.attempts, failure.output_delivered, failure.retryable), (1, true, true));
    assert!(engine.is_done());
}

#[test]
fn the_account_tells_a_closed_connection_from_one_that_this_side_gave_up() {
    let ended = |end: fn(&mut TurnEngine, Instant)| {
        let now = Instant::now();
        let mut engine = TurnEngine::new(EngineConfig::new(Wire::Responses, Target::new("http://s.example/v1"), now));
        engine.handle_opened(ResponseHead::new(200, HeaderMap::new()), now);
        let Input::Payload(text) = TEXT else { unreachable!() };
        engine.handle_payload(None, text.as_bytes(), now);
        end(&mut engine, now);
        engine.ledger().input_ended
    };
    assert!(ended(|engine, now| engine.handle_closed(None, now)));
    assert!(ended(|engine, now| engine.handle_failed(Failure::new(FailureKind::Closed, "gone"), now)));
    assert!(!ended(|engine, now| engine.handle_failed(Failure::new(FailureKind::TooLarge, "too large"), now)));
    assert!(!ended(|engine, now| engine.handle_timeout(now + Duration::from_secs(24 * 60 * 60))));
}

/// A head of long ago, and an error in the stream behind it.
#[test]
fn hints_of_a_head_are_those_of_its_own_time() {
    let hint = |status: u16, headers: &[(&'static str, &'static str)], local: Option<u64>, error: &str| {
        let start = Instant::now();
        let mut config = EngineConfig::new(Wire::Responses, Target::new("http://service.example/v1"), start);
        config.transport = if status == 101 { Transport::WebSocket } else { Transport::Sse };
        config.unix_time = local.map(Duration::from_secs);
        let mut engine = TurnEngine::new(config);
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        engine.handle_opened(ResponseHead::new(status, headers), start);
        let now = start + Duration::from_secs(600);
        if error.is_empty() {
            engine.handle_closed(Some(Failure::new(FailureKind::Closed, "closed")), now);
        } else {
            engine.handle_payload(None, error.as_bytes(), now);
        }
        let failure = std::iter::from_fn(|| engine.poll_event()).find_map(Result::err).expect("a failure");
        failure.retry_after.map(|wait| wait.as_secs())
    };
    let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    // Five seconds behind the ten minutes.
    let error = r#"{"type":"error","error":{"code":"rate_limit_exceeded","message":"!","resets_at":784112382}}"#;
    for status in [101, 200] {
        assert_eq!(hint(status, &[date], None, error), Some(5), "{status}");
        assert_eq!(hint(status, &[date], Some(1), error), Some(5), "{status}");
        assert_eq!(hint(status, &[], Some(784_111_777), error), Some(5), "{status}");
        assert_eq!(hint(status, &[], None, error), None, "{status}");
        // What limits there were when the answer began is no word about trying again.
        let used_up =
            [("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "6m0s"), ("retry-after", "7")];
        assert_eq!(hint(status, &used_up, None, ""), None, "{status}");
    }
}

/// What a refusal, or a page in the place of an answer, comes to.
fn refusal(status: u16, body: &str) -> Failure {
    let now = Instant::now();
    let mut engine = TurnEngine::new(EngineConfig::new(Wire::Responses, Target::new("http://service.example/v1"), now));
    engine.handle_opened(ResponseHead::new(status, HeaderMap::new()), now);
    engine.handle_body(body.as_bytes(), None, now);
    std::iter::from_fn(|| engine.poll_event()).find_map(Result::err).expect("a failure")
}

#[test]
fn the_text_of_a_refusal_without_an_error_object_is_read_for_its_hint() {
    for (status, body, wait) in [
        (429, "Rate limit is exceeded. Try again in 4 seconds.", Some(4)),
        (503, "<title>Please wait 7 seconds</title>", Some(7)),
        (429, "Rate limit is exceeded.", None),
        (429, "", None),
    ] {
        let failure = refusal(status, body);
        assert_eq!((failure.kind, failure.retry_after), (FailureKind::Status, wait.map(Duration::from_secs)), "{body}");
    }
}

#[test]
fn a_byte_order_mark_before_the_text_of_an_answer_is_not_quoted() {
    for (status, body, message) in [
        (500, "\u{feff} gone", "HTTP 500 Internal Server Error: gone"),
        (500, "\u{feff}", "HTTP 500 Internal Server Error"),
        (500, "\u{feff}<p>Oh.", "HTTP 500 Internal Server Error: Oh."),
        (200, "\u{feff}<p>Oh.", "not an API answer: HTTP 200 with no content type: Oh."),
    ] {
        assert_eq!(refusal(status, body).message, message, "{body:?}");
    }
}

#[test]
fn text_that_only_begins_as_a_stream_does_is_quoted() {
    let told = |text: &'static str, then: &[Input]| {
        let inputs = [&[Head(200, "text/plain"), Data(text)], then].concat();
        let inputs: Vec<_> = inputs.into_iter().map(|input| (0, input)).collect();
        let seen = played(Wire::Chat, short(), &inputs);
        seen.into_iter().find_map(|line| line.strip_prefix("truncated: ").map(str::to_owned)).expect("a failure")
    };
    let silent = "the answer ended without a single event (HTTP 200, text/plain)";
    let cut = "the stream ended before a finish_reason and without a [DONE] sentinel";
    for (text, then, message) in [
        ("id: 4711 is\x1b\nblocked", &[Eof][..], format!("{silent}: id: 4711 is blocked")),
        ("data: Sorry", &[Eof], format!("{silent}: data: Sorry")),
        ("data: Sorry", &[Cut], "connection reset; it began with: data: Sorry".to_owned()),
        // It is an event, but says nothing.
        ("data: Sorry\n\n", &[Payload("Sorry"), Eof], format!("{cut}; it began with: data: Sorry")),
        // A turn state may be in it.
        ("data: {\"type\":\"x\",\"", &[Eof], silent.to_owned()),
        ("data: {]\n\n", &[Payload("{]"), Eof], cut.to_owned()),
        // Nobody said anything.
        (": ping", &[Eof], silent.to_owned()),
        // What follows is a stream after all.
        ("data: Sorry\n\n", &[Payload("Sorry"), CHUNK, Eof], cut.to_owned()),
    ] {
        assert_eq!(told(text, then), message, "{text:?}");
    }
}
