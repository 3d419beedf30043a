//! A loopback HTTP/1.1 server that plays scripted answers byte for byte: streams, holds and cuts.
//! It does not judge requests, speaks no TLS and no HTTP/2, and does not know the client it serves.
//!
//! [`ReplayServer`] answers request N with the N-th [`Response`], and later ones with the last. A
//! response decides the bytes, the borders of its chunks, when they leave ([`Gate`], [`Pace`]) and
//! how the connection ends ([`Cut`]). What was asked can be looked at afterwards
//! ([`RecordedRequest`]), and a test can await a request or a hang-up instead of sleeping.
//!
//! # Inside
//!
//! A response is compiled to steps (send these bytes, pause, wait at a gate, end like this), and a
//! player does nothing but run steps on a socket. So whatever else may be played has its place as
//! another source of steps.
//!
//! # Paused time
//!
//! [`Response::hold_open`] and [`Response::pace`] sleep on tokio's clock; nothing else does. Under
//! a paused clock they end as soon as the runtime is idle, also while it waits for a socket. Tests
//! that pause the clock hold connections with [`Response::hold_until`].

mod cassette;
mod chunked;
mod connection;
mod cut;
mod gate;
mod head;
mod inbound;
mod journal;
mod pace;
mod player;
mod redact;
mod refusal;
mod request;
mod response;
mod script;
mod server;

pub use cassette::CassetteError;
pub use cut::Cut;
pub use gate::Gate;
pub use pace::Pace;
pub use request::RecordedRequest;
pub use response::Response;
pub use server::{ReplayServer, ReplayServerBuilder};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
