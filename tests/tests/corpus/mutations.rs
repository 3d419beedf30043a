//! Recordings that were changed: in framing, which must not matter, or in their end, which must in one way only.

use std::collections::{BTreeSet, HashSet};

use response_events::{TurnEvent, Wire};
use serde_json::{Value, json};

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

/// The places of the members in a value, as JSON pointers, as deep as a wire's own go.
fn places(value: &Value, place: &str, found: &mut Vec<String>) {
    if place.starts_with("/response") && place.matches('/').count() > 2 {
        return;
    }
    let mut visit = |key: &str, inner: &Value| {
        let place = format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"));
        places(inner, &place, found);
        found.push(place);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| visit(key, inner)),
        Value::Array(list) => list.iter().take(2).enumerate().for_each(|(at, inner)| visit(&at.to_string(), inner)),
        _ => {}
    }
}

/// The members of a value and their types, whatever they say.
fn shape(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            map.iter().map(|(key, inner)| format!("{key}:{}", shape(inner))).collect::<Vec<_>>().join(";")
        }
        Value::Array(list) => format!("[{}]", list.first().map(shape).unwrap_or_default()),
        Value::String(text) if text.is_empty() => "empty".to_owned(),
        other => other.to_string().chars().next().map(|first| first.is_ascii_digit().to_string()).unwrap_or_default(),
    }
}

