//! Takes secrets out of an exchange before it is written.

use bytes::Bytes;

use super::in_band::{self, Notation};
use super::query;
use super::secrets::{REDACTED, Secrets};
use crate::cassette::{Content, Course, RecordedChunk, RecordedExchange};
use crate::secret_name::is_secret_name;

/// Remembers what the exchange shows to be secret.
pub(super) fn learn(exchange: &RecordedExchange, secrets: &mut Secrets) {
    let response_headers = exchange.response.as_ref().map_or(&[][..], |response| &response.headers);
    for (name, value) in exchange.request_headers.iter().chain(response_headers) {
        if name.eq_ignore_ascii_case("sec-websocket-protocol") {
            value.split(|byte| *byte == b',').for_each(|entry| learn_subprotocol(entry.trim_ascii(), secrets));
        } else if is_secret_name(name) {
            secrets.learn(value);
        } else {
            learn_named(value, of_header(name), secrets);
        }
    }
    learn_named(exchange.target.as_bytes(), Notation::Reference, secrets);
    learn_named(&concat(exchange.chunks()), of_body(response_headers), secrets);
    for bytes in exchange.frames().iter().filter_map(|frame| frame.content.bytes()) {
        learn_named(bytes, Notation::Text, secrets);
    }
    if let Some(bytes) = exchange.request_body.bytes() {
        learn_named(bytes, of_body(&exchange.request_headers), secrets);
    }
}

/// `openai-insecure-api-key.KEY` holds a key, and what is long may be one; the others are words.
fn learn_subprotocol(entry: &[u8], secrets: &mut Secrets) {
    let dot = entry.iter().position(|byte| *byte == b'.');
    match dot.map(|dot| (String::from_utf8_lossy(&entry[..dot]), &entry[dot + 1..])) {
        Some((label, key)) if is_secret_name(&label) => secrets.learn(key),
        _ => secrets.learn_below(entry),
    }
}

fn learn_named(text: &[u8], notation: Notation, secrets: &mut Secrets) {
    for field in in_band::fields(text) {
        if field.below {
            secrets.learn_below(&text[field.range]);
        } else {
            secrets.learn(&text[field.range]);
        }
    }
    for range in in_band::parameters(text, notation) {
        secrets.learn(&text[range.clone()]);
        secrets.learn(&query::decoded(&text[range]));
    }
}

/// Takes out all that is known to be secret.
pub(super) fn redact(exchange: &mut RecordedExchange, secrets: &Secrets) {
    exchange.target = target(&exchange.target, secrets);
    let notation = of_body(&exchange.request_headers);
    headers(&mut exchange.request_headers, secrets);
    content(&mut exchange.request_body, notation, secrets);
    let Some(response) = &mut exchange.response else { return };
    let notation = of_body(&response.headers);
    headers(&mut response.headers, secrets);
    match &mut response.course {
        Course::Body(chunks) => body(chunks, notation, secrets),
        Course::WebSocket(frames) => {
            for frame in frames {
                content(&mut frame.content, Notation::Text, secrets);
            }
        }
    }
}

/// How the body below these headers names its secrets.
fn of_body(headers: &[(String, Vec<u8>)]) -> Notation {
    let is_form = |value: &[u8]| {
        let essence = value.split(|byte| *byte == b';').next().unwrap_or_default();
        essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
    };
    let form = headers.iter().any(|(name, value)| name.eq_ignore_ascii_case("content-type") && is_form(value));
    if form { Notation::Form } else { Notation::Text }
}

/// How the value of a header does.
fn of_header(name: &str) -> Notation {
    let references = ["location", "content-location", "referer"];
    if references.iter().any(|known| name.eq_ignore_ascii_case(known)) { Notation::Reference } else { Notation::Urls }
}

fn headers(headers: &mut [(String, Vec<u8>)], secrets: &Secrets) {
    for (name, value) in headers {
        if is_secret_name(name) {
            *value = REDACTED.into();
        } else {
            *value = text(value, of_header(name), secrets);
        }
    }
}

fn content(content: &mut Content, notation: Notation, secrets: &Secrets) {
    if let Content::Kept(bytes) = content {
        *bytes = Bytes::from(text(bytes, notation, secrets));
    }
}

