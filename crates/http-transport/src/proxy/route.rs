//! The way from here to a server.

use std::sync::Arc;

use http::{HeaderMap, StatusCode};

use crate::error::Error;
use crate::target::{Endpoint, Security};
use crate::upgrade::Switch;

use super::table::Table;
use super::url::{Protocol, Proxy};

/// How a request travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Direct,
    /// The proxy is sent the request itself, in absolute form (RFC 9112, section 3.2.2): that is what it expects for
    /// `http`, and many refuse tunnels to port 80.
    Forward(Arc<Proxy>),
    /// The proxy is asked for a connection to the server: for `https`, for everything that leaves HTTP, and always
    /// with SOCKS.
    Tunnel(Arc<Proxy>),
}

impl Route {
    /// Errors when the environment names a proxy for `endpoint` that cannot be used.
    pub(crate) fn choose(table: &Table, endpoint: &Endpoint, headers: &HeaderMap) -> Result<Self, Error> {
        let Some(proxy) = table.select(endpoint)? else {
            return Ok(Self::Direct);
        };
        let is_forwarded = proxy.protocol == Protocol::Http
            && endpoint.security == Security::Plain
            && Switch::asked_by(headers) == Switch::Excluded;
        Ok(if is_forwarded { Self::Forward(proxy) } else { Self::Tunnel(proxy) })
    }

    /// Who said no, if it was not the server: only a proxy answers with 407, never the server behind it (RFC 9110,
    /// section 15.5.8).
    pub(crate) fn refuser(&self, status: StatusCode) -> Option<&Arc<Proxy>> {
        match self {
            Self::Forward(proxy) if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED => Some(proxy),
            _ => None,
        }
    }

    /// The proxy on the way.
    pub(crate) fn proxy(&self) -> Option<&Arc<Proxy>> {
        match self {
            Self::Direct => None,
            Self::Forward(proxy) | Self::Tunnel(proxy) => Some(proxy),
        }
    }
}
