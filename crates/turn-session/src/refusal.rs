//! Answers that are no event stream, and what they mean.

use http::StatusCode;
use response_events::{ApiError, Failure, FailureKind, Phase};

use crate::{
    Target, coded,
    quote::{HEADER_QUOTE, quote, shortened},
    transport::Route,
};

/// The failure that an HTTP error status with its body is. `url` is where the request went, as it may be shown.
pub(crate) fn refused(status: u16, body: &[u8], url: &str) -> Failure {
    let name =
        StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("unnamed status");
    // Nothing of that name is there, or it is not for requests: mostly the base URL is wrong.
    let is_misplaced = matches!(status, 404 | 405 | 410);
    // Web frameworks say it of paths that they do not know (`{"detail":"Not Found"}`): that is no error of the API.
    let only_names_it = |error: &ApiError| error.code.is_none() && error.message.eq_ignore_ascii_case(name);
    if let Some(mut error) = ApiError::from_body(body).filter(|error| !(is_misplaced && only_names_it(error))) {
        error.status = Some(status);
        return Failure::from_api(error);
    }
    let place = match status {
        _ if is_misplaced => format!(" at {url}"),
        // A redirect to nowhere, or the answer to a condition that was not made.
        ..400 => " is no answer to this request".to_owned(),
        _ => String::new(),
    };
    let coding = coded::seeming_coding(body);
    let message = match coding.map(coded::described).or_else(|| quote(body)) {
        Some(quote) => format!("HTTP {status} {name}{place}: {quote}"),
        None => format!("HTTP {status} {name}{place}"),
    };
    let kind = match status {
        // Only a proxy asks for this (RFC 9110, section 15.5.8), whoever passes it on.
        407 => FailureKind::Proxy,
        ..400 => FailureKind::Protocol,
        _ => FailureKind::Status,
    };
    let mut failure = Failure::new(kind, message);
    failure.status = Some(status);
    failure
}

/// The failure that an answer is whose body cannot be read for its encoding. A refusal is one all the same.
pub(crate) fn encoded(status: u16, encoding: &str, url: &str) -> Failure {
    let encoding = shortened(encoding, HEADER_QUOTE);
    if status >= 400 {
        let mut failure = refused(status, b"", url);
        failure.message = format!("{}, with a body encoded as {encoding:?}, which was not asked for", failure.message);
        return failure;
    }
    let message = format!("the answer is encoded as {encoding:?}, which was not asked for");
    let mut failure = Failure::new(FailureKind::Protocol, message);
    failure.status = Some(status);
    failure.retryable = false;
    failure
}

/// Why a redirect is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It leads to another origin, or changes the request.
    Elsewhere,
    /// There were too many.
    TooMany,
}

/// The failure that a redirect is which is not followed.
pub(crate) fn redirected(status: u16, location: Option<&str>, refusal: Refusal) -> Failure {
    let shown = |location| shortened(&Target::new(location).shown(), 2 * HEADER_QUOTE).into_owned();
    let target = location.map_or_else(|| "nowhere".to_owned(), |location: &str| shown(location));
    let why = match refusal {
        Refusal::Elsewhere => "which is not followed",
        Refusal::TooMany => "after too many redirects",
    };
    let mut failure = Failure::new(FailureKind::Protocol, format!("HTTP {status} redirects to {target}, {why}"));
    failure.status = Some(status);
    failure.retryable = false;
    failure
}

/// The failure that a page or document instead of an event stream is.
pub(crate) fn not_an_api_answer(
    route: Route,
    status: u16,
    content_type: Option<&str>,
    body: &[u8],
    cut: Option<Failure>,
) -> Failure {
    if let Some(mut error) = ApiError::from_body(body) {
        error.status = error.status.filter(|status| *status >= 400);
        let mut failure = Failure::from_api(error);
        // In answer to a handshake even a success is a refusal, which no class is made for.
        failure.status = failure.status.or(route.is_socket().then_some(status));
        return failure;
    }
    // Of a page the beginning says what it is; of a document it says nothing.
    let may_be_document = body.trim_ascii_start().first().is_none_or(|first| b"{[".contains(first));
    if let Some(cut) = cut.filter(|_| may_be_document) {
        return cut;
    }
    let coding = coded::seeming_coding(body);
    let what = match (coding, quote(body)) {
        (Some(coding), _) => format!(" and {}", coded::described(coding)),
        (None, Some(quote)) => format!(": {quote}"),
        (None, None) => " and an empty body".to_owned(),
    };
    let mut failure = no_answer(status, content_type, &what);
    // As a coding that is named and not known: the next answer would be in it, too.
    failure.retryable &= coding.is_none();
    failure
}

/// The failure that something else than an answer of the API is: `what` goes on behind its head.
pub(crate) fn no_answer(status: u16, content_type: Option<&str>, what: &str) -> Failure {
    let kind = content_type.unwrap_or("no content type");
    let message = format!("not an API answer: HTTP {status} with {kind}{what}");
    let mut failure = Failure::new(FailureKind::Protocol, message);
    failure.status = Some(status);
    failure
}

/// The failure that an answer to the handshake of a WebSocket is which neither opens it nor refuses it.
pub(crate) fn not_upgraded(status: u16, content_type: Option<&str>) -> Failure {
    let kind = content_type.unwrap_or("no content type");
    let message = format!("the WebSocket handshake was answered by HTTP {status} with {kind}, not by a WebSocket");
    let mut failure = Failure::new(FailureKind::Protocol, message).in_phase(Phase::Head);
    failure.status = Some(status);
    failure
}
