//! Recordings that were changed: in framing, which must not matter, or in their end, which must in one way only.

use response_events::{TurnEvent, Wire};
use serde_json::Value;

use crate::recording::{Recording, Signal, blocks, events_while_open, lines, recordings, signal, summary};

/// Decodes a changed recording and compares with the original, which is decoded at once.
#[track_caller]
fn check_same(recording: &Recording, changed: &[u8], chunk_bytes: usize) {
    let original = summary(recording.wire, &recording.bytes, 0);
    assert_eq!(summary(recording.wire, changed, chunk_bytes), original, "{}", recording.name);
}

fn joined(lines: &[Vec<u8>], line_end: &[u8]) -> Vec<u8> {
    lines.iter().flat_map(|line| [line.as_slice(), line_end]).flatten().copied().collect()
}

/// The lines of a recording that ends with a line end; the others keep their cut last line.
fn reframed(recording: &Recording, line_end: &[u8]) -> Vec<u8> {
    let mut bytes = joined(&lines(&recording.bytes), line_end);
    if !recording.bytes.ends_with(b"\n") {
        bytes.truncate(bytes.len() - line_end.len());
    }
    bytes
}

fn completions(events: &[TurnEvent]) -> usize {
    events.iter().filter(|event| event.is_terminal()).count()
}

#[test]
fn bare_done_ends_a_stream_as_done_in_brackets_while_the_connection_stays_open() {
    let mut with_sentinel = 0;
    for recording in recordings() {
        let changed: Vec<_> = lines(&recording.bytes)
            .into_iter()
            .map(|line| if line == b"data: [DONE]" { b"data: DONE".to_vec() } else { line })
            .collect();
        let changed = joined(&changed, b"\n");
        if recording.expected["done_sentinels"] == 0 {
            continue;
        }
        assert_ne!(changed, recording.bytes);
        with_sentinel += 1;
        check_same(&recording, &changed, 0);
        let open = events_while_open(recording.wire, &changed);
        let outcome = summary(recording.wire, &recording.bytes, 0)["outcome"].clone();
        let expected = usize::from(outcome == "completed" || outcome == "incomplete");
        assert_eq!(completions(&open), expected, "{}", recording.name);
        assert!(open.iter().rev().skip(1).all(|event| !event.is_terminal()), "{}", recording.name);
    }
    assert!(with_sentinel > 50 || recordings().is_empty());
}

#[test]
fn comments_between_all_lines_change_nothing() {
    for recording in recordings() {
        let mut changed = reframed(&recording, b"\n: keep-alive\n");
        if recording.bytes.ends_with(b"\n") {
            changed.extend_from_slice(b":\n");
        }
        check_same(&recording, &changed, 1400);
    }
}

#[test]
fn line_ends_of_other_systems_change_nothing() {
    for recording in recordings() {
        for line_end in [&b"\n"[..], b"\r\n", b"\r"] {
            check_same(&recording, &reframed(&recording, line_end), 7);
        }
    }
}

/// Puts something behind the first terminal event of each recording: it may be counted, and must change nothing else.
fn check_after_the_end(behind: impl Fn(Wire, &[u8]) -> Vec<u8>) {
    for recording in recordings() {
        let name = &recording.name;
        let blocks = blocks(&recording.bytes);
        let terminal = blocks.iter().find(|block| signal(recording.wire, &block.data) == Signal::Terminal);
        let Some(block) = terminal else { continue };
        let (before, rest) = recording.bytes.split_at(block.end);
        let changed = [before, &behind(recording.wire, &recording.bytes[block.start..block.end]), rest].concat();
        let original = summary(recording.wire, &recording.bytes, 0);
        let seen = summary(recording.wire, &changed, 0);
        for (key, value) in original.as_object().expect("a summary is an object") {
            match key.as_str() {
                "sse_events" => assert_eq!(seen[key].as_u64(), value.as_u64().map(|n| n + 1), "{name}"),
                "done_sentinels" | "terminal_events_seen" | "wire_event_types" | "sequence_numbers_contiguous" => {}
                key => assert_eq!(seen[key], *value, "{name}: {key}"),
            }
        }
        let ends = completions(&events_while_open(recording.wire, &changed));
        assert_eq!(ends, usize::from(original["failure"].is_null() && original["error"].is_null()), "{name}");
    }
}

#[test]
fn a_doubled_terminal_event_is_still_one_outcome() {
    check_after_the_end(|_, terminal| terminal.to_vec());
}

#[test]
fn a_contrary_terminal_event_after_the_first_is_only_counted() {
    check_after_the_end(|wire, terminal| {
        let failed = String::from_utf8_lossy(terminal).contains("error");
        let contrary = match (wire, failed) {
            (Wire::Chat, true) => "data: [DONE]\n\n",
            (Wire::Chat, false) => "data: {\"error\":{\"message\":\"too late\"}}\n\n",
            (_, true) => "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"other\"}}\n\n",
            (_, false) => "data: {\"type\":\"error\",\"message\":\"too late\"}\n\n",
        };
        contrary.as_bytes().to_vec()
    });
}

/// The recording without the blocks that `is_dropped` names, and without a last event that lacks its blank line.
fn without(recording: &Recording, is_dropped: impl Fn(Signal) -> bool) -> Vec<u8> {
    let mut changed = Vec::new();
    let mut kept_to = 0;
    let blocks = blocks(&recording.bytes);
    let end = blocks.last().map_or(0, |block| block.end);
    for block in blocks {
        if is_dropped(signal(recording.wire, &block.data)) {
            changed.extend_from_slice(&recording.bytes[kept_to..block.start]);
            kept_to = block.end;
        }
    }
    changed.extend_from_slice(&recording.bytes[kept_to..end]);
    changed
}

#[test]
fn a_stream_without_its_terminal_event_is_truncated() {
    for recording in recordings() {
        let name = &recording.name;
        let original = summary(recording.wire, &recording.bytes, 0);
        let cut = summary(recording.wire, &without(&recording, |signal| signal == Signal::Terminal), 0);
        if recording.wire == Wire::Chat {
            // The end of input completes a Chat stream whose choices have all ended.
            let choices = cut["choices"].as_array().expect("choices are a list");
            let all_ended = !choices.is_empty() && choices.iter().all(|choice| !choice["finish_reason"].is_null());
            if all_ended && original["outcome"] != "failed" {
                assert_eq!(cut["outcome"], original["outcome"], "{name}");
            }
            assert_eq!(cut["outcome"] == "truncated", !all_ended, "{name}");
            let cut = without(&recording, |signal| signal != Signal::None);
            assert_truncated(name, &summary(recording.wire, &cut, 0));
        } else {
            assert_truncated(name, &cut);
        }
    }
}

#[track_caller]
fn assert_truncated(name: &str, summary: &Value) {
    assert_eq!(summary["outcome"], "truncated", "{name}");
    assert_eq!(summary["failure"]["kind"], "truncated", "{name}");
}
