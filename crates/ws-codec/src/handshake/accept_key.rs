//! `sec-websocket-key` and `sec-websocket-accept` (RFC 6455, sections 4.1 and 4.2.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The key of these bytes.
pub(super) fn key(entropy: [u8; 16]) -> HeaderValue {
    ascii(&STANDARD.encode(entropy))
}

/// Whether this is the base64 of 16 bytes.
pub(super) fn is_key(key: &HeaderValue) -> bool {
    STANDARD.decode(key.as_bytes()).is_ok_and(|bytes| bytes.len() == 16)
}

/// The value that answers the key.
pub(super) fn accept(key: &HeaderValue) -> HeaderValue {
    let mut hash = sha1_smol::Sha1::from(key.as_bytes());
    hash.update(GUID);
    ascii(&STANDARD.encode(hash.digest().bytes()))
}

/// Base64 is visible ASCII, which every header value may be.
fn ascii(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::{HeaderValue, accept, is_key, key};

    #[test]
    fn the_example_of_the_standard_holds() {
        let sample = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(key(*b"the sample nonce"), sample);
        assert_eq!(accept(&sample), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn a_key_is_sixteen_bytes_in_base64() {
        for (text, expected) in
            [("dGhlIHNhbXBsZSBub25jZQ==", true), ("dGhlIHNhbXBsZSBub25j", false), ("", false), ("no base64", false)]
        {
            assert_eq!(is_key(&HeaderValue::from_static(text)), expected, "{text:?}");
        }
    }
}
