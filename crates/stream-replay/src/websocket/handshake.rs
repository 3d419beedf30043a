//! Whether a request asks for a WebSocket.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use ws_codec::{HandshakeError, ServerHandshake};

use crate::head::Head;

/// Checks a request that was read, which is of HTTP/1.1. Header lines that no `HeaderMap` can hold
/// are of no concern here.
pub(crate) fn verify(head: &Head) -> Result<ServerHandshake, HandshakeError> {
    let method = Method::from_bytes(head.method.as_bytes()).map_err(|_| HandshakeError::Method)?;
    let lines = head.headers.iter();
    let headers: HeaderMap = lines
        .filter_map(|(name, value)| Some((name.parse::<HeaderName>().ok()?, value.parse::<HeaderValue>().ok()?)))
        .collect();
    ServerHandshake::verify(&method, Version::HTTP_11, &headers)
}
