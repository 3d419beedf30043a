//! What the caller sends.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};

use crate::redact::{Headers, SafeUri};

/// One request, with the whole body at hand: cheap to clone for another try.
///
/// `host` is added when the caller gives none, `content-length` always follows the body, and `expect` and
/// `transfer-encoding` are never sent. `Debug` hides user info, the query, and the values of secret headers.
///
/// Headers that ask for an upgrade (`upgrade`, and `connection` that names it; RFC 9110, section 7.8) allow the server
/// to answer with 101: see [`Exchange::into_upgraded`](crate::Exchange::into_upgraded).
#[derive(Clone)]
#[non_exhaustive]
pub struct Request {
    /// The method. `CONNECT` is refused.
    pub method: Method,
    /// An absolute URI without user info. `ws` and `wss` (RFC 6455, section 3) are other names for `http` and `https`.
    pub uri: Uri,
    /// The headers, as they are to be sent.
    pub headers: HeaderMap,
    /// The body, as it is to be sent.
    pub body: Bytes,
    /// The right to send it once more for free. Clones share it: of all exchanges with a clone of a request, one may.
    pub repeat: Repeat,
}

/// The right to send a request once more on a fresh connection, when the server never looked at it
/// ([`Exchange`](crate::Exchange) says when that is so). Clones share it, and it is used up once.
///
/// A caller who tries a request again gives the same one to each try, so that a server that refuses everything is asked
/// one more time in all, and not at each try.
#[derive(Clone, Debug, Default)]
pub struct Repeat(Arc<AtomicBool>);

impl Repeat {
    /// Uses it up, if it is there.
    pub(crate) fn take(&self) -> bool {
        !self.0.swap(true, Relaxed)
    }
}

impl Request {
    /// A request with any method but `CONNECT`, and a [`repeat`](Self::repeat) of its own.
    pub fn new(method: Method, uri: Uri, headers: HeaderMap, body: impl Into<Bytes>) -> Self {
        Self { method, uri, headers, body: body.into(), repeat: Repeat::default() }
    }

    /// A `GET`, without a body.
    pub fn get(uri: Uri, headers: HeaderMap) -> Self {
        Self::new(Method::GET, uri, headers, Bytes::new())
    }

    /// A `POST` of `body`.
    pub fn post(uri: Uri, headers: HeaderMap, body: impl Into<Bytes>) -> Self {
        Self::new(Method::POST, uri, headers, body)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("uri", &format_args!("{}", SafeUri(&self.uri)))
            .field("headers", &Headers(&self.headers))
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("repeat", &self.repeat)
            .finish()
    }
}
