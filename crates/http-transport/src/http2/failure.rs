//! From what h2 says to our errors.

use std::io;

use h2::Reason;

use crate::classify::find;
use crate::connector::BoxError;
use crate::error::{Error, ErrorKind};
use crate::phase::Phase;
use crate::target::Endpoint;

use super::driver::PING_LIMIT;

/// Bytes on the wire that a head beyond the limit has at least, unless its writer plays tricks: Huffman codes are no
/// shorter than five bits (RFC 7541, appendix B).
const LARGE_HEAD: u64 = 40 * 1024;

/// What is known of a request besides the error.
#[derive(Default)]
pub(super) struct Circumstances {
    /// The server left a PING without an answer.
    pub(super) is_unresponsive: bool,
    /// Why it took leave of the connection, if it did.
    pub(super) leave: Option<Reason>,
    /// The connection carried other requests beside this one: what went wrong on it may be the fault of another.
    pub(super) is_shared: bool,
    /// Bytes that passed on the connection since the request was put on it, for whomever.
    pub(super) written: u64,
    pub(super) read: u64,
    /// The body is shorter so far than its head announced.
    pub(super) is_short: bool,
}

/// The connection could not be begun.
pub(super) fn handshake(endpoint: &Endpoint, cause: h2::Error) -> Error {
    head(endpoint, Phase::Sending, &Circumstances::default(), cause)
}

/// No response head came.
pub(super) fn head(endpoint: &Endpoint, phase: Phase, seen: &Circumstances, cause: h2::Error) -> Error {
    let (code, reason) = named(&cause);
    if let Some(error) = common(endpoint, phase, seen, &cause) {
        return error.with_source(source(cause));
    }
    let (kind, message) = if requires_http1(&cause) {
        (ErrorKind::NotSent, format!("{endpoint} wants the request over HTTP/1.1 ({reason})"))
    } else if cause.is_remote() && cause.is_go_away() {
        // h2 tells that to streams above the last one that the server says it has taken, and to none other.
        (ErrorKind::NotSent, format!("{endpoint} went away before it took the request ({reason})"))
    } else if cause.is_remote() && code == Reason::REFUSED_STREAM {
        // RFC 9113, section 8.7.
        (ErrorKind::NotSent, format!("{endpoint} refused the request before it looked at it ({reason})"))
    } else if cause.is_remote() {
        (ErrorKind::Unanswered, format!("{endpoint} reset the request before it answered ({reason})"))
    } else if is_of_all(&cause, seen) {
        (ErrorKind::Unanswered, format!("{endpoint} broke the connection of several requests ({reason})"))
    } else if is_large_head(&cause, seen) {
        (ErrorKind::TooLarge, format!("the response head of {endpoint} is larger than 64 KiB"))
    } else if is_flood(&cause) {
        (ErrorKind::TooLarge, format!("{endpoint} sent more frames than an answer needs ({reason})"))
    } else if cause.is_library() {
        (ErrorKind::Protocol, format!("{endpoint} did not answer with valid HTTP/2 ({reason})"))
    } else if is_tls(&cause) {
        (ErrorKind::Tls, format!("the TLS connection to {endpoint} failed"))
    } else if seen.written == 0 {
        (ErrorKind::NotSent, format!("{endpoint} closed the connection before the request was sent"))
    } else if cause.is_io() {
        (ErrorKind::Unanswered, format!("{endpoint} closed the connection before it answered"))
    } else {
        (ErrorKind::Config, format!("cannot send the request to {endpoint} over HTTP/2"))
    };
    Error::new(kind, phase, message).with_source(source(cause))
}

