//! A request in the form of HTTP/2.

use bytes::Bytes;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, Request, Uri, Version, header};

use crate::error::{Error, ErrorKind};
use crate::list;
use crate::phase::Phase;
use crate::secret_name::is_secret_name;
use crate::target::{Endpoint, Security};

/// The head and the body of a request that is ready for HTTP/1.1: `host` becomes `:authority` (RFC 9113, section
/// 8.3.1), and what is about the connection is left out (section 8.2.2).
pub(super) fn split(endpoint: &Endpoint, request: Request<Bytes>) -> Result<(Request<()>, Bytes), Error> {
    let (mut parts, body) = request.into_parts();
    let host = parts.headers.remove(header::HOST);
    let scheme = match endpoint.security {
        Security::Plain => Scheme::HTTP,
        Security::Tls => Scheme::HTTPS,
    };
    let mut uri = http::uri::Parts::default();
    uri.scheme = Some(scheme);
    uri.authority = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
    uri.path_and_query = parts.uri.path_and_query().cloned().or(Some(PathAndQuery::from_static("/")));
    parts.uri = Uri::from_parts(uri).map_err(|cause| {
        let message = format!("the host header of a request to {endpoint} is no host");
        Error::new(ErrorKind::Config, Phase::Sending, message).with_source(cause)
    })?;
    parts.version = Version::HTTP_2;
    strip_connection_headers(&mut parts.headers);
    for (name, value) in &mut parts.headers {
        if is_secret_name(name.as_str()) {
            // Never in the table that is shared by all requests of the connection (RFC 7541, section 7.1.3).
            value.set_sensitive(true);
        }
    }
    Ok((Request::from_parts(parts, ()), body))
}

fn strip_connection_headers(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> =
        list::members(headers, header::CONNECTION).filter_map(|name| HeaderName::from_bytes(name).ok()).collect();
    for name in named {
        headers.remove(name);
    }
    for name in ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"] {
        headers.remove(name);
    }
    if headers.get_all(header::TE).into_iter().any(|value| value != "trailers") {
        headers.remove(header::TE);
    }
}

#[cfg(test)]
mod tests;
