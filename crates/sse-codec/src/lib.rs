//! Server-Sent Events, bytes to events and back, by the WHATWG rules (HTML standard, section 9.2).
//! It does no I/O, knows no HTTP, never reconnects and reads no meaning into the data.
#![no_std]
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "http-body")]
mod body;
mod buffer;
#[cfg(feature = "tokio-util")]
mod codec;
mod counters;
mod decoder;
mod encode;
mod end;
mod error;
mod event;
mod feed;
#[cfg(feature = "bytes")]
mod feed_bytes;
mod field;
mod frame;
mod limits;
#[cfg(feature = "bytes")]
mod name;
#[cfg(feature = "bytes")]
mod owned;
#[cfg(feature = "stream")]
mod reader;
mod scanner;
#[cfg(feature = "stream")]
mod stream;
#[cfg(feature = "stream")]
mod stream_error;
mod text;

#[cfg(feature = "http-body")]
pub use body::EventBody;
#[cfg(feature = "tokio-util")]
pub use codec::{CodecError, SseCodec};
pub use counters::Counters;
pub use decoder::{Decoded, DecodedItem, Decoder};
pub use encode::{EncodeError, KEEP_ALIVE};
pub use end::End;
pub use error::DecodeError;
pub use event::{Event, Item};
pub use feed::Feed;
#[cfg(feature = "bytes")]
pub use feed_bytes::FeedBytes;
pub use frame::Frame;
pub use limits::{Limits, Overflow};
#[cfg(feature = "bytes")]
pub use owned::OwnedEvent;
#[cfg(feature = "stream")]
pub use stream::EventStream;
#[cfg(feature = "stream")]
pub use stream_error::StreamError;
