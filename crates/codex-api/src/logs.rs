//! What the logs tell of a request, beside its events. Everything was scrubbed before.

use response_events::{Failure, TurnEvent};
use turn_session::Target;

/// A retry takes time, and a fallback changes what a session does: whoever runs the program should know of both,
/// without the spans, which are for debugging.
pub(crate) fn event(event: &TurnEvent, target: &Target) {
    match event {
        TurnEvent::Retry(retry) => tracing::warn!(
            url = target.shown(),
            attempt = retry.attempt,
            max_attempts = retry.max_attempts,
            delay = ?retry.delay,
            kind = %retry.reason,
            code = retry.code,
            error = retry.message,
            request_id = retry.request_id,
            discarded = retry.discarded,
            "trying again"
        ),
        TurnEvent::Fallback(fallback) => tracing::warn!(
            url = target.shown(),
            from = fallback.from.as_str(),
            to = fallback.to.as_str(),
            error = fallback.reason,
            "changing the transport"
        ),
        _ => {}
    }
}

/// The caller has the error, and says what it is worth.
pub(crate) fn failure(failure: &Failure, target: &Target) {
    tracing::debug!(
        url = target.shown(),
        kind = %failure.kind,
        phase = %failure.phase,
        code = failure.code,
        status = failure.status,
        close_code = failure.close_code,
        error = failure.message,
        request_id = failure.request_id,
        attempts = failure.attempts,
        gave_up = failure.gave_up,
        output_delivered = failure.output_delivered,
        "failed"
    );
}