fn text(text: &[u8], notation: Notation, secrets: &Secrets) -> Vec<u8> {
    let mut redacted = Vec::with_capacity(text.len());
    let mut at = 0;
    for range in in_band::all(text, notation, secrets) {
        redacted.extend(&text[at..range.start]);
        redacted.extend(REDACTED.bytes());
        at = range.end;
    }
    redacted.extend(&text[at..]);
    redacted
}

/// A secret can lie across the border of chunks: what stands for it comes where it began.
fn body(chunks: &mut [RecordedChunk], notation: Notation, secrets: &Secrets) {
    let whole = concat(chunks);
    let found = in_band::all(&whole, notation, secrets);
    if found.is_empty() {
        return;
    }
    let mut begin = 0;
    for chunk in chunks {
        let end = begin + chunk.bytes.len();
        let mut redacted = Vec::with_capacity(chunk.bytes.len());
        let mut at = begin;
        for range in found.iter().filter(|range| range.start < end && range.end > begin) {
            redacted.extend(&whole[at..range.start.max(at)]);
            if range.start >= begin {
                redacted.extend(REDACTED.bytes());
            }
            at = range.end.min(end);
        }
        redacted.extend(&whole[at..end]);
        chunk.bytes = redacted.into();
        begin = end;
    }
}

fn concat(chunks: &[RecordedChunk]) -> Vec<u8> {
    chunks.iter().flat_map(|chunk| &chunk.bytes).copied().collect()
}

