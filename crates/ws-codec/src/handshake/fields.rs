//! Reading the headers of a handshake.

use http::header::{AsHeaderName, HeaderMap, HeaderValue};

/// Whether the comma-separated lists under `name`, in any number of lines, contain `token`, whatever its case.
pub(super) fn has_token(headers: &HeaderMap, name: impl AsHeaderName, token: &str) -> bool {
    items(headers, name).any(|item| item.eq_ignore_ascii_case(token.as_bytes()))
}

/// Whether those lists contain anything: empty elements do not count (RFC 9110, section 5.6.1.2).
pub(super) fn has_any(headers: &HeaderMap, name: impl AsHeaderName) -> bool {
    elements(headers, name).next().is_some()
}

/// What those lists contain.
pub(super) fn elements(headers: &HeaderMap, name: impl AsHeaderName) -> impl Iterator<Item = &[u8]> {
    items(headers, name).filter(|item| !item.is_empty())
}

fn items(headers: &HeaderMap, name: impl AsHeaderName) -> impl Iterator<Item = &[u8]> {
    let values = headers.get_all(name).into_iter();
    values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
}

/// The value of a header that must be there exactly once.
pub(super) fn single(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&HeaderValue> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}
