//! The one error type of the crate.

use std::error::Error as StdError;
use std::fmt;

use crate::classify;
use crate::phase::Phase;
use crate::proxy::ProxyAnswer;

/// Why an exchange failed.
///
/// `Display` is one sentence that says what failed and where (`host:port`), and for a time-out after how long.
/// The cause is in [`source`](StdError::source). Neither holds header values, user info or bodies, but for an excerpt
/// of what a proxy says about its refusal.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    phase: Phase,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
    proxy_answer: Option<Box<ProxyAnswer>>,
    /// Of a proxy's failure: whether it may be over soon.
    is_passing: bool,
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
    /// A proxy refused, or does not keep to its protocol. See [`Error::is_retryable_proxy`] and
    /// [`Error::proxy_answer`]. A proxy that cannot be reached, or is silent, is one of the other kinds.
    Proxy,
    /// A deadline passed; [`Error::phase`] tells which one.
    Timeout,
    /// The connection ended before any byte of the request was written, or the server said (HTTP/2) that it did not
    /// look at it: it cannot have acted on it.
    NotSent,
    /// The connection, or the request's part of it (HTTP/2), ended after the request was (partly) written and before
    /// the response head was complete.
    Unanswered,
    /// The connection, the request's part of it (HTTP/2), or the compressed data, ended in the middle of the body.
    Truncated,
    /// The peer does not keep to HTTP.
    Protocol,
    /// The response head is larger than 64 KiB, has more than 100 headers or a `content-length` beyond all numbers, or
    /// a compressed body expands beyond its [`DecodeLimits`](crate::DecodeLimits).
    TooLarge,
    /// The server asks for fewer requests, by a means of HTTP/2 (`ENHANCE_YOUR_CALM`); a later one may be welcome.
    Overloaded,
    /// The exchange was given up on this side.
    Cancelled,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, phase: Phase, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            phase,
            message: message.into(),
            source: None,
            proxy_answer: None,
            is_passing: false,
        }))
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Keeps the answer, whose status tells whether the proxy may change its mind.
    pub(crate) fn with_proxy_answer(mut self, answer: ProxyAnswer) -> Self {
        self.0.is_passing = matches!(answer.head.status.as_u16(), 502..=504);
        self.0.proxy_answer = Some(Box::new(answer));
        self
    }

    /// Marks the failure of a proxy that may be over soon.
    pub(crate) fn passing(mut self) -> Self {
        self.0.is_passing = true;
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

    /// The answer of a proxy that refused ([`ErrorKind::Proxy`]). A SOCKS proxy has none.
    pub fn proxy_answer(&self) -> Option<&ProxyAnswer> {
        self.0.proxy_answer.as_deref()
    }

    /// For [`ErrorKind::Proxy`]: whether another try may succeed. So it is after 502, 503 and 504, after a SOCKS
    /// proxy could not reach the server, and when the proxy closed the connection instead of answering; not when it
    /// asks for credentials, forbids, or makes no sense.
    pub fn is_retryable_proxy(&self) -> bool {
        self.0.kind == ErrorKind::Proxy && self.0.is_passing
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("phase", &self.0.phase)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .field("proxy_answer", &self.0.proxy_answer)
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
