use http::header::{
    CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{StatusCode, Version};

use super::{HandshakeError, accept_key, fields};

/// The client's half of the opening handshake (RFC 6455, section 4.1): what to add to a GET request, and whether the
/// response is its answer. No extensions are offered, and subprotocols only by [`offering`](Self::offering).
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
    /// The values of `sec-websocket-protocol` in the request.
    offered: Vec<HeaderValue>,
}

impl ClientHandshake {
    /// A handshake with a key of these bytes: fresh entropy for each handshake.
    pub fn new(entropy: [u8; 16]) -> Self {
        Self { key: accept_key::key(entropy), offered: Vec::new() }
    }

    /// The same for a request with headers that offer subprotocols (`sec-websocket-protocol`): the server may choose
    /// one of them. Which one is in its answer.
    pub fn offering(mut self, request: &HeaderMap) -> Self {
        self.offered = request.get_all(SEC_WEBSOCKET_PROTOCOL).iter().cloned().collect();
        self
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
        let mut chosen = fields::elements(headers, SEC_WEBSOCKET_PROTOCOL);
        match (chosen.next(), chosen.next()) {
            (None, _) => Ok(()),
            (Some(one), None) if self.offers(one) => Ok(()),
            _ => Err(HandshakeError::Subprotocol),
        }
    }

    /// Names of subprotocols differ by case, too.
    fn offers(&self, chosen: &[u8]) -> bool {
        let mut offered = self.offered.iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
        offered.any(|offered| offered.trim_ascii() == chosen)
    }
}
