//! Whether bytes are text.

/// Below this length the vectorised check has no lead.
#[cfg(feature = "simdutf8")]
const SIMD_FROM: usize = 128;

/// The bytes as text, if they are UTF-8.
pub(crate) fn as_text(bytes: &[u8]) -> Option<&str> {
    #[cfg(feature = "simdutf8")]
    if bytes.len() >= SIMD_FROM {
        return simdutf8::basic::from_utf8(bytes).ok();
    }
    std::str::from_utf8(bytes).ok()
}
