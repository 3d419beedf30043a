use http::header::{
    CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{StatusCode, Version};

use super::{HandshakeError, accept_key, fields};

/// The client's half of the opening handshake (RFC 6455, section 4.1): what to add to a GET request, and whether the
/// response is its answer. Neither extensions nor subprotocols are offered.
///
/// ```
/// use http::{HeaderMap, StatusCode, Version};
/// use ws_codec::{ClientHandshake, HandshakeError};
///
/// let handshake = ClientHandshake::new(*b"the sample nonce"); // 16 bytes of the operating system's entropy
/// assert_eq!(handshake.headers()["sec-websocket-key"], "dGhlIHNhbXBsZSBub25jZQ==");
/// let refused = handshake.verify(Version::HTTP_11, StatusCode::FORBIDDEN, &HeaderMap::new());
/// assert_eq!(refused, Err(HandshakeError::Status(StatusCode::FORBIDDEN)));
/// ```
#[derive(Debug, Clone)]
pub struct ClientHandshake {
    key: HeaderValue,
}

impl ClientHandshake {
    /// A handshake with a key of these bytes: fresh entropy for each handshake.
    pub fn new(entropy: [u8; 16]) -> Self {
        Self { key: accept_key::key(entropy) }
    }

    /// The headers of the request: `connection`, `upgrade`, `sec-websocket-version` and `sec-websocket-key`.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(SEC_WEBSOCKET_KEY, self.key.clone());
        headers
    }

    /// Checks the head of the response.
    ///
    /// # Errors
    /// [`HandshakeError::Status`] if the server refused; otherwise the first part of the answer that is wrong.
    pub fn verify(&self, version: Version, status: StatusCode, headers: &HeaderMap) -> Result<(), HandshakeError> {
        if status != StatusCode::SWITCHING_PROTOCOLS {
            return Err(HandshakeError::Status(status));
        }
        if version != Version::HTTP_11 {
            return Err(HandshakeError::HttpVersion(version));
        }
        if !fields::has_token(headers, UPGRADE, "websocket") {
            return Err(HandshakeError::Upgrade);
        }
        if !fields::has_token(headers, CONNECTION, "upgrade") {
            return Err(HandshakeError::Connection);
        }
        if fields::single(headers, SEC_WEBSOCKET_ACCEPT) != Some(&accept_key::accept(&self.key)) {
            return Err(HandshakeError::AcceptKey);
        }
        if fields::has_any(headers, SEC_WEBSOCKET_EXTENSIONS) {
            return Err(HandshakeError::Extension);
        }
        if fields::has_any(headers, SEC_WEBSOCKET_PROTOCOL) {
            return Err(HandshakeError::Subprotocol);
        }
        Ok(())
    }
}