/// The body broke off.
pub(super) fn body(endpoint: &Endpoint, seen: &Circumstances, cause: h2::Error) -> Error {
    let (code, reason) = named(&cause);
    if let Some(error) = common(endpoint, Phase::Body, seen, &cause) {
        return error.with_source(source(cause));
    }
    // h2 resets a stream itself that ends before its announced length.
    let is_cut = seen.is_short && cause.is_reset() && code == Reason::PROTOCOL_ERROR;
    let (kind, message) = if cause.is_remote() {
        (ErrorKind::Truncated, format!("{endpoint} reset the response body ({reason})"))
    } else if is_of_all(&cause, seen) {
        (ErrorKind::Truncated, format!("{endpoint} broke the connection of several requests ({reason})"))
    } else if is_flood(&cause) {
        (ErrorKind::TooLarge, format!("{endpoint} sent more frames than a body needs ({reason})"))
    } else if cause.is_library() && !is_cut {
        (ErrorKind::Protocol, format!("{endpoint} sent a malformed response body ({reason})"))
    } else {
        (ErrorKind::Truncated, format!("{endpoint} ended the response body too early"))
    };
    Error::new(kind, Phase::Body, message).with_source(source(cause))
}

/// Whether the server says that it wants the request over HTTP/1.1.
pub(crate) fn wants_http1(error: &Error) -> bool {
    find::<h2::Error>(error).is_some_and(requires_http1)
}

/// The server does not serve the request over HTTP/2 (RFC 9113, section 7).
fn requires_http1(cause: &h2::Error) -> bool {
    cause.is_remote() && cause.reason() == Some(Reason::HTTP_1_1_REQUIRED)
}

/// The code of an error and its name, or its number (RFC 9113, section 7).
fn named(cause: &h2::Error) -> (Reason, String) {
    let code = cause.reason().unwrap_or(Reason::NO_ERROR);
    let name = format!("{code:?}");
    (code, if name.starts_with("Reason(") { format!("error code {}", u32::from(code)) } else { name })
}

/// What `with_causes` understands: h2 tells of an I/O error, and does not name it as its source.
fn source(cause: h2::Error) -> BoxError {
    if !cause.is_io() {
        return cause.into();
    }
    cause.into_io().map_or_else(|| "the connection failed".into(), Into::into)
}

/// What means the same wherever it happens.
fn common(endpoint: &Endpoint, phase: Phase, seen: &Circumstances, cause: &h2::Error) -> Option<Error> {
    if seen.is_unresponsive {
        let message = format!("{endpoint} did not answer a PING within {PING_LIMIT:?}");
        return Some(Error::new(ErrorKind::Timeout, phase, message));
    }
    // The streams that it had taken are told only that the connection has ended.
    let reason = if cause.is_io() { seen.leave } else { cause.reason().filter(|_| cause.is_remote()) };
    if reason == Some(Reason::ENHANCE_YOUR_CALM) {
        let message = format!("{endpoint} asks for fewer requests (ENHANCE_YOUR_CALM)");
        return Some(Error::new(ErrorKind::Overloaded, phase, message));
    }
    None
}

/// h2 gave up a connection with others on it. It does not say which of them was answered wrongly: each may be tried
/// again, and the one that is answered so on a connection of its own is told why.
fn is_of_all(cause: &h2::Error, seen: &Circumstances) -> bool {
    cause.is_library() && cause.is_go_away() && seen.is_shared
}

/// h2 resets a stream with an oversized head as it does one with a malformed head, and gives up a connection whose
/// heads are beyond all measure. What was read beside others is not known to be a head.
fn is_large_head(cause: &h2::Error, seen: &Circumstances) -> bool {
    let is_one = is_flood(cause) || cause.is_reset() && cause.reason() == Some(Reason::PROTOCOL_ERROR);
    cause.is_library() && !seen.is_shared && seen.read >= LARGE_HEAD && is_one
}

/// What h2 itself calls too much: frames without end that carry nothing.
fn is_flood(cause: &h2::Error) -> bool {
    cause.is_library() && cause.reason() == Some(Reason::ENHANCE_YOUR_CALM)
}

/// h2 keeps an I/O error to itself instead of naming it as its source.
fn is_tls(cause: &h2::Error) -> bool {
    cause.get_io().is_some_and(|error: &io::Error| find::<rustls::Error>(error).is_some())
}
