//! Content codings (RFC 9110, section 8.4): what is asked for, and the body without them.
//!
//! `Decoder` is the pure core, a stage for each coding of a body; `CodedBody` is what an exchange has of it.

// Which parts are used depends on the features; with none of them there is nothing to decode.
#![cfg_attr(not(any(feature = "gzip", feature = "zstd", feature = "brotli")), allow(dead_code))]

mod body;
#[cfg(feature = "brotli")]
mod brotli;
mod chain;
mod codec;
mod compression;
mod decoder;
#[cfg(feature = "gzip")]
mod deflate;
mod error;
#[cfg(feature = "gzip")]
mod gzip;
#[cfg(feature = "gzip")]
mod gzip_header;
mod limits;
mod name;
#[cfg(feature = "zstd")]
mod zstd;

pub(crate) use self::body::CodedBody;
pub use self::body::Decoding;
pub use self::compression::RequestCompression;
pub use self::decoder::Decoder;
pub use self::error::DecodeError;
pub use self::limits::DecodeLimits;
pub use self::name::Coding;

#[cfg(test)]
mod tests;