/// The texts that a payload brings: everything else in it may be passed over.
fn texts(wire: Wire, payload: &Value) -> Vec<String> {
    const OF_DELTA: [&str; 4] = ["content", "refusal", "reasoning", "reasoning_content"];
    let pieces: Vec<&Value> = match wire {
        Wire::Chat => {
            let deltas = payload["choices"].as_array().into_iter().flatten().map(|choice| &choice["delta"]);
            deltas.flat_map(|delta| OF_DELTA.map(|field| &delta[field])).collect()
        }
        _ if payload["type"].as_str().is_some_and(|event_type| event_type.strip_suffix(".delta").is_some()) => {
            vec![&payload["delta"]]
        }
        _ => Vec::new(),
    };
    let texts = pieces.into_iter().flat_map(|piece| match piece {
        Value::Array(list) => list.iter().collect(),
        other => vec![other],
    });
    texts.filter_map(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

#[track_caller]
fn check_still_sound(recording: &Recording, changed: &[u8], texts: &[String], what: &str) {
    let name = &recording.name;
    let events = events_while_open(recording.wire, changed);
    assert!(events.iter().rev().skip(1).all(|event| !event.is_terminal()), "{name}: {what}: goes on behind its end");
    let mut done = BTreeSet::new();
    for event in &events {
        if let TurnEvent::ItemDone(event) = event {
            assert!(done.insert(event.output_index), "{name}: {what}: done twice");
        }
    }
    let told: String = events.iter().map(|event| serde_json::to_string(event).expect("events are JSON")).collect();
    for text in texts {
        let text = Value::from(text.as_str()).to_string();
        // In quotes as a piece, without in what is passed on as it came.
        assert!(told.contains(text.trim_matches('"')), "{name}: {what}: {text} is lost");
    }
}

/// Every member of every kind of payload, in the recordings that are short.
#[test]
fn a_member_of_another_type_loses_nothing_else_and_ends_nothing_twice() {
    const SHORT: usize = 16;
    let mut seen = HashSet::new();
    for recording in recordings() {
        let blocks = blocks(&recording.bytes);
        for block in blocks.iter().filter(|_| blocks.len() <= SHORT) {
            let Ok(payload) = serde_json::from_slice::<Value>(&block.data) else { continue };
            if !seen.insert(shape(&payload)) {
                continue;
            }
            let mut members = Vec::new();
            places(&payload, "", &mut members);
            for place in members {
                let known = payload.pointer(&place).cloned().unwrap_or_default();
                for other in [json!(null), json!([known])] {
                    let mut changed = payload.clone();
                    if let Some(member) = changed.pointer_mut(&place) {
                        *member = other.clone();
                    }
                    let texts = texts(recording.wire, &changed);
                    let data = format!("data: {changed}\n\n");
                    let (before, after) = (&recording.bytes[..block.start], &recording.bytes[block.end..]);
                    let bytes = [before, data.as_bytes(), after].concat();
                    check_still_sound(&recording, &bytes, &texts, &format!("{place} as {other}"));
                }
            }
        }
    }
}

/// The finished items without their ids, and whether the answer was told to be over.
fn answer(wire: Wire, bytes: &[u8]) -> (Vec<Value>, usize) {
    let events = events_while_open(wire, bytes);
    let ends = completions(&events);
    let items = events.into_iter().filter_map(|event| match event {
        TurnEvent::ItemDone(done) => {
            let mut item = Value::from(done.item);
            item.as_object_mut()?.remove("id");
            Some(item)
        }
        _ => None,
    });
    (items.collect(), ends)
}

/// A change to the payload with a number.
type Habit = fn(usize, &mut Value);

/// Changes of which no service makes all, and each is made by some.
const HABITS: [(Wire, &str, Habit); 7] = [
    (Wire::Responses, "no sequence numbers", |_, event| drop(take(event, "sequence_number"))),
    (Wire::Responses, "new ids in every event", |at, event| {
        for object in ["/item", "/response", "/response/output/0", "/response/output/1"] {
            rename(event.pointer_mut(object), "id", &format!("{object}{at}"));
        }
        rename(Some(event), "item_id", &format!("item{at}"));
    }),
    (Wire::Responses, "no places", |_, event| drop(take(event, "output_index"))),
    (Wire::Responses, "no output in the response", |_, event| {
        event.pointer_mut("/response").map(|response| take(response, "output"));
    }),
    (Wire::Chat, "a new model in every chunk", |at, chunk| rename(Some(chunk), "model", &format!("m{at}"))),
    (Wire::Chat, "content in parts", |_, chunk| {
        for_each_delta(chunk, |delta| {
            if let Some(text) = delta.get("content").and_then(Value::as_str) {
                delta["content"] = json!([{"type": "text", "text": text}]);
            }
        });
    }),
    (Wire::Chat, "calls counted in sevens", |_, chunk| {
        for_each_delta(chunk, |delta| {
            for call in delta.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(index) = call["index"].as_u64() {
                    call["index"] = json!(index * 7 + 3);
                }
            }
        });
    }),
];

fn take(object: &mut Value, member: &str) -> Option<Value> {
    object.as_object_mut()?.remove(member)
}

fn rename(object: Option<&mut Value>, member: &str, name: &str) {
    if let Some(member) = object.and_then(|object| object.get_mut(member)).filter(|member| member.is_string()) {
        *member = json!(name);
    }
}

fn for_each_delta(chunk: &mut Value, change: impl Fn(&mut Value)) {
    for choice in chunk.get_mut("choices").and_then(Value::as_array_mut).into_iter().flatten() {
        choice.get_mut("delta").map(&change);
    }
}

#[test]
fn habits_of_services_change_no_answer() {
    for recording in recordings() {
        let original = answer(recording.wire, &recording.bytes);
        for (wire, habit, change) in HABITS {
            if wire != recording.wire {
                continue;
            }
            let mut changed = Vec::new();
            let mut copied_to = 0;
            for (at, block) in blocks(&recording.bytes).iter().enumerate() {
                let Ok(mut payload) = serde_json::from_slice::<Value>(&block.data) else { continue };
                change(at, &mut payload);
                changed.extend_from_slice(&recording.bytes[copied_to..block.start]);
                changed.extend_from_slice(format!("data: {payload}\n\n").as_bytes());
                copied_to = block.end;
            }
            changed.extend_from_slice(&recording.bytes[copied_to..]);
            assert_eq!(answer(recording.wire, &changed), original, "{}: {habit}", recording.name);
        }
    }
}
