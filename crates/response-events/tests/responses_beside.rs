//! What a Responses stream brings beside the answer: the turn state, the limits, the account.

mod common;

use common::{check_responses, interpreter};
use response_events::{TurnEvent, Wire};

#[test]
fn turn_state_is_captured_from_metadata_and_shown_nowhere() {
    for event_type in ["response.metadata", "codex.response.metadata"] {
        for name in ["x-codex-turn-state", "X-Codex-Turn-State", "X-CODEX-TURN-STATE"] {
            for value in [r#""s3cret""#, r#"["s3cret","other"]"#] {
                check_responses(
                    &format!(r#"{{"headers":{{"{name}":{value}}},"type":"{event_type}"}}"#),
                    &format!(
                        r#"
                        other {event_type} {{"headers":{{"{name}":"[redacted]"}},"type":"{event_type}"}}
                        turn-state "s3cret"
                        == open
                        "#
                    ),
                );
            }
        }
    }
}

#[test]
fn headers_that_are_none_do_not_hide_those_of_the_response() {
    for headers in ["null", "[]", r#""x""#] {
        let metadata = |state: &str| {
            format!(
                r#"{{"headers":{headers},"response":{{"headers":{{"x-codex-turn-state":"{state}"}}}},"type":"response.metadata"}}"#
            )
        };
        let expected = format!("other response.metadata {}\nturn-state \"s3cret\"\n== open", metadata("[redacted]"));
        check_responses(&metadata("s3cret"), &expected);
    }
}

#[test]
fn metadata_without_a_usable_turn_state_gives_none() {
    for headers in ["{}", "null", "[]", r#"{"x-other":"a"}"#] {
        check_responses(
            &format!(r#"{{"type":"response.metadata","headers":{headers}}}"#),
            &format!("other response.metadata {{\"type\":\"response.metadata\",\"headers\":{headers}}}\n== open"),
        );
    }
    for value in ["null", "7", "[]", "{}"] {
        check_responses(
            &format!(r#"{{"type":"response.metadata","headers":{{"x-codex-turn-state":{value}}}}}"#),
            "other response.metadata {\"headers\":{\"x-codex-turn-state\":\"[redacted]\"},\"type\":\"response.metadata\"}\n== open",
        );
    }
}

#[test]
fn a_turn_state_shows_in_no_event_of_any_kind() {
    let payloads = [
        r#"{"type":"response.metadata","headers":{"x-codex-turn-state":"s3cret"}}"#,
        r#"{"type":"never.heard_of","headers":{"x-codex-turn-state":"s3cret"}}"#,
        r#"{"type":"response.output_text.delta","headers":{"x-codex-turn-state":"s3cret"}}"#,
        r#"{"type":"response.metadata","headers":{"x-codex-turn-state":"s3cret"#,
        r#"{"type":"response.metadata","headers":{"x-codex-turn-state":"s3cret"},"odd":"\ud800"}"#,
        r#"{"headers":{"x-codex-turn-state":"s3cret"}}"#,
        r#"{"type":"keepalive"}{"headers":{"x-codex-turn-state":"s3cret"}}"#,
    ];
    for payload in payloads {
        let mut stream = interpreter(Wire::Responses);
        stream.handle_event(None, payload.as_bytes());
        let events: Vec<TurnEvent> = std::iter::from_fn(|| stream.poll_event()).collect();
        assert!(!events.is_empty(), "{payload}");
        for event in events {
            let json = serde_json::to_string(&event).expect(payload);
            assert!(!json.contains("s3cret"), "{json}");
            assert!(!format!("{event:?}").contains("s3cret"), "{event:?}");
        }
        assert!(!format!("{:?}", stream.ledger()).contains("s3cret"), "{payload}");
    }
}

#[test]
fn rate_limits_are_read_and_odd_ones_passed_on() {
    let mut stream = interpreter(Wire::Responses);
    let event = r#"{"type":"codex.rate_limits","plan_type":"pro","metered_limit_name":"","limit_name":"big",
        "rate_limits":{"allowed":true,"primary":{"used_percent":42,"window_minutes":300,"reset_at":1700000000},"secondary":null},
        "credits":{"has_credits":true,"unlimited":false,"balance":"1.5"}}"#;
    stream.handle_event(None, event.as_bytes());
    let Some(TurnEvent::RateLimits(limits)) = stream.poll_event() else { panic!("no rate limits") };
    assert_eq!((limits.limit_id.as_str(), limits.plan_type.as_deref()), ("big", Some("pro")));
    let primary = limits.primary.unwrap();
    assert_eq!((primary.window_minutes, primary.reset_at), (Some(300), Some(1_700_000_000)));
    assert!((primary.used_percent - 42.0).abs() < f64::EPSILON);
    assert_eq!(limits.secondary, None);
    assert_eq!(limits.credits.unwrap().balance.as_deref(), Some("1.5"));

    check_responses(
        r#"{"type":"codex.rate_limits","rate_limits":null}"#,
        "other codex.rate_limits {\"type\":\"codex.rate_limits\",\"rate_limits\":null}\n== open",
    );
}

#[test]
fn the_ledger_counts_everything_that_passed() {
    let payloads =
        ["", ": x", "[DONE]", "<p>", r#"{"type":"keepalive"}"#, r#"{"type":"keepalive"}"#, r#"{"type":"new"}"#];
    let mut stream = interpreter(Wire::Responses);
    for payload in payloads {
        stream.handle_event(None, payload.as_bytes());
    }
    let ledger = stream.ledger();
    assert_eq!(ledger.events, payloads.len() as u64);
    assert_eq!(ledger.payload_bytes, payloads.iter().map(|payload| payload.len() as u64).sum::<u64>());
    assert_eq!(ledger.event_types.iter().collect::<Vec<_>>(), [("keepalive", 2), ("new", 1)]);
}

#[test]
fn the_types_of_finished_items_are_in_the_order_of_the_answer() {
    let mut stream = interpreter(Wire::Responses);
    for (place, item_type) in [("1", "message"), ("0", "reasoning"), ("null", "new"), ("1", "late")] {
        let event =
            format!(r#"{{"type":"response.output_item.done","output_index":{place},"item":{{"type":"{item_type}"}}}}"#);
        stream.handle_event(None, event.as_bytes());
    }
    assert_eq!(stream.ledger().done_item_types, ["reasoning", "message", "new", "late"]);
}

#[test]
fn made_up_types_cannot_grow_the_ledger_without_bound() {
    let mut stream = interpreter(Wire::Responses);
    for number in 0..1000 {
        stream.handle_event(None, format!(r#"{{"type":"t{number}"}}"#).as_bytes());
        stream.poll_event();
    }
    let counts: Vec<u64> = stream.ledger().event_types.iter().map(|(_, count)| count).collect();
    assert!(counts.len() <= 257, "{}", counts.len());
    assert_eq!(counts.iter().sum::<u64>(), 1000);
}
