//! What may be shown of a request or a response.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use crate::secret_name::is_secret_name;

/// Headers for `Debug`: secrets are named, their values are not shown.
pub(crate) struct Headers<'a>(pub(crate) &'a HeaderMap);

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.0 {
            if is_secret_header(name, value) {
                map.entry(name, &format_args!("[redacted]"));
            } else {
                map.entry(name, value);
            }
        }
        map.finish()
    }
}

/// Whether the value of a header must not be shown: it is marked as sensitive, or its name says so (authorization,
/// cookies, keys, tokens, secrets, passwords, WebSocket subprotocols, the turn state).
pub fn is_secret_header(name: &HeaderName, value: &HeaderValue) -> bool {
    value.is_sensitive() || is_secret_name(name.as_str())
}

/// A URI without user info and without the query, where some services put their keys.
pub(crate) struct SafeUri<'a>(pub(crate) &'a Uri);

impl fmt::Display for SafeUri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = self.0.scheme_str() {
            write!(f, "{scheme}://")?;
        }
        if let Some(authority) = self.0.authority() {
            f.write_str(without_user_info(authority.as_str()))?;
        }
        f.write_str(self.0.path())?;
        if self.0.query().is_some() {
            f.write_str("?[redacted]")?;
        }
        Ok(())
    }
}

/// The `host[:port]` part of an authority (RFC 3986, section 3.2).
pub(crate) fn without_user_info(authority: &str) -> &str {
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}
