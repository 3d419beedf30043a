//! UTF-8, validated when a field is handed out and not before: chunks may cut a character.

use alloc::{borrow::Cow, string::String};
use core::str::Utf8Error;

/// Below this length the vectorised validator has no lead.
#[cfg(feature = "simdutf8")]
const SIMD_FROM: usize = 128;

#[inline]
pub(crate) fn check(bytes: &[u8]) -> Result<&str, Utf8Error> {
    #[cfg(feature = "simdutf8")]
    if bytes.len() >= SIMD_FROM {
        // The fast validator does not say where it failed, the one below does.
        if let Ok(text) = simdutf8::basic::from_utf8(bytes) {
            return Ok(text);
        }
    }
    if bytes.is_empty() {
        // As most names are; a call for nothing.
        return Ok("");
    }
    core::str::from_utf8(bytes)
}

/// The replacement of the standard's decoder: fields are cut at ASCII bytes, so field by field gives the same as
/// over the whole stream.
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    match check(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}
