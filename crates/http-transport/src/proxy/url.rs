//! The URL of a proxy.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::uri::Authority;

use crate::error::{Error, ErrorKind};
use crate::phase::Phase;
use crate::target::{Endpoint, Role, Security};

/// The URL of a proxy: `[scheme://][user[:password]@]host[:port]`.
///
/// The schemes are `http` (the default, port 80), `https` (TLS to the proxy itself, port 443), `socks5` and `socks5h`
/// (RFC 1928, port 1080). The last two mean the same: the proxy looks up the names. User and password may be
/// percent-encoded. A path is ignored. Neither `Display` nor `Debug` nor an error shows user or password; URLs are
/// equal if they mean the same, user and password included.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ProxyUrl(pub(crate) Arc<Proxy>);

/// A proxy, and how to speak to it.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Proxy {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) protocol: Protocol,
    pub(crate) credentials: Option<Credentials>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Protocol {
    Http,
    Socks5,
}

/// A shorter password is looked for only together with its user: by itself it would be found everywhere.
const SHORTEST_ALONE: usize = 6;

/// As bytes: neither HTTP's nor SOCKS' way of sending them cares for a character set.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Credentials {
    pub(crate) user: Vec<u8>,
    pub(crate) password: Vec<u8>,
}

impl Proxy {
    /// The value of `proxy-authorization` (RFC 7617).
    pub(crate) fn authorization(&self) -> Option<HeaderValue> {
        let credentials = self.credentials.as_ref()?;
        let mut value = HeaderValue::from_str(&format!("Basic {}", credentials.token())).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl Credentials {
    fn token(&self) -> String {
        STANDARD.encode(self.pair())
    }

    fn pair(&self) -> Vec<u8> {
        [&self.user[..], b":", &self.password].concat()
    }

    /// `text` without the credentials, in case that the proxy repeats what it was sent.
    pub(crate) fn masked(&self, text: &str) -> String {
        let mut text = text.replace(&self.token(), "[redacted]");
        // A user without a password is a token.
        let secret = if self.password.is_empty() { &self.user } else { &self.password };
        let secret = if secret.len() >= SHORTEST_ALONE { &secret[..] } else { &[] };
        for quoted in [&self.pair(), secret].into_iter().filter(|quoted| !quoted.is_empty()) {
            text = text.replace(&*String::from_utf8_lossy(quoted), "[redacted]");
        }
        text
    }
}

impl FromStr for ProxyUrl {
    type Err = Error;

    /// Errors with [`ErrorKind::Config`], and without repeating `url`.
    fn from_str(url: &str) -> Result<Self, Error> {
        let wrong = |why| Error::new(ErrorKind::Config, Phase::Dns, format!("cannot use the proxy URL: {why}"));
        parse(url).map(Self).map_err(wrong)
    }
}

/// Errors with the reason, as the end of a sentence about the URL.
pub(super) fn parse(url: &str) -> Result<Arc<Proxy>, &'static str> {
    let (scheme, rest) = url.trim().split_once("://").unwrap_or(("http", url.trim()));
    let (protocol, security, default_port) = match scheme.to_ascii_lowercase().as_str() {
        "http" => (Protocol::Http, Security::Plain, 80),
        "https" => (Protocol::Http, Security::Tls, 443),
        "socks5" | "socks5h" => (Protocol::Socks5, Security::Plain, 1080),
        _ => return Err("its scheme is none of http, https, socks5 and socks5h"),
    };
    // A password may have these characters without being encoded, as long as there is an `@` behind them.
    let user_end = rest.rfind('@').map_or(0, |at| at + 1);
    let end = rest[user_end..].find(['/', '?', '#']).map_or(rest.len(), |end| user_end + end);
    let authority: Authority = rest[user_end..end].parse().map_err(|_| "it has no valid host and port")?;
    let host = authority.host();
    let port = match authority.as_str().strip_prefix(host) {
        Some("" | ":") => default_port,
        _ => authority.port_u16().filter(|port| *port > 0).ok_or("its port is not a number from 1 to 65535")?,
    };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).to_owned();
    if host.is_empty() {
        return Err("it has no host");
    }
    let credentials = rest[..user_end].strip_suffix('@').filter(|user_info| !user_info.is_empty()).map(credentials);
    if protocol == Protocol::Socks5 && credentials.as_ref().is_some_and(is_too_much_for_socks) {
        return Err("user and password must have 1 to 255 bytes each");
    }
    Ok(Arc::new(Proxy {
        endpoint: Arc::new(Endpoint { role: Role::Proxy, security, host, port }),
        protocol,
        credentials,
    }))
}

fn credentials(user_info: &str) -> Credentials {
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    Credentials { user: percent_decoded(user), password: percent_decoded(password) }
}

/// RFC 1929, section 2.
fn is_too_much_for_socks(Credentials { user, password }: &Credentials) -> bool {
    let range = 1..=255;
    !range.contains(&user.len()) || !range.contains(&password.len())
}

/// What is no valid escape stays as it is.
fn percent_decoded(text: &str) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        if let (b'%', Some(high), Some(low)) = (byte, digit(tail.first()), digit(tail.get(1))) {
            decoded.push((high * 16 + low) as u8);
            rest = &tail[2..];
        } else {
            decoded.push(*byte);
            rest = tail;
        }
    }
    decoded
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match (self.protocol, self.endpoint.security) {
            (Protocol::Http, Security::Plain) => "http",
            (Protocol::Http, Security::Tls) => "https",
            (Protocol::Socks5, _) => "socks5h",
        };
        write!(f, "{scheme}://{}", self.endpoint.authority())
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyUrl({self})")
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

#[cfg(test)]
mod tests;
