//! What the server answers before its body.

use std::fmt;

use http::{HeaderMap, HeaderValue, StatusCode, Version};

use crate::redact::Headers;

/// The response head. `Debug` hides the values of secret headers.
#[derive(Clone)]
#[non_exhaustive]
pub struct Head {
    /// The status; never an interim one, except 101 where the request asked for an upgrade.
    pub status: StatusCode,
    /// The headers, repeated ones in the order of the wire.
    pub headers: HeaderMap,
    /// The version the server spoke.
    pub version: Version,
}

impl<B> From<&http::Response<B>> for Head {
    /// Copies what is needed: the header values of a response that was read are slices of the connection's read buffer,
    /// and would keep that alive as long as the head.
    fn from(response: &http::Response<B>) -> Self {
        let mut headers = HeaderMap::with_capacity(response.headers().len());
        for (name, value) in response.headers() {
            let mut copy = HeaderValue::from_bytes(value.as_bytes()).unwrap_or_else(|_| value.clone());
            copy.set_sensitive(value.is_sensitive());
            headers.append(name.clone(), copy);
        }
        Self { status: response.status(), headers, version: response.version() }
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("status", &self.status)
            .field("headers", &Headers(&self.headers))
            .field("version", &self.version)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderValue, Response};

    use super::Head;

    #[test]
    fn header_values_do_not_keep_the_read_buffer_alive() {
        let buffer = Bytes::from(b"a value in a large read buffer".to_vec());
        let value = HeaderValue::from_maybe_shared(buffer.slice(2..7)).unwrap();
        let response = Response::builder().header("x-a", value).body(()).unwrap();
        let head = Head::from(&response);
        drop(response);
        assert_eq!(head.headers["x-a"], "value");
        assert!(buffer.is_unique());
    }
}
