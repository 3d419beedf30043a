//! What the crate promises, from the outside.

mod bounds;
mod closing;
mod conformance;
mod extra_cases;
mod handshake;
mod keep_alive;
mod over_streams;
mod properties;
mod sending;
mod support;
mod upgrade;
