//! The opening handshake (RFC 6455, section 4), as headers: the HTTP exchange itself belongs to an HTTP stack.

mod accept_key;
mod client;
mod error;
mod fields;
mod server;

pub use client::ClientHandshake;
pub use error::HandshakeError;
pub use server::ServerHandshake;
