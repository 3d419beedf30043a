//! What a service repeats of the caller's secrets: it is not shown on.

use response_events::{Failure, TurnEvent};
use turn_session::TurnState;

const REDACTED: &str = "[redacted]";

/// Shorter ones would be found everywhere.
const SHORTEST: usize = 6;

/// The secrets of one request, as far as they are known here.
pub(crate) struct Secrets {
    key: Option<String>,
    state: TurnState,
}

impl Secrets {
    pub(crate) fn new(key: Option<String>, state: TurnState) -> Self {
        Self { key: key.filter(|key| key.len() >= SHORTEST), state }
    }

    /// Some services quote the key that they refuse.
    pub(crate) fn scrub_failure(&self, mut failure: Failure) -> Failure {
        for secret in self.all() {
            scrub(&mut failure.message, secret);
            if let Some(api) = &mut failure.api {
                scrub(&mut api.message, secret);
            }
        }
        failure
    }

    /// Replaces secrets in what is passed on as it came; the answer's own text is the model's.
    pub(crate) fn scrub_event(&self, event: &mut TurnEvent) {
        for secret in self.all() {
            match event {
                TurnEvent::Retry(retry) => scrub(&mut retry.message, secret),
                TurnEvent::Fallback(fallback) => scrub(&mut fallback.reason, secret),
                TurnEvent::Malformed(malformed) => scrub(&mut malformed.raw, secret),
                TurnEvent::Unknown(other) | TurnEvent::Other(other) => other.raw.replace(secret, REDACTED),
                _ => {}
            }
        }
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        let state = self.state.get().filter(|state| state.len() >= SHORTEST);
        [self.key.as_deref(), state].into_iter().flatten()
    }
}

fn scrub(text: &mut String, secret: &str) {
    if text.contains(secret) {
        *text = text.replace(secret, REDACTED);
    }
}
