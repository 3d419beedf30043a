//! What errors of the layers below mean to a caller.

use http_transport::{BodyEnd, ErrorKind, with_causes};
use response_events::{ApiError, Classifier, Failure, FailureKind, Phase};
use sse_codec::DecodeError;

use crate::{BoxError, asking::NoCredentials};

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
        ErrorKind::Overloaded if error.phase() == http_transport::Phase::Body => FailureKind::Truncated,
        ErrorKind::Cancelled => FailureKind::Cancelled,
        ErrorKind::Connect | ErrorKind::NotSent | ErrorKind::Unanswered | ErrorKind::Overloaded => FailureKind::Connect,
        _ => FailureKind::Protocol,
    };
    let mut failure = Failure::new(kind, with_causes(&error)).in_phase(phase_of(&error));
    if error.kind() == ErrorKind::Overloaded {
        failure.code = Some(Failure::ENHANCE_YOUR_CALM.to_owned());
    }
    // A handshake may fail for a moment; a certificate will be the same next time.
    failure.retryable |= kind == FailureKind::Tls && !error.is_certificate();
    failure.retryable |= error.is_retryable_proxy();
    (failure, Some(Box::new(error)))
}

/// How far a request had come, as far as the service is concerned.
fn phase_of(error: &http_transport::Error) -> Phase {
    // It may have been written by then, and refused unseen.
    if error.kind() == ErrorKind::NotSent { Phase::Sending } else { reached(error.phase()) }
}

/// How far an exchange is that has come so far.
pub(crate) fn reached(phase: http_transport::Phase) -> Phase {
    use http_transport::Phase as Reached;

    match phase {
        Reached::Tls => Phase::Tls,
        // What was written of it may have arrived.
        Reached::Sending | Reached::Head => Phase::Head,
        Reached::Body | Reached::Done => Phase::Streaming,
        _ => Phase::Connect,
    }
}

/// The failure of a body that ends before the blank line of its last event.
pub(crate) fn in_an_event() -> Failure {
    Failure::new(FailureKind::Truncated, "the stream ended in the middle of an event")
}

/// What cut a document short that should have been the answer. It has the limit of an event.
pub(crate) fn of_body_end(end: BodyEnd, max_bytes: usize) -> (Option<Failure>, Option<BoxError>) {
    let (kind, message) = match end {
        BodyEnd::Failed(error) => {
            let (failure, cause) = of_transport(error);
            return (Some(failure), cause);
        }
        BodyEnd::TooLong => (FailureKind::TooLarge, format!("the answer is a document of more than {max_bytes} bytes")),
        BodyEnd::TimedOut => (FailureKind::Timeout, "the answer is a document that did not end in time".to_owned()),
        _ => return (None, None),
    };
    (Some(Failure::new(kind, message)), None)
}

/// The failure that a passed limit of the event stream is.
pub(crate) fn of_decoder(error: DecodeError) -> (Failure, Option<BoxError>) {
    (Failure::new(FailureKind::TooLarge, error.to_string()).in_phase(Phase::Streaming), Some(Box::new(error)))
}

/// The failure that the end of a WebSocket is; `None` is a clean end before the answer was whole. The reason of a close
/// may be the service's report of an error.
pub(crate) fn of_socket(error: Option<ws_codec::Error>, classifier: &Classifier) -> (Failure, Option<BoxError>) {
    use ws_codec::ErrorKind;

    let Some(error) = error else {
        return (closed(1000, "the WebSocket was closed before the answer was whole".to_owned()), None);
    };
    let code = error.close_code().as_u16();
    let failure = match error.kind() {
        ErrorKind::Closed => of_close(code, error.reason(), classifier),
        ErrorKind::UnexpectedEof | ErrorKind::Io | ErrorKind::CloseTimeout => closed(code, with_causes(&error)),
        ErrorKind::Unresponsive => Failure::new(FailureKind::Timeout, with_causes(&error)),
        ErrorKind::MessageTooLarge { .. } | ErrorKind::TooManyFragments { .. } => {
            Failure::new(FailureKind::TooLarge, with_causes(&error))
        }
        _ => Failure::new(FailureKind::Protocol, with_causes(&error)),
    };
    (failure, Some(Box::new(error)))
}

/// The failure that the service's Close is, before the answer was whole.
pub(crate) fn of_close(code: u16, reason: &str, classifier: &Classifier) -> Failure {
    if let Some(reported) = ApiError::from_close_reason(reason, classifier) {
        let mut failure = Failure::from_api(reported);
        failure.close_code = Some(code);
        return failure;
    }
    let colon = if reason.is_empty() { "" } else { ": " };
    closed(code, format!("the WebSocket was closed before the answer was whole (code {code}){colon}{reason}"))
}

fn closed(code: u16, message: String) -> Failure {
    let mut failure = Failure::new(FailureKind::Closed, message);
    failure.close_code = Some(code);
    failure
}

/// The failure that a message is which cannot be sent over a WebSocket.
pub(crate) fn of_send(error: ws_codec::SendError) -> (Failure, Option<BoxError>) {
    let message = error.to_string();
    let failure = match error {
        ws_codec::SendError::TooLarge { .. } => Failure::new(FailureKind::TooLarge, message),
        // It ended between two requests, without saying how.
        _ => closed(1006, message),
    };
    (failure, Some(Box::new(error)))
}

/// The failure that a wrong answer to a handshake is.
pub(crate) fn of_handshake(error: ws_codec::HandshakeError) -> (Failure, Option<BoxError>) {
    (Failure::new(FailureKind::Protocol, error.to_string()).in_phase(Phase::Head), Some(Box::new(error)))
}

/// The failure of a credential hook, which is asked no second time: it knows best whether that would help.
pub(crate) fn of_credentials(error: NoCredentials) -> (Failure, Option<BoxError>) {
    match error {
        NoCredentials::Failed(error) => {
            let message = format!("no credentials for the request: {error}");
            (Failure::new(FailureKind::Config, message), Some(error))
        }
        NoCredentials::Late(limit) => {
            let message = format!("no credentials came for the request within {limit:?} (connect timeout)");
            let mut failure = Failure::new(FailureKind::Timeout, message);
            failure.retryable = false;
            (failure, None)
        }
    }
}
