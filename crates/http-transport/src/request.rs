//! What the caller sends.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};

use crate::redact::{Headers, SafeUri};

/// One request, with the whole body at hand: cheap to clone for another try.
///
/// `host` is added when the caller gives none, `content-length` always follows the body, and `expect` and
/// `transfer-encoding` are never sent. `Debug` hides user info, the query, and the values of secret headers.
#[derive(Clone)]
pub struct Request {
    /// The method. `CONNECT` is refused.
    pub method: Method,
    /// An absolute `http` or `https` URI without user info.
    pub uri: Uri,
    /// The headers, as they are to be sent.
    pub headers: HeaderMap,
    /// The body, as it is to be sent.
    pub body: Bytes,
}

impl Request {
    /// A `POST` of `body`.
    pub fn post(uri: Uri, headers: HeaderMap, body: impl Into<Bytes>) -> Self {
        Self { method: Method::POST, uri, headers, body: body.into() }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("uri", &format_args!("{}", SafeUri(&self.uri)))
            .field("headers", &Headers(&self.headers))
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}
