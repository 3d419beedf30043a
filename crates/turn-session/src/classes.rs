//! What a failure is to the retry policy.

use response_events::{ApiError, ErrorClass, Failure, FailureKind, Phase};
use retry_policy::FailureClass;

use crate::{CredentialSource, EngineConfig};

/// Close codes by which a server says that it goes away, and with it others' connections (RFC 6455, section 7.4.1).
const SERVER_EVENTS: [u16; 3] = [1001, 1012, 1013];

/// The class of a failure.
pub(crate) fn class_of(failure: &Failure, config: &EngineConfig) -> FailureClass {
    match failure.kind {
        FailureKind::Api => match &failure.api {
            Some(error) => of_api(error, config),
            None => FailureClass::Unknown,
        },
        FailureKind::Status => of_status(failure.status.unwrap_or_default(), config),
        FailureKind::Dns => FailureClass::Dns,
        FailureKind::Connect if failure.phase == Phase::Connect => FailureClass::Connect,
        FailureKind::Connect => FailureClass::Unanswered,
        FailureKind::Closed if failure.close_code.is_some_and(|code| SERVER_EVENTS.contains(&code)) => {
            FailureClass::ServerEvent
        }
        FailureKind::Truncated | FailureKind::Closed => FailureClass::Cut,
        // What the layers below know to be final: a certificate, a page, a deadline of the whole turn.
        _ if !failure.retryable => FailureClass::Terminal,
        FailureKind::Tls => FailureClass::Tls,
        FailureKind::Proxy => FailureClass::Proxy,
        FailureKind::Protocol => FailureClass::Protocol,
        FailureKind::Timeout => match failure.phase {
            Phase::Connect => FailureClass::ConnectTimeout,
            Phase::Head | Phase::FirstEvent => FailureClass::HeadTimeout,
            _ => FailureClass::Idle,
        },
        _ => FailureClass::Terminal,
    }
}

fn of_api(error: &ApiError, config: &EngineConfig) -> FailureClass {
    let class = config.classifier.classify(error);
    match class {
        ErrorClass::Auth if error.status == Some(401) => of_status(401, config),
        // No name that the tables know, only a status: the service may still ask for another try.
        _ if config.classifier.is_by_status(error) => of_status_class(class),
        ErrorClass::RateLimit => FailureClass::RateLimited,
        ErrorClass::Overloaded => FailureClass::Overloaded,
        ErrorClass::Server | ErrorClass::ConnectionLimit => FailureClass::Server,
        ErrorClass::Unknown => FailureClass::Unknown,
        _ => FailureClass::Terminal,
    }
}

fn of_status(status: u16, config: &EngineConfig) -> FailureClass {
    match (status, config.credentials) {
        (401, CredentialSource::Renewable) => FailureClass::Unauthorized,
        (421, _) => FailureClass::Protocol,
        _ => of_status_class(config.classifier.classify_status(status)),
    }
}

fn of_status_class(class: ErrorClass) -> FailureClass {
    match class {
        ErrorClass::RateLimit => FailureClass::RateLimited,
        ErrorClass::Overloaded => FailureClass::Overloaded,
        ErrorClass::Server => FailureClass::Server,
        ErrorClass::Unknown => FailureClass::Unknown,
        _ => FailureClass::Rejected,
    }
}
