//! Answers that are no event stream, and what they mean.

use std::borrow::Cow;

use http::StatusCode;
use response_events::{ApiError, Failure, FailureKind, Phase};

use crate::Target;

/// Longest piece of a body that a message quotes, in characters.
const QUOTE: usize = 300;
/// Longest value of a header that a message quotes: a service may send any.
pub(crate) const HEADER_QUOTE: usize = 100;

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
    let message = match quote(body) {
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
pub(crate) fn not_an_api_answer(status: u16, content_type: Option<&str>, body: &[u8], cut: Option<Failure>) -> Failure {
    if let Some(mut error) = ApiError::from_body(body) {
        error.status = error.status.filter(|status| *status >= 400);
        return Failure::from_api(error);
    }
    // Of a page the beginning says what it is; of a document it says nothing.
    let may_be_document = body.trim_ascii_start().first().is_none_or(|first| b"{[".contains(first));
    if let Some(cut) = cut.filter(|_| may_be_document) {
        return cut;
    }
    let kind = content_type.unwrap_or("no content type");
    let message = match quote(body) {
        Some(quote) => format!("not an API answer: HTTP {status} with {kind}: {quote}"),
        None => format!("not an API answer: HTTP {status} with {kind} and an empty body"),
    };
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

/// What a person should see of a body: the title of a page, else its first text, without its tags if it is a page.
pub(crate) fn quote(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|start| {
        let begin = start + lower[start..].find('>')? + 1;
        let end = begin + lower[begin..].find("</title")?;
        Some(&text[begin..end])
    });
    let text = match title {
        Some(title) => title.to_owned(),
        None if text.trim_start().starts_with('<') => without_tags(&text, &lower),
        None => text.into_owned(),
    };
    // A terminal would obey some characters.
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let words = words.collect::<Vec<_>>().join(" ");
    if words.is_empty() { None } else { Some(shortened(&words, QUOTE).into_owned()) }
}

/// The beginning of a text, in so many characters; it says so where more follows.
pub(crate) fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]).into(),
        None => text.into(),
    }
}

/// What stands in a page without being text of it: how it begins, and how it ends.
const NO_TEXT: [(&str, &str); 3] = [("!--", "--"), ("script", "</script"), ("style", "</style")];

/// The text between the tags of a page, which `lower` is in lower case; a tag that is not closed ends it.
fn without_tags(page: &str, lower: &str) -> String {
    let (mut text, mut at) = (String::new(), 0);
    while let Some(length) = page[at..].find('<') {
        text.push_str(&page[at..at + length]);
        text.push(' ');
        at += length + 1;
        let hidden = NO_TEXT.iter().find(|(begin, _)| lower[at..].starts_with(begin));
        // What is hidden ends in the middle of a tag, as every tag begins.
        if let Some((begin, end)) = hidden {
            at += begin.len();
            let Some(length) = lower[at..].find(end) else { return text };
            at += length;
        }
        let Some(length) = page[at..].find('>') else { return text };
        at += length + 1;
    }
    text + &page[at..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_quoted_by_their_title_or_words_and_text_by_its_beginning() {
        assert_eq!(quote(b"<HTML><head><Title>\n Log in </title>..").as_deref(), Some("Log in"));
        assert_eq!(quote(b" upstream\n gone ").as_deref(), Some("upstream gone"));
        let page = b"<html><body><h1>429 Too Many</h1>\nYou <b>asked</b> often.\n</body></html>\n<cut";
        assert_eq!(quote(page).as_deref(), Some("429 Too Many You asked often."));
        let page = b"<STYLE>h1 > b { }</style><!-- <p> a > b --><h1>Gone</h1><script>if (a < b) { }</script> for now";
        assert_eq!(quote(page).as_deref(), Some("Gone for now"));
        assert_eq!(quote("<p>É</p><script>É".as_bytes()).as_deref(), Some("É"));
        assert_eq!(quote(b"\x1b[31mred\x07\0 alert").as_deref(), Some("[31mred alert"));
        assert_eq!(quote(b"1 < 2 <b>").as_deref(), Some("1 < 2 <b>"));
        assert_eq!(quote(b" <p></p>"), None);
        assert_eq!(quote(b" \n"), None);
        assert_eq!(quote("ü".repeat(400).as_bytes()).map(|quote| quote.chars().count()), Some(QUOTE + 1));
        assert_eq!(quote("<title>İstanbul</title>".as_bytes()).as_deref(), Some("İstanbul"));
    }
}
