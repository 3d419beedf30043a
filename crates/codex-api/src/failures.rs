//! What errors of the layers below mean to a caller.

use std::error::Error as StdError;

use http_transport::ErrorKind;
use response_events::{Failure, FailureKind, Phase};
use sse_codec::DecodeError;

use crate::BoxError;

/// The failure that a transport error is, and the error itself as its cause.
pub(crate) fn of_transport(error: http_transport::Error) -> (Failure, Option<BoxError>) {
    let kind = match error.kind() {
        ErrorKind::Config => FailureKind::Config,
        ErrorKind::Dns => FailureKind::Dns,
        ErrorKind::Tls => FailureKind::Tls,
        ErrorKind::Proxy => FailureKind::Proxy,
        ErrorKind::Timeout => FailureKind::Timeout,
        ErrorKind::Truncated => FailureKind::Truncated,
        ErrorKind::TooLarge => FailureKind::TooLarge,
        ErrorKind::Cancelled => FailureKind::Cancelled,
        ErrorKind::Connect | ErrorKind::NotSent | ErrorKind::Unanswered => FailureKind::Connect,
        _ => FailureKind::Protocol,
    };
    let mut failure = Failure::new(kind, with_causes(&error)).in_phase(match error.phase() {
        http_transport::Phase::Head => Phase::Head,
        http_transport::Phase::Body | http_transport::Phase::Done => Phase::Streaming,
        _ => Phase::Connect,
    });
    // A handshake may fail for a moment; a certificate will be the same next time.
    failure.retryable |= kind == FailureKind::Tls && !error.is_certificate();
    (failure, Some(Box::new(error)))
}

/// The failure that a passed limit of the event stream is.
pub(crate) fn of_decoder(error: DecodeError) -> (Failure, Option<BoxError>) {
    (Failure::new(FailureKind::TooLarge, error.to_string()).in_phase(Phase::Streaming), Some(Box::new(error)))
}

/// The failure of a credential hook.
pub(crate) fn of_credentials(error: BoxError) -> (Failure, Option<BoxError>) {
    let message = format!("no credentials for the request: {error}");
    (Failure::new(FailureKind::Config, message), Some(error))
}

/// The error with its causes in one line, since a failure is often all that a log keeps.
fn with_causes(error: &dyn StdError) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !message.contains(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        cause = error.source();
    }
    message
}
