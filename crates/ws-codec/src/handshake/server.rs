use http::header::{
    CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{Method, Version};

use super::{HandshakeError, accept_key, fields};

/// The server's half of the opening handshake (RFC 6455, section 4.2): whether a request asks for a WebSocket, and
/// the headers of the 101 that grants it. Offered extensions and subprotocols are not taken.
#[derive(Debug, Clone)]
pub struct ServerHandshake {
    accept: HeaderValue,
}

impl ServerHandshake {
    /// Checks the head of the request.
    ///
    /// # Errors
    /// The first part of the request that is wrong; [`HandshakeError::refusal`] is the status to answer with.
    pub fn verify(method: &Method, version: Version, headers: &HeaderMap) -> Result<Self, HandshakeError> {
        if version != Version::HTTP_11 {
            return Err(HandshakeError::HttpVersion(version));
        }
        if method != Method::GET {
            return Err(HandshakeError::Method);
        }
        if !fields::has_token(headers, UPGRADE, "websocket") {
            return Err(HandshakeError::Upgrade);
        }
        if !fields::has_token(headers, CONNECTION, "upgrade") {
            return Err(HandshakeError::Connection);
        }
        if fields::single(headers, SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err(HandshakeError::Version);
        }
        match fields::single(headers, SEC_WEBSOCKET_KEY) {
            Some(key) if accept_key::is_key(key) => Ok(Self { accept: accept_key::accept(key) }),
            _ => Err(HandshakeError::Key),
        }
    }

    /// The headers of the 101 response: `connection`, `upgrade` and `sec-websocket-accept`.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(3);
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, self.accept.clone());
        headers
    }
}
