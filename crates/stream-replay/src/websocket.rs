//! WebSocket answers (RFC 6455): what is said, and the player that also listens.

mod conversation;
mod exchange;
mod frame;
pub(crate) mod handshake;
mod payloads;
mod script;

pub(crate) use conversation::converse;
pub use exchange::Exchange;
pub(crate) use frame::{OpCode, encode};
pub(crate) use payloads::payloads;
pub use script::WebSocketScript;
