//! Takes secrets out of an exchange before it is written.

use bytes::Bytes;

use super::in_band;
use super::secrets::{REDACTED, Secrets};
use crate::cassette::{Content, Course, RecordedChunk, RecordedExchange};
use crate::redact::is_secret;

/// Remembers what the exchange shows to be secret.
pub(super) fn learn(exchange: &RecordedExchange, secrets: &mut Secrets) {
    let response = exchange.response.as_ref();
    let headers = exchange.request_headers.iter().chain(response.into_iter().flat_map(|response| &response.headers));
    for (_, value) in headers.filter(|(name, _)| is_secret(name)) {
        secrets.learn(value);
    }
    for (_, value) in parameters(&exchange.target).filter(|(name, _)| is_secret_parameter(name)) {
        secrets.learn(value.as_bytes());
    }
    let mut learn_fields = |text: &[u8]| {
        for range in in_band::fields(text) {
            secrets.learn(&text[range]);
        }
    };
    learn_fields(&concat(exchange.chunks()));
    for frame in exchange.frames() {
        frame.content.bytes().into_iter().for_each(|bytes| learn_fields(bytes));
    }
    exchange.request_body.bytes().into_iter().for_each(|bytes| learn_fields(bytes));
}

/// Takes out all that is known to be secret.
pub(super) fn redact(exchange: &mut RecordedExchange, secrets: &Secrets) {
    exchange.target = target(&exchange.target, secrets);
    headers(&mut exchange.request_headers, secrets);
    content(&mut exchange.request_body, secrets);
    let Some(response) = &mut exchange.response else { return };
    headers(&mut response.headers, secrets);
    match &mut response.course {
        Course::Body(chunks) => body(chunks, secrets),
        Course::WebSocket(frames) => frames.iter_mut().for_each(|frame| content(&mut frame.content, secrets)),
    }
}

fn headers(headers: &mut [(String, Vec<u8>)], secrets: &Secrets) {
    for (name, value) in headers {
        if is_secret(name) {
            *value = REDACTED.into();
        } else {
            *value = text(value, secrets);
        }
    }
}

fn content(content: &mut Content, secrets: &Secrets) {
    if let Content::Kept(bytes) = content {
        *bytes = Bytes::from(text(bytes, secrets));
    }
}

fn text(text: &[u8], secrets: &Secrets) -> Vec<u8> {
    let mut redacted = Vec::with_capacity(text.len());
    let mut at = 0;
    for range in in_band::all(text, secrets) {
        redacted.extend(&text[at..range.start]);
        redacted.extend(REDACTED.bytes());
        at = range.end;
    }
    redacted.extend(&text[at..]);
    redacted
}

/// A secret can lie across the border of chunks: what stands for it comes where it began.
fn body(chunks: &mut [RecordedChunk], secrets: &Secrets) {
    let whole = concat(chunks);
    let found = in_band::all(&whole, secrets);
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

/// The parameters of a target's query, as they are written.
fn parameters(target: &str) -> impl Iterator<Item = (&str, &str)> {
    let query = target.split_once('?').map(|(_, query)| query);
    query.into_iter().flat_map(|query| query.split('&')).filter_map(|parameter| parameter.split_once('='))
}

fn is_secret_parameter(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["key", "token", "secret", "sig", "auth", "password", "turn-state", "turn_state"]
        .iter()
        .any(|part| name.contains(part))
}

fn target(target: &str, secrets: &Secrets) -> String {
    let named = match target.split_once('?') {
        None => target.to_owned(),
        Some((path, query)) => {
            let parameters = query.split('&').map(|parameter| match parameter.split_once('=') {
                Some((name, _)) if is_secret_parameter(name) => format!("{name}={REDACTED}"),
                _ => parameter.to_owned(),
            });
            format!("{path}?{}", parameters.collect::<Vec<_>>().join("&"))
        }
    };
    String::from_utf8_lossy(&text(named.as_bytes(), secrets)).into_owned()
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

    #[test]
    fn keys_in_queries_are_taken_out() {
        for (given, expected) in [
            ("/v1?api-version=1&key=abc&x", "/v1?api-version=1&key=[redacted]&x"),
            ("/v1?Access_Token=abc", "/v1?Access_Token=[redacted]"),
            ("/v1/responses", "/v1/responses"),
        ] {
            assert_eq!(target(given, &Secrets::default()), expected);
        }
    }
}
