//! How far a request has come, for the case that its user stops it.

use response_events::{Failure, FailureKind, Ledger, Retry, TurnEvent};

/// Follows the events of one request.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Attempts made, the present one included.
    attempts: u32,
    /// Whether the present attempt has shown anything of an answer.
    output_delivered: bool,
    /// The attempt that is waited for, while no other goes on.
    awaited: Option<Retry>,
}

impl Standing {
    pub(super) fn observe(&mut self, event: &TurnEvent) {
        match event {
            TurnEvent::Request(request) => *self = Self { attempts: request.attempt, ..Self::default() },
            TurnEvent::Retry(retry) => {
                self.output_delivered = false;
                self.awaited = Some(retry.clone());
            }
            event => self.output_delivered |= event.is_output(),
        }
    }

    /// The failure of a request that the user has stopped: what had arrived by then, and in which attempt.
    pub(super) fn interrupted(&self, ledger: &Ledger) -> Failure {
        let message = if let Some(next) = &self.awaited {
            let void = if next.discarded { "; what had come was void" } else { "" };
            format!("interrupted while waiting for attempt {}{void}", next.attempt)
        } else {
            let (events, bytes) = (count(ledger.events, "event"), count(ledger.payload_bytes, "byte"));
            let of = if self.attempts > 1 { format!(" of attempt {}", self.attempts) } else { String::new() };
            format!("interrupted after {events} ({bytes}){of}")
        };
        let mut failure = Failure::new(FailureKind::Cancelled, message);
        failure.attempts = self.attempts;
        failure.output_delivered = self.output_delivered;
        failure
    }
}

fn count(number: u64, name: &str) -> String {
    format!("{number} {name}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use response_events::{Created, Delta, Opened, RequestStarted, TransportKind};

    use super::*;

    #[track_caller]
    fn check(events: &[TurnEvent], counted: (u64, u64), expected: (&str, u32, bool)) {
        let mut standing = Standing::default();
        for event in events {
            standing.observe(event);
        }
        let mut ledger = Ledger::default();
        (ledger.events, ledger.payload_bytes) = counted;
        let failure = standing.interrupted(&ledger);
        assert_eq!(failure.kind, FailureKind::Cancelled);
        assert_eq!((failure.message.as_str(), failure.attempts, failure.output_delivered), expected);
    }

    fn request(attempt: u32) -> TurnEvent {
        TurnEvent::Request(RequestStarted::new(attempt, TransportKind::Sse, "http://host"))
    }

    fn text() -> TurnEvent {
        TurnEvent::TextDelta(Delta::new(0, "a"))
    }

    fn retry(attempt: u32, discarded: bool) -> TurnEvent {
        let mut retry = Retry::new(attempt, 9, FailureKind::Truncated, "cut");
        retry.discarded = discarded;
        TurnEvent::Retry(retry)
    }

    #[test]
    fn an_attempt_that_goes_on_tells_what_came_of_it() {
        let opened = || TurnEvent::Opened(Opened::new(200));
        let created = || TurnEvent::Created(Created::default());
        check(&[request(1)], (0, 0), ("interrupted after 0 events (0 bytes)", 1, false));
        // What only begins an answer is none yet.
        check(&[request(1), opened(), created()], (1, 40), ("interrupted after 1 event (40 bytes)", 1, false));
        check(&[request(1), created(), text()], (2, 1), ("interrupted after 2 events (1 byte)", 1, true));
        let again = [request(1), text(), retry(2, true), request(2)];
        check(&again, (0, 0), ("interrupted after 0 events (0 bytes) of attempt 2", 2, false));
        let again = [&again[..], &[created(), text()]].concat();
        check(&again, (2, 90), ("interrupted after 2 events (90 bytes) of attempt 2", 2, true));
    }

    #[test]
    fn a_wait_tells_the_attempt_to_come_and_counts_those_made() {
        let void = "interrupted while waiting for attempt 2; what had come was void";
        check(&[request(1), text(), retry(2, true)], (0, 0), (void, 1, false));
        let refused = [request(1), retry(2, false), request(2), retry(3, false)];
        check(&refused, (0, 0), ("interrupted while waiting for attempt 3", 2, false));
    }
}
