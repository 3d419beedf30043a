//! HTTP/2 (RFC 9113), as a server speaks it that may say anything at any time.

mod fields;
mod frame;
mod names;
mod peer;
mod statement;

pub(super) use peer::{Broken, Peer, State};
pub(super) use statement::{Http2Step, NAMES, statement};
