//! From the errors of the layers below to ours.
//!
//! hyper's `is_*` flags are all false for a cut body, so the `source()` chain decides.

mod certificate;

use std::error::Error as StdError;
use std::io;

use crate::coding::DecodeError;
use crate::connector::BoxError;
use crate::error::{Error, ErrorKind};
use crate::idle::HEAD_LIMIT;
use crate::phase::Phase;
use crate::progress::Progress;
use crate::target::Endpoint;

/// The first error of type `E` in the chain, `error` itself included.
///
/// An `io::Error` hides the error that it wraps from `source()`, so wrapped errors are looked at, too.
pub(crate) fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn StdError + 'static)),
            None => error.source(),
        };
    }
    None
}

/// None of the addresses of `endpoint` accepted a connection; `cause` is the most telling failure of `tried`.
pub(crate) fn connect(endpoint: &Endpoint, tried: usize, cause: impl Into<BoxError>) -> Error {
    let cause = cause.into();
    let all = if tried > 1 { format!(" ({tried} addresses tried)") } else { String::new() };
    let message = match find::<io::Error>(&*cause).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => format!("{endpoint} refused the connection{all}"),
        _ => format!("cannot connect to {endpoint}{all}"),
    };
    Error::new(ErrorKind::Connect, Phase::Connect, message).with_source(cause)
}

/// The server does not speak HTTP/2 over TLS, and must.
pub(crate) fn no_http2(endpoint: &Endpoint, phase: Phase) -> Error {
    let message = format!("{endpoint} does not speak HTTP/2, and nothing else is allowed by the settings");
    Error::new(ErrorKind::Config, phase, message)
}

/// The server wants HTTP/1.1, and must not get it.
pub(crate) fn no_http1(endpoint: &Endpoint, cause: Error) -> Error {
    let message = format!("{endpoint} requires HTTP/1.1, and nothing but HTTP/2 is allowed by the settings");
    Error::new(ErrorKind::Config, cause.phase(), message).with_source(cause)
}

/// The TLS handshake failed.
pub(crate) fn handshake(endpoint: &Endpoint, phase: Phase, cause: io::Error) -> Error {
    let message = match find::<rustls::Error>(&cause) {
        Some(rustls::Error::InvalidCertificate(reason)) => {
            format!("the certificate of {endpoint} was refused: {}", certificate::refusal(reason))
        }
        Some(rustls::Error::AlertReceived(alert)) => {
            format!("{endpoint} answered the TLS handshake with the alert {alert:?}")
        }
        Some(rustls::Error::InvalidMessage(_)) => format!("{endpoint} does not speak TLS"),
        Some(_) => format!("the TLS handshake with {endpoint} failed"),
        None => format!("{endpoint} closed the connection during the TLS handshake"),
    };
    Error::new(ErrorKind::Tls, phase, message).with_source(cause)
}

/// What is too large about a head of which so much was read. hyper tells neither a large number of headers nor a
/// `content-length` beyond all numbers from a large head.
fn too_large(seen: &Progress) -> &'static str {
    if seen.read() < HEAD_LIMIT as u64 {
        "has more than 100 headers, or a content-length that no body can have"
    } else {
        "is larger than 64 KiB or has more than 100 headers"
    }
}

/// No tunnel came. `seen` is what passed on the connection.
pub(crate) fn tunnel(proxy: &Endpoint, seen: &Progress, cause: hyper::Error) -> Error {
    let error = |message| Error::new(ErrorKind::Proxy, Phase::Proxy, message);
    let error = if cause.is_parse_too_large() {
        error(format!("the head of the answer of {proxy} {}", too_large(seen)))
    } else if cause.is_parse() || is_unasked(&cause) {
        error(format!("{proxy} did not answer with valid HTTP"))
    } else {
        error(format!("{proxy} closed the connection before it answered")).passing()
    };
    error.with_source(cause)
}

/// No response head came. `seen` is what passed on the connection since the request was put on it.
pub(crate) fn head(endpoint: &Endpoint, phase: Phase, seen: &Progress, cause: hyper::Error) -> Error {
    let (kind, message) = if cause.is_parse_too_large() {
        (ErrorKind::TooLarge, format!("the response head of {endpoint} {}", too_large(seen)))
    } else if find::<rustls::Error>(&cause).is_some() {
        (ErrorKind::Tls, format!("the TLS connection to {endpoint} failed"))
    } else if cause.is_parse() || is_unasked(&cause) {
        (ErrorKind::Protocol, format!("{endpoint} did not answer with valid HTTP"))
    } else if seen.written() == 0 {
        (ErrorKind::NotSent, format!("{endpoint} closed the connection before the request was sent"))
    } else if cause.is_incomplete_message() || find::<io::Error>(&cause).is_some() {
        (ErrorKind::Unanswered, format!("{endpoint} closed the connection before it answered"))
    } else {
        (ErrorKind::Cancelled, format!("the request to {endpoint} was given up"))
    };
    Error::new(kind, phase, message).with_source(cause)
}

/// The body broke off.
pub(crate) fn body(endpoint: &Endpoint, cause: hyper::Error) -> Error {
    let malformed = find::<rustls::Error>(&cause).is_none()
        && find::<io::Error>(&cause)
            .is_some_and(|error| matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData));
    let (kind, message) = if malformed {
        (ErrorKind::Protocol, format!("{endpoint} sent a malformed response body"))
    } else {
        (ErrorKind::Truncated, format!("{endpoint} ended the response body too early"))
    };
    Error::new(kind, Phase::Body, message).with_source(cause)
}

/// The body is in a transfer coding that is not undone.
pub(crate) fn foreign_coding(endpoint: &Endpoint, coding: &str) -> Error {
    let coding: String = coding.chars().take(40).collect();
    let message =
        format!("{endpoint} sent the response body in the transfer coding {coding:?}, which was not asked for");
    Error::new(ErrorKind::Protocol, Phase::Body, message)
}

/// The body came, and cannot be decoded (to its end).
pub(crate) fn decoding(endpoint: &Endpoint, cause: DecodeError) -> Error {
    let (kind, message) = match cause {
        DecodeError::Truncated { .. } => {
            (ErrorKind::Truncated, format!("{endpoint} ended the response body too early"))
        }
        DecodeError::Corrupt { .. } => (ErrorKind::Protocol, format!("{endpoint} sent a malformed response body")),
        DecodeError::WindowTooLarge { .. } | DecodeError::Ratio { .. } | DecodeError::TooLong { .. } => {
            (ErrorKind::TooLarge, format!("{endpoint} sent a response body that is too large to decode"))
        }
    };
    Error::new(kind, Phase::Body, message).with_source(cause)
}

/// Bytes that came before the request went out: hyper then cancels the request, and the reason is one level down,
/// with no flag of its own.
fn is_unasked(cause: &hyper::Error) -> bool {
    let reason = cause.source().and_then(|source| source.downcast_ref::<hyper::Error>());
    cause.is_canceled()
        && reason.is_some_and(|reason| !reason.is_incomplete_message() && find::<io::Error>(reason).is_none())
}
