//! HTTP/2 (RFC 9113): connections that requests share, each driven by a task of its own.
//!
//! `h2` itself and not hyper's client of it: that one runs a task for each request, too, does not tell how many
//! requests the server takes at a time, and not what ended a stream.

#[cfg(feature = "http2")]
mod connection;
#[cfg(feature = "http2")]
mod driver;
#[cfg(feature = "http2")]
mod failure;
#[cfg(feature = "http2")]
mod message;
#[cfg(feature = "http2")]
mod stream;

#[cfg(feature = "http2")]
pub(crate) use self::{
    connection::{Connection, Place, connect},
    failure::wants_http1,
    stream::Http2,
};

#[cfg(not(feature = "http2"))]
mod absent;
#[cfg(not(feature = "http2"))]
pub(crate) use self::absent::{Connection, Http2, Place, connect, wants_http1};

#[cfg(all(test, feature = "http2"))]
mod tests;
