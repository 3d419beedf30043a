//! Where a request goes.

use std::fmt;

use http::uri::PathAndQuery;
use http::{HeaderValue, Uri};

use crate::error::{Error, ErrorKind};
use crate::phase::Phase;
use crate::redact::{SafeUri, without_user_info};

/// Whether the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Security {
    Plain,
    Tls,
}

/// What the other end of a connection is to us.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    Server,
    /// A server that a proxy speaks to in our place; with the proxy's `host:port`.
    Forwarded(String),
    Proxy,
}

/// One end of a TCP connection, by name. Displays as `host:port`, and a proxy as one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Endpoint {
    pub(crate) role: Role,
    pub(crate) security: Security,
    /// Without the brackets of an IPv6 literal.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Endpoint {
    /// `host:port`, for the wire.
    pub(crate) fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    /// For messages about the host alone.
    pub(crate) fn host_name(&self) -> String {
        format!("{}{}", self.article(), self.host)
    }

    fn article(&self) -> &'static str {
        match self.role {
            Role::Server | Role::Forwarded(_) => "",
            Role::Proxy => "the proxy ",
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.article(), self.authority())?;
        match &self.role {
            Role::Forwarded(proxy) => write!(f, " (through the proxy {proxy})"),
            Role::Server | Role::Proxy => Ok(()),
        }
    }
}

/// A URI taken apart for one request.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    /// The `host` header (RFC 9110, section 7.2): the port only when it is not the scheme's own.
    pub(crate) host_header: HeaderValue,
    /// The request target in origin form (RFC 9112, section 3.2.1).
    pub(crate) origin_form: Uri,
}

impl Target {
    /// The request target for a proxy that forwards `http` (RFC 9112, section 3.2.2). Host and path were valid
    /// parts of a URI before, so they are again.
    pub(crate) fn absolute_form(&self) -> Option<Uri> {
        let authority = self.host_header.to_str().ok()?;
        format!("http://{authority}{}", self.origin_form).parse().ok()
    }

    pub(crate) fn parse(uri: &Uri) -> Result<Self, Error> {
        let refuse = |why: &str| {
            let message = format!("cannot use the URI {}: {why}", SafeUri(uri));
            Error::new(ErrorKind::Config, Phase::Dns, message)
        };
        let scheme = uri.scheme_str().ok_or_else(|| refuse("it has no scheme (http or https)"))?;
        let is_one_of = |names: [&str; 2]| names.iter().any(|name| scheme.eq_ignore_ascii_case(name));
        let (security, default_port) = if is_one_of(["http", "ws"]) {
            (Security::Plain, 80)
        } else if is_one_of(["https", "wss"]) {
            (Security::Tls, 443)
        } else {
            return Err(refuse("its scheme is none of http, https, ws and wss"));
        };
        let authority = uri.authority().ok_or_else(|| refuse("it has no host"))?;
        let host_and_port = without_user_info(authority.as_str());
        // RFC 9110, section 4.2.4. Sending the request without the credentials would be worse than saying so.
        if host_and_port.len() != authority.as_str().len() {
            return Err(refuse("user info is not supported, use an authorization header"));
        }
        let host = authority.host();
        let port = match host_and_port.strip_prefix(host) {
            Some("" | ":") => default_port,
            _ => authority.port_u16().ok_or_else(|| refuse("its port is not a number up to 65535"))?,
        };
        let bare_host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if bare_host.is_empty() {
            return Err(refuse("it has no host"));
        }
        let host_header = if port == default_port {
            HeaderValue::from_str(host)
        } else {
            HeaderValue::from_str(&format!("{host}:{port}"))
        };
        let path = uri.path_and_query().cloned();
        Ok(Self {
            endpoint: Endpoint { role: Role::Server, security, host: bare_host.to_owned(), port },
            host_header: host_header.map_err(|_| refuse("its host is not valid"))?,
            origin_form: Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/"))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Security, Target};

    fn check(uri: &str, endpoint: &str, host_header: &str, origin_form: &str) {
        let target = Target::parse(&uri.parse().unwrap()).unwrap();
        assert_eq!(target.endpoint.to_string(), endpoint, "{uri}");
        assert_eq!(target.host_header, host_header, "{uri}");
        assert_eq!(target.origin_form.to_string(), origin_form, "{uri}");
    }

    #[test]
    fn a_uri_is_taken_apart() {
        check("http://a.example/v1?x=1", "a.example:80", "a.example", "/v1?x=1");
        check("https://a.example", "a.example:443", "a.example", "/");
        check("https://a.example:443/", "a.example:443", "a.example", "/");
        check("https://a.example:80/", "a.example:80", "a.example:80", "/");
        check("http://a.example:/x", "a.example:80", "a.example", "/x");
        check("http://a.example?x=1", "a.example:80", "a.example", "/?x=1");
        check("http://[::1]:8080/x", "[::1]:8080", "[::1]:8080", "/x");
        check("HTTPS://a.example/x", "a.example:443", "a.example", "/x");
    }

    #[test]
    fn the_schemes_of_websockets_are_those_of_http() {
        check("ws://a.example/v1?x=1", "a.example:80", "a.example", "/v1?x=1");
        check("wss://a.example/v1", "a.example:443", "a.example", "/v1");
        check("WSS://a.example", "a.example:443", "a.example", "/");
        check("wss://a.example:80/", "a.example:80", "a.example:80", "/");
        for (uri, security) in [("ws://a.example", Security::Plain), ("wss://a.example", Security::Tls)] {
            assert_eq!(Target::parse(&uri.parse().unwrap()).unwrap().endpoint.security, security, "{uri}");
        }
    }
}
