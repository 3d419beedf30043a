use std::fmt;

use http::{StatusCode, Version};

/// Why a handshake is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandshakeError {
    /// Not HTTP/1.1, the only version with an upgrade.
    HttpVersion(Version),
    /// The status is not 101: the server refused, and its body may say why.
    Status(StatusCode),
    /// The request is not a GET.
    Method,
    /// `upgrade` does not name `websocket`.
    Upgrade,
    /// `connection` does not name `upgrade`.
    Connection,
    /// `sec-websocket-accept` is missing, repeated, or not the answer to our key.
    AcceptKey,
    /// `sec-websocket-key` is missing, repeated, or not 16 bytes in base64.
    Key,
    /// `sec-websocket-version` is not 13.
    Version,
    /// The server chose an extension; none was offered.
    Extension,
    /// The server chose a subprotocol that was not offered, or several.
    Subprotocol,
}

impl HandshakeError {
    /// The status with which a server refuses such a request: 405, 426 or 400. With 426 belongs the header
    /// `sec-websocket-version: 13` (RFC 6455, section 4.4).
    pub fn refusal(&self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Version | Self::Upgrade => StatusCode::UPGRADE_REQUIRED,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::HttpVersion(version) => return write!(f, "the handshake is {version:?} instead of HTTP/1.1"),
            Self::Status(status) => {
                return write!(f, "the server answered the upgrade with status {}", status.as_u16());
            }
            Self::Method => "the handshake is not a GET request",
            Self::Upgrade => "the handshake does not upgrade to websocket",
            Self::Connection => "the handshake does not upgrade its connection",
            Self::AcceptKey => "the server did not answer the key of the handshake",
            Self::Key => "the handshake has no valid key",
            Self::Version => "the handshake is not of version 13",
            Self::Extension => "the server chose an extension that was not offered",
            Self::Subprotocol => "the server chose a subprotocol that was not offered",
        };
        f.write_str(text)
    }
}

impl std::error::Error for HandshakeError {}
