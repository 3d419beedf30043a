//! The one error type of the crate.

use std::error::Error as StdError;
use std::fmt;

use crate::classify;
use crate::phase::Phase;

/// Why an exchange failed.
///
/// `Display` is one sentence that says what failed and where (`host:port`), and for a time-out after how long.
/// The cause is in [`source`](StdError::source). Neither holds header values, user info or bodies.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    phase: Phase,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The classes of failure, by what a caller can do about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request, the builder or this machine's set-up cannot work; nothing was sent.
    Config,
    /// The host name did not resolve.
    Dns,
    /// No address of the host accepted a TCP connection.
    Connect,
    /// TLS failed, most often in the handshake. See [`Error::is_certificate`].
    Tls,
    /// A proxy refused or broke the tunnel. Not produced as long as the crate has no proxy support.
    Proxy,
    /// A deadline passed; [`Error::phase`] tells which one.
    Timeout,
    /// The connection ended before any byte of the request was written: the server cannot have acted on it.
    NotSent,
    /// The connection ended after the request was (partly) written and before the response head was complete.
    Unanswered,
    /// The connection ended in the middle of the body.
    Truncated,
    /// The peer does not keep to HTTP.
    Protocol,
    /// The response head is larger than 64 KiB or has more than 100 headers.
    TooLarge,
    /// The exchange was given up on this side.
    Cancelled,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, phase: Phase, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, phase, message: message.into(), source: None }))
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The class of the failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The step that failed.
    pub fn phase(&self) -> Phase {
        self.0.phase
    }

    /// Whether the server's certificate was refused: unknown issuer, expired, another host's. A second try meets
    /// the same certificate.
    pub fn is_certificate(&self) -> bool {
        matches!(classify::find::<rustls::Error>(self), Some(rustls::Error::InvalidCertificate(_)))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("phase", &self.0.phase)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
