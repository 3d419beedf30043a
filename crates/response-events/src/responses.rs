//! The Responses wire.

mod kind;
mod payload;
mod stream;

pub(crate) use stream::ResponsesStream;
