//! One WebSocket connection (RFC 6455) over any byte stream: handshake, messages, close codes, keep-alive, limits.
//! It does not dial, knows no TLS, reads no clock, spawns no task and gives messages no meaning.
#![cfg_attr(feature = "io", doc = include_str!("../README.md"))]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod assembly;
mod close_code;
mod close_frame;
mod config;
mod counters;
mod decoder;
mod error;
mod frame;
mod handshake;
#[cfg(feature = "io")]
pub mod io;
mod keep_alive;
mod limits;
mod mask;
mod message;
mod outbound;
mod probe;
mod protocol;
mod role;
mod send_error;
mod tap;
mod timers;
mod utf8;
mod violation;

pub use close_code::{CloseClass, CloseCode};
pub use close_frame::{CloseFrame, InvalidClose};
pub use config::{Binary, Config};
pub use counters::Counters;
pub use error::{Error, ErrorKind};
pub use handshake::{ClientHandshake, HandshakeError, ServerHandshake};
pub use limits::Limits;
pub use message::{Message, Text};
pub use protocol::{Protocol, Reuse};
pub use role::{MaskSeed, Role};
pub use send_error::SendError;
pub use tap::{Overheard, Sender, Tap};
pub use timers::Timers;
pub use violation::Violation;
