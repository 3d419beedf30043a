//! A loopback HTTP/1.1 and WebSocket server that plays scripted answers byte for byte: streams, holds and cuts.
//! It does not judge requests, speaks TLS and HTTP/2 only as a script tells it to, and does not know the client it
//! serves.
//!
//! [`ReplayServer`] answers request N with the N-th [`Response`], and later ones with the last. A
//! response decides the bytes, the borders of its chunks, when they leave ([`Gate`], [`Pace`]) and
//! how the connection ends ([`Cut`]). What was asked can be looked at afterwards
//! ([`RecordedRequest`]), and a test can await a request or a hang-up instead of sleeping.
//!
//! A WebSocket is a response as well: [`Response::websocket`] grants the handshake and plays a
//! [`WebSocketScript`], which answers message N of the client ([`RecordedMessage`]) with the N-th
//! [`Exchange`]. A [`Response::sse`] serves both: as an event stream, or as messages to a client
//! that comes with a handshake.
//!
//! A [`FaultScript`] does what no answer does: it acts on raw TCP, in the place of an answer ([`Response::fault`]) or
//! from the first byte of a connection ([`ReplayServerBuilder::fault`]), and sends bytes that need not be HTTP, in any
//! order with waits, resets and alerts, over TLS if it likes, or frames of HTTP/2.
//!
//! A [`Cassette`] is a recording on disk: exchanges with the borders and times of their chunks, the messages of both
//! sides of a WebSocket, and how each of them ended. [`ReplayServerBuilder::cassette`] plays it; with the feature
//! `recorder`, a `Recorder` writes it, as a proxy in front of a service.
//!
//! # Inside
//!
//! A response is compiled to steps (send these bytes, pause, wait at a gate, end like this), and a
//! player does nothing but run steps on a socket. So whatever else may be played has its place as
//! another source of steps. An exchange is such a source: its player also listens, because pings,
//! messages and the client's Close come at any time. Handshakes and what clients send are read by
//! `ws-codec`, event streams by `sse-codec`; what is sent is written here, because it may have to be
//! wrong.
//!
//! # Paused time
//!
//! [`Response::hold_open`], [`Response::pace`] and the step `wait` of a script sleep on tokio's clock; nothing else
//! does. Under a paused clock they end as soon as the runtime is idle, also while it waits for a socket. Tests that
//! pause the clock hold connections with [`Response::hold_until`] (and `gate` or `hold`).
#![cfg_attr(docsrs, feature(doc_cfg))]

mod accept;
mod cassette;
mod chunked;
mod connection;
mod cut;
mod fault;
mod gate;
mod head;
mod inbound;
mod journal;
mod message;
mod pace;
mod player;
#[cfg(feature = "recorder")]
mod recorder;
mod redact;
mod refusal;
mod request;
mod response;
mod script;
mod secret_name;
mod server;
mod socket;
mod speed;
#[cfg(feature = "tls")]
mod tls;
mod websocket;

pub use cassette::{
    Cassette, CassetteError, Content, Course, FrameKind, Peer, RecordedChunk, RecordedEnd, RecordedExchange,
    RecordedFrame, RecordedResponse,
};
pub use cut::Cut;
pub use fault::{FaultScript, ScriptError};
pub use gate::Gate;
pub use message::RecordedMessage;
pub use pace::Pace;
#[cfg(feature = "recorder")]
pub use recorder::{Bodies, Recorder, RecorderBuilder, RecorderError};
pub use request::RecordedRequest;
pub use response::Response;
pub use server::{ReplayServer, ReplayServerBuilder};
pub use speed::Speed;
pub use websocket::{Exchange, WebSocketScript};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/offline-testing.md")]
struct OfflineTesting;
