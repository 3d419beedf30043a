//! A small HTTP client for long streamed answers: dial, TLS, one request, a body polled in place.
//! It does not retry, follow redirects, judge how long a body may stay silent, or know what a body or an upgraded
//! connection means.
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body_reader;
mod call;
mod causes;
mod classify;
mod coding;
pub mod connector;
mod deadline;
mod der;
mod dial;
mod dialing;
mod drain;
mod environment;
mod error;
mod exchange;
mod forward;
mod framing;
mod head;
mod http1;
mod http2;
mod idle;
mod list;
mod outgoing;
mod phase;
mod plan;
mod pool;
mod progress;
mod provider;
mod proxy;
mod redact;
mod relay;
mod request;
mod roots;
mod secret_name;
mod target;
mod transport;
mod upgrade;
mod versions;
mod waiting;

pub use body_reader::{BodyEnd, BodyLimits, BodyReader, BodyStep, LimitedBody};
pub use causes::with_causes;
pub use coding::{Coding, DecodeError, DecodeLimits, Decoder, Decoding, RequestCompression};
pub use environment::Environment;
pub use error::{Error, ErrorKind};
pub use exchange::{Exchange, Reuse};
pub use head::Head;
pub use phase::Phase;
pub use provider::TlsProvider;
pub use proxy::{ProxyAnswer, ProxySettings, ProxyUrl};
pub use redact::is_secret_header;
pub use request::{Repeat, Request};
pub use transport::{Transport, TransportBuilder};
pub use upgrade::Upgraded;
pub use versions::HttpVersions;
