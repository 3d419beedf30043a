//! What the logs tell of a request, beside its events. The secrets that are known were taken out before; logs are read
//! by others than the caller, and which part of a base URL is a key nobody knows.

use response_events::{Failure, TurnEvent};
use turn_session::Target;

use crate::endpoint::Endpoint;

/// The paths before that of an endpoint which are known to hold no key.
const KNOWN: [&str; 2] = ["", "/v1"];

/// Shorter paths would be found in other words.
const SHORTEST: usize = 6;

/// The span in which a request is read.
pub(crate) fn span(target: &Target) -> tracing::Span {
    tracing::debug_span!("request", url = Place::of(target).url)
}

/// A retry takes time, and a fallback changes what a session does: whoever runs the program should know of both,
/// without the spans, which are for debugging.
pub(crate) fn event(event: &TurnEvent, target: &Target) {
    match event {
        TurnEvent::Retry(retry) => tracing::warn!(
            url = Place::of(target).url,
            attempt = retry.attempt,
            max_attempts = retry.max_attempts,
            delay = ?retry.delay,
            kind = %retry.reason,
            code = retry.code,
            error = Place::of(target).named_in(&retry.message),
            request_id = retry.request_id,
            discarded = retry.discarded,
            "trying again"
        ),
        TurnEvent::Fallback(fallback) => tracing::warn!(
            url = Place::of(target).url,
            from = fallback.from.as_str(),
            to = fallback.to.as_str(),
            error = Place::of(target).named_in(&fallback.reason),
            "changing the transport"
        ),
        _ => {}
    }
}

/// The caller has the error, and says what it is worth.
pub(crate) fn failure(failure: &Failure, target: &Target) {
    tracing::debug!(
        url = Place::of(target).url,
        kind = %failure.kind,
        phase = %failure.phase,
        code = failure.code,
        status = failure.status,
        close_code = failure.close_code,
        error = Place::of(target).named_in(&failure.message),
        request_id = failure.request_id,
        attempts = failure.attempts,
        gave_up = failure.gave_up,
        output_delivered = failure.output_delivered,
        "failed"
    );
}

/// Where a request goes, as logs have it.
struct Place {
    /// The origin, and what is known of the path.
    url: String,
    /// What is not known of it, if there is such a part.
    hidden: Option<String>,
}

impl Place {
    fn of(target: &Target) -> Self {
        let shown = target.shown();
        let path_at = shown.find("://").and_then(|at| Some(at + 3 + shown[at + 3..].find('/')?)).unwrap_or(shown.len());
        let (origin, path) = shown.split_at(path_at);
        let endpoint = Endpoint::ALL.iter().map(|endpoint| endpoint.path()).find(|known| path.ends_with(known));
        let endpoint = endpoint.unwrap_or_default();
        let base = path.strip_suffix(endpoint).unwrap_or(path);
        if KNOWN.contains(&base) {
            return Self { url: shown, hidden: None };
        }
        Self { url: format!("{origin}/…{endpoint}"), hidden: Some(base.to_owned()) }
    }

    /// A message, which may name the URL, or another one made of it.
    fn named_in(&self, message: &str) -> String {
        match self.hidden.as_deref().filter(|hidden| hidden.len() >= SHORTEST) {
            Some(hidden) => message.replace(hidden, "/…"),
            None => message.to_owned(),
        }
    }
}
