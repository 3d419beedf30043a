//! What a failure is to the retry policy.

use response_events::{ApiError, ErrorClass, Failure, FailureKind, Phase};
use retry_policy::FailureClass;

use crate::{
    CredentialSource, EngineConfig,
    attempt::{SocketPast, SocketUse},
};

/// The class of a failure.
pub(crate) fn class_of(failure: &Failure, socket: SocketUse, config: &EngineConfig) -> FailureClass {
    match failure.kind {
        FailureKind::Connect | FailureKind::Truncated
            if failure.code.as_deref() == Some(Failure::ENHANCE_YOUR_CALM) =>
        {
            FailureClass::Overloaded
        }
        FailureKind::Api => match &failure.api {
            Some(error) => of_api(error, socket, config),
            None => FailureClass::Unknown,
        },
        FailureKind::Status => of_status(failure.status.unwrap_or_default(), config),
        FailureKind::Dns => FailureClass::Dns,
        FailureKind::Connect => match failure.phase {
            Phase::Connect | Phase::Tls => FailureClass::Connect,
            Phase::Sending => FailureClass::NotSent,
            _ => FailureClass::Unanswered,
        },
        FailureKind::Closed => of_close_code(failure.close_code.unwrap_or_default(), socket, config),
        FailureKind::Truncated => FailureClass::Cut,
        // What the layers below know to be final: a certificate, a page, a deadline of the whole turn.
        _ if !failure.retryable => FailureClass::Terminal,
        FailureKind::Tls => FailureClass::Tls,
        FailureKind::Proxy => FailureClass::Proxy,
        FailureKind::Protocol => FailureClass::Protocol,
        FailureKind::Timeout => match failure.phase {
            Phase::Connect => FailureClass::ConnectTimeout,
            Phase::Tls => FailureClass::TlsTimeout,
            Phase::Sending | Phase::Head | Phase::FirstEvent => FailureClass::HeadTimeout,
            _ => FailureClass::Idle,
        },
        _ => FailureClass::Terminal,
    }
}

/// Close codes (RFC 6455, section 7.4.1, and the registry of codes).
fn of_close_code(code: u16, socket: SocketUse, config: &EngineConfig) -> FailureClass {
    match code {
        // Kept from an earlier request, it may have been closed before it was used again; the other codes say that it
        // was closed for a reason.
        0 | 1000 | 1005 | 1006 if socket.past == SocketPast::Unproven => FailureClass::Stale,
        // The server goes away, and others' connections with it.
        1001 | 1012 | 1013 => FailureClass::ServerEvent,
        // Whatever it says of the request that it has refused, the one behind it needs a socket.
        _ if socket.past == SocketPast::Refused => FailureClass::Stale,
        1002 | 1003 | 1007 | 1010 => FailureClass::Protocol,
        1008 | 1009 | 3003 => FailureClass::Terminal,
        // "Unauthorized" and, above, "forbidden": as the statuses.
        3000 => of_status(401, config),
        1011 | 1014 => FailureClass::Server,
        _ => FailureClass::Cut,
    }
}

fn of_api(error: &ApiError, socket: SocketUse, config: &EngineConfig) -> FailureClass {
    let class = config.classifier.classify(error);
    match class {
        ErrorClass::PreviousResponseNotFound if socket.chained => FailureClass::UnknownPrevious,
        ErrorClass::Auth if is_renewable_401(error, config) => FailureClass::Unauthorized,
        ErrorClass::InvalidRequest if is_renewable_401(error, config) && names_a_family_alone(error, config) => {
            FailureClass::Unauthorized
        }
        // No name that the tables know, only a status: the service may still ask for another try.
        _ if config.classifier.is_by_status(error) => match error.status {
            Some(status) => of_status(status, config),
            None => of_status_class(class),
        },
        ErrorClass::RateLimit => FailureClass::RateLimited,
        ErrorClass::Overloaded => FailureClass::Overloaded,
        ErrorClass::Server => FailureClass::Server,
        ErrorClass::ConnectionLimit => FailureClass::SocketTooOld,
        // It is followed nowhere, and so it would be the next time.
        ErrorClass::Unknown if error.status.is_some_and(is_redirect) => FailureClass::Rejected,
        ErrorClass::Unknown => FailureClass::Unknown,
        _ => FailureClass::Terminal,
    }
}

fn is_redirect(status: u16) -> bool {
    (300..400).contains(&status)
}

fn is_renewable_401(error: &ApiError, config: &EngineConfig) -> bool {
    error.status == Some(401) && config.credentials == CredentialSource::Renewable
}

/// Whether an error says of itself no more that is known than the family it belongs to: many things are called an
/// `invalid_request_error`, refused credentials and unknown methods among them. Its status says more.
pub(crate) fn names_a_family_alone(error: &ApiError, config: &EngineConfig) -> bool {
    let mut rest = error.clone();
    for name in [&mut rest.code, &mut rest.error_type] {
        name.take_if(|name| name.ends_with("_error"));
    }
    config.classifier.is_by_status(&rest)
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