fn target(target: &str, secrets: &Secrets) -> String {
    String::from_utf8_lossy(&text(target.as_bytes(), Notation::Reference, secrets)).into_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_secret_across_chunks_is_taken_out_wherever_the_borders_are() {
        let whole = r#"data: {"x-codex-turn-state":"s3cret-s3cret"} s3cret-s3cret."#;
        let expected = r#"data: {"x-codex-turn-state":"[redacted]"} [redacted]."#;
        for size in 1..=whole.len() {
            let chunks: Vec<_> =
                whole.as_bytes().chunks(size).map(|piece| RecordedChunk::new(Duration::ZERO, piece.to_vec())).collect();
            let mut exchange = RecordedExchange::new("POST", "/");
            let count = chunks.len();
            let response = crate::RecordedResponse::new(Duration::ZERO, 200, Course::Body(chunks));
            exchange.response = Some(response);
            let mut secrets = Secrets::default();
            learn(&exchange, &mut secrets);
            redact(&mut exchange, &secrets);
            assert_eq!(String::from_utf8(concat(exchange.chunks())).unwrap(), expected, "pieces of {size}");
            assert_eq!(exchange.chunks().len(), count);
        }
    }

    /// A request and its answer with one header and one body, redacted.
    #[track_caller]
    fn check(header: (&str, &str), body: &str, expected: (&str, &str)) {
        let mut exchange = RecordedExchange::new("POST", "/");
        let headers = vec![(header.0.to_owned(), header.1.as_bytes().to_vec())];
        exchange.request_headers = headers.clone();
        exchange.request_body = Content::Kept(Bytes::copy_from_slice(body.as_bytes()));
        let chunk = RecordedChunk::new(Duration::ZERO, body.as_bytes().to_vec());
        let mut response = crate::RecordedResponse::new(Duration::ZERO, 200, Course::Body(vec![chunk]));
        response.headers = headers;
        exchange.response = Some(response);
        let mut secrets = Secrets::default();
        learn(&exchange, &mut secrets);
        redact(&mut exchange, &secrets);
        let shown = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let expected = (expected.0.to_owned(), expected.1.to_owned());
        let request = (shown(&exchange.request_headers[0].1), shown(exchange.request_body.bytes().unwrap()));
        assert_eq!(request, expected, "of the request");
        let response = (shown(&exchange.response.as_ref().unwrap().headers[0].1), shown(&concat(exchange.chunks())));
        assert_eq!(response, expected, "of the response");
    }

    #[test]
    fn secret_parameters_of_forms_are_taken_out() {
        let form = "application/x-www-form-urlencoded";
        for (content_type, given, expected) in [
            (
                form,
                "grant_type=refresh_token&client_id=app&client_secret=s3cr%2Fet&refresh_token=rt-123456",
                "grant_type=refresh_token&client_id=app&client_secret=[redacted]&refresh_token=[redacted]",
            ),
            ("Application/X-WWW-Form-Urlencoded; charset=UTF-8", "password=a?b#c", "password=[redacted]"),
            (
                form,
                "client%5Fsecret=abc&accessToken=abc&q=abc",
                "client%5Fsecret=[redacted]&accessToken=[redacted]&q=abc",
            ),
            (form, "token=rt-123456&token_type_hint=refresh_token", "token=[redacted]&token_type_hint=refresh_token"),
            // Once seen, found again: as it was written, and as it was meant.
            (form, "api_key=s3cr%2Fet&q=s3cr/et", "api_key=[redacted]&q=[redacted]"),
            ("text/plain", "password=a", "password=a"),
        ] {
            check(("content-type", content_type), given, (content_type, expected));
        }
    }

    #[test]
    fn urls_in_headers_are_redacted_like_targets() {
        for (name, given, expected) in [
            (
                "location",
                "https://host/cb?state=1&access_token=abc#x",
                "https://host/cb?state=1&access_token=[redacted]#x",
            ),
            ("location", "/cb?key=abc", "/cb?key=[redacted]"),
            ("location", "/cb#id_token=abc&state=1", "/cb#id_token=[redacted]&state=1"),
            ("location", "//me:pw@host/?a=b", "//[redacted]@host/?a=b"),
            ("Referer", "https://me:pw@host/a@b?c=d", "https://[redacted]@host/a@b?c=d"),
            (
                "link",
                "<https://host/?sig=abc>; rel=\"next\", <HTTP://me@host>",
                "<https://host/?sig=[redacted]>; rel=\"next\", <HTTP://[redacted]@host>",
            ),
            (
                "x-meta",
                r#"{"u":"https://h/?next=https://me:pw@h/&key=a"}"#,
                r#"{"u":"https://h/?next=https://[redacted]@h/&key=[redacted]"}"#,
            ),
            ("x-other", "what? key=abc", "what? key=abc"),
            ("origin", "https://host:8080", "https://host:8080"),
        ] {
            check((name, given), "", (expected, ""));
        }
    }

    #[test]
    fn secret_fields_are_taken_out() {
        let json = "application/json";
        for (given, expected) in [
            (
                r#"{"client_secret":{"value":"ek_0123456789abcdef","expires_at":1},"say":"ek_0123456789abcdef"}"#,
                r#"{"client_secret":{"value":"[redacted]","expires_at":1},"say":"[redacted]"}"#,
            ),
            // The words of a schema are not looked for elsewhere.
            (
                r#"{"password":{"type":"string","description":"The password"},"type":"string"}"#,
                r#"{"password":{"type":"[redacted]","description":"[redacted]"},"type":"string"}"#,
            ),
            (r#"{"idToken":"abc","token":"abc"}"#, r#"{"idToken":"[redacted]","token":"abc"}"#),
        ] {
            check(("content-type", json), given, (json, expected));
        }
    }

    #[test]
    fn keys_in_queries_are_taken_out() {
        for (given, expected) in [
            ("/v1?api-version=1&key=abc&x", "/v1?api-version=1&key=[redacted]&x"),
            ("/v1?Access_Token=abc", "/v1?Access_Token=[redacted]"),
            ("/v1/responses", "/v1/responses"),
            ("http://me:pw@host/v1?a=b", "http://[redacted]@host/v1?a=b"),
        ] {
            assert_eq!(target(given, &Secrets::default()), expected);
        }
    }

    #[test]
    fn of_subprotocols_the_key_is_known_elsewhere_and_the_others_are_words() {
        let name = "Sec-WebSocket-Protocol";
        let offered = "realtime, openai-insecure-api-key.sk-0123, openai-beta.realtime-v1";
        check((name, offered), "gpt-realtime said sk-0123", ("[redacted]", "gpt-realtime said [redacted]"));
    }
}
