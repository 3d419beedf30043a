//! Which versions of HTTP are spoken, and how a connection comes to one.

use crate::proxy::Route;
use crate::target::Security;
use crate::upgrade::Switch;

/// The versions of HTTP that a transport speaks.
///
/// Whatever is chosen, requests for an upgrade (WebSocket handshakes) and requests that a proxy forwards in absolute
/// form go over HTTP/1.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HttpVersions {
    /// What the server picks of HTTP/2 and HTTP/1.1 over TLS (ALPN, RFC 7301); HTTP/1.1 over cleartext.
    ///
    /// Without the feature `http2` this is HTTP/1.1.
    #[default]
    Auto,
    /// HTTP/1.1 (RFC 9112).
    Http1,
    /// HTTP/2 (RFC 9113). Over TLS nothing else is offered, and a server without it is an error; over cleartext the
    /// server is taken to speak it (prior knowledge, section 3.3).
    #[cfg(feature = "http2")]
    Http2,
}

/// What a request may be sent over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    Http1,
    Http2,
    /// The server chooses.
    Either,
}

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spoken {
    Http1,
    Http2,
}

const HTTP1: &[u8] = b"http/1.1";
const HTTP2: &[u8] = b"h2";

impl Offer {
    pub(crate) fn choose(versions: HttpVersions, security: Security, route: &Route, switch: Switch) -> Self {
        if cfg!(not(feature = "http2")) || switch != Switch::Excluded || matches!(route, Route::Forward(_)) {
            return Self::Http1;
        }
        match (versions, security) {
            (HttpVersions::Auto, Security::Tls) => Self::Either,
            (HttpVersions::Auto, Security::Plain) | (HttpVersions::Http1, _) => Self::Http1,
            #[cfg(feature = "http2")]
            (HttpVersions::Http2, _) => Self::Http2,
        }
    }

    /// The same to a server that wants HTTP/1.1, as far as the settings let it have that.
    pub(crate) fn without_http2(self) -> Self {
        if self == Self::Either { Self::Http1 } else { self }
    }

    /// The protocol names for ALPN, the preferred one first.
    pub(crate) fn protocols(self) -> Vec<Vec<u8>> {
        let names: &[&[u8]] = match self {
            Self::Http1 => &[HTTP1],
            Self::Http2 => &[HTTP2],
            Self::Either => &[HTTP2, HTTP1],
        };
        names.iter().map(|name| name.to_vec()).collect()
    }

    /// What the server's answer to ALPN comes to; `None` where it leaves nothing to speak. A server that does not
    /// answer speaks HTTP/1.1.
    pub(crate) fn agreed(self, selected: Option<&[u8]>) -> Option<Spoken> {
        match (self, selected) {
            (Self::Http2 | Self::Either, Some(HTTP2)) => Some(Spoken::Http2),
            (Self::Http2, _) => None,
            (Self::Http1 | Self::Either, _) => Some(Spoken::Http1),
        }
    }

    /// What is spoken where nothing can be negotiated.
    pub(crate) fn unnegotiated(self) -> Spoken {
        match self {
            Self::Http2 => Spoken::Http2,
            Self::Http1 | Self::Either => Spoken::Http1,
        }
    }
}

#[cfg(test)]
mod tests;
