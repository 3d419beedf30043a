//! What a request cost: time, waiting, tokens.

use std::time::Duration;

use response_events::{Ledger, TurnEvent, Usage};

/// Counts along with the events of one request.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// When the first output of the latest attempt came, since the request began.
    first_output: Option<Duration>,
    attempts: u32,
    /// What was waited between attempts.
    waited: Duration,
}

impl Tally {
    /// Counts an event, `at` this time after the request began.
    pub(super) fn observe(&mut self, at: Duration, event: &TurnEvent) {
        match event {
            TurnEvent::Request(request) => self.attempts = request.attempt,
            TurnEvent::Retry(retry) => {
                self.waited += retry.delay;
                self.first_output = None;
            }
            TurnEvent::TextDelta(_)
            | TurnEvent::RefusalDelta(_)
            | TurnEvent::ReasoningDelta(_)
            | TurnEvent::ReasoningSummaryDelta(_)
            | TurnEvent::ToolInputDelta(_)
            | TurnEvent::ItemDone(_) => {
                self.first_output.get_or_insert(at);
            }
            _ => {}
        }
    }

    /// One line for people, after `total`.
    pub(super) fn line(&self, total: Duration, ledger: &Ledger) -> String {
        let mut parts = vec![format!("{:.1} s", total.as_secs_f64())];
        parts.extend(self.first_output.map(|at| format!("first output after {:.1} s", at.as_secs_f64())));
        if self.attempts > 1 {
            parts.push(format!("{} attempts, {:.1} s between them", self.attempts, self.waited.as_secs_f64()));
        }
        parts.extend(ledger.usage.as_ref().and_then(tokens));
        parts.join(" · ")
    }
}

fn tokens(usage: &Usage) -> Option<String> {
    let part = |count: Option<u64>, name: &str| match count {
        None | Some(0) => String::new(),
        Some(count) => format!(" ({count} {name})"),
    };
    let input = usage.input_tokens().map(|n| format!("{n} tokens in{}", part(usage.cached_tokens(), "cached")));
    let output = usage.output_tokens().map(|n| format!("{n} out{}", part(usage.reasoning_tokens(), "reasoning")));
    let parts: Vec<_> = [input, output].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

#[cfg(test)]
mod tests {
    use response_events::{Delta, FailureKind, RequestStarted, Retry, TransportKind};
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn check(events: &[(u64, TurnEvent)], usage: Value, expected: &str) {
        let mut tally = Tally::default();
        for (millis, event) in events {
            tally.observe(Duration::from_millis(*millis), event);
        }
        let mut ledger = Ledger::default();
        ledger.usage = Usage::from_json(usage);
        assert_eq!(tally.line(Duration::from_millis(2_310), &ledger), expected);
    }

    fn request(attempt: u32) -> TurnEvent {
        TurnEvent::Request(RequestStarted::new(attempt, TransportKind::Sse, "http://host"))
    }

    fn text() -> TurnEvent {
        TurnEvent::TextDelta(Delta::new(0, "a"))
    }

    fn retry() -> TurnEvent {
        let mut retry = Retry::new(2, 9, FailureKind::Truncated, "reset");
        retry.delay = Duration::from_millis(1_200);
        TurnEvent::Retry(retry)
    }

    #[test]
    fn the_line_tells_time_and_tokens() {
        let usage = json!({
            "input_tokens": 12, "input_tokens_details": {"cached_tokens": 8},
            "output_tokens": 34, "output_tokens_details": {"reasoning_tokens": 20},
        });
        check(
            &[(0, request(1)), (800, text()), (900, text())],
            usage,
            "2.3 s · first output after 0.8 s · 12 tokens in (8 cached), 34 out (20 reasoning)",
        );
        check(
            &[(0, request(1))],
            json!({"prompt_tokens": 3, "completion_tokens": 0, "prompt_tokens_details": {"cached_tokens": 0}}),
            "2.3 s · 3 tokens in, 0 out",
        );
        check(&[], json!({"cost": 1}), "2.3 s");
    }

    #[test]
    fn an_attempt_that_is_void_does_not_count_as_output() {
        check(
            &[(0, request(1)), (100, text()), (200, retry()), (1_400, request(2)), (2_000, text())],
            Value::Null,
            "2.3 s · first output after 2.0 s · 2 attempts, 1.2 s between them",
        );
    }
}
