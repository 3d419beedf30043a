//! From a client's request to the one that goes to the service.

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use http_transport::Request;

use super::RecorderError;
use crate::head::Head;

/// What clients call the base path of the service.
const BASE: &str = "/v1";

/// Where the service is.
#[derive(Debug)]
pub(super) struct Upstream {
    /// `https://host:port`
    origin: String,
    /// What stands for [`BASE`], if anything does.
    path: Option<String>,
}

/// Whether the connection is to become a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Switch {
    WebSocket,
    No,
}

impl Upstream {
    pub(super) fn parse(url: &str) -> Result<Self, RecorderError> {
        let wrong = |message: &str| RecorderError::Upstream { message: message.to_owned() };
        let uri: Uri = url.parse().map_err(|_| wrong("it is no URL"))?;
        let (Some(scheme @ ("http" | "https")), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(wrong("it must begin with http:// or https://, and name a host"));
        };
        if authority.as_str().contains('@') {
            return Err(wrong("it must not hold credentials"));
        }
        if authority.host().is_empty() {
            return Err(wrong("it has no host"));
        }
        let behind_host = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
        if behind_host.len() > 1 && authority.port_u16().is_none_or(|port| port == 0) {
            return Err(wrong("its port is not a number from 1 to 65535"));
        }
        if uri.query().is_some() {
            return Err(wrong("it must not have a query"));
        }
        let path = uri.path().trim_end_matches('/');
        let path = (!path.is_empty()).then(|| path.to_owned());
        Ok(Self { origin: format!("{scheme}://{authority}"), path })
    }

    /// The same request, to the service; `None` where the target or the method cannot be sent.
    pub(super) fn request(&self, head: &Head, body: Bytes, switch: Switch) -> Option<Request> {
        let target: PathAndQuery = head.target.parse().ok()?;
        let target = target.as_str();
        let below = self.path.as_ref().and_then(|path| {
            let rest = target.strip_prefix(BASE).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?']))?;
            Some(format!("{}{path}{rest}", self.origin))
        });
        let uri = below.unwrap_or_else(|| format!("{}{target}", self.origin)).parse().ok()?;
        let method = Method::from_bytes(head.method.as_bytes()).ok()?;
        Some(Request::new(method, uri, headers(head, switch), body))
    }
}

/// The headers that are meant for the service, and not for this hop (RFC 9110 §7.6.1).
fn headers(head: &Head, switch: Switch) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let named: Vec<String> = head
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("connection"))
        .flat_map(|(_, value)| value.split(','))
        .map(|option| option.trim().to_ascii_lowercase())
        .collect();
    for (name, value) in &head.headers {
        let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) else { continue };
        if !is_of_this_hop(&name) && !named.iter().any(|option| option == name.as_str()) {
            headers.append(name, value);
        }
    }
    if switch == Switch::WebSocket {
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    } else {
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    headers
}

fn is_of_this_hop(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "host"
            | "connection"
            | "upgrade"
            | "keep-alive"
            | "proxy-connection"
            | "te"
            | "transfer-encoding"
            | "content-length"
            | "expect"
            | "accept-encoding"
            | "sec-websocket-extensions"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head;

    #[track_caller]
    fn check(upstream: &str, target: &str, expected: Option<&str>) {
        let bytes =
            format!("POST {target} HTTP/1.1\r\nhost: here\r\nconnection: x-hop\r\nx-hop: 1\r\nte: x\r\nx: y\r\n\r\n");
        let (_, head) = head::parse(bytes.as_bytes()).unwrap().unwrap();
        let request = Upstream::parse(upstream).unwrap().request(&head, Bytes::new(), Switch::No);
        assert_eq!(request.as_ref().map(|request| request.uri.to_string()).as_deref(), expected);
        if let Some(request) = request {
            let names: Vec<_> = request.headers.keys().map(HeaderName::as_str).collect();
            assert_eq!(names, ["x", "accept-encoding"]);
        }
    }

    #[test]
    fn the_base_path_of_clients_stands_for_that_of_the_service() {
        check("https://a.example/v1", "/v1/responses?a=b", Some("https://a.example/v1/responses?a=b"));
        check("http://a.example:81/openai/v2/", "/v1/responses", Some("http://a.example:81/openai/v2/responses"));
        check("http://a.example/api", "/v1", Some("http://a.example/api"));
        check("http://[::1]:81", "/v1", Some("http://[::1]:81/v1"));
        check("http://a.example/api", "/v1x", Some("http://a.example/v1x"));
        check("http://a.example", "/v1/responses", Some("http://a.example/v1/responses"));
        check("http://a.example", "http://b.example/v1", None);
    }

    #[test]
    fn urls_that_name_no_service_are_refused() {
        for (url, expected) in [
            ("no url", "it is no URL"),
            ("ftp://a.example", "it must begin with http:// or https://, and name a host"),
            ("/v1", "it must begin with http:// or https://, and name a host"),
            ("http://key@a.example", "it must not hold credentials"),
            ("http://:80/v1", "it has no host"),
            ("http://a.example:99999/v1", "its port is not a number from 1 to 65535"),
            ("http://a.example:0", "its port is not a number from 1 to 65535"),
            ("http://a.example?key=1", "it must not have a query"),
        ] {
            let error = Upstream::parse(url).unwrap_err();
            assert_eq!(error.to_string(), format!("cannot use the upstream URL: {expected}"), "{url}");
        }
    }
}
