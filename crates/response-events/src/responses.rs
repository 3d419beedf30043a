//! The Responses wire.

mod kind;
mod late;
mod payload;
mod stream;

pub use late::FinishedResponse;
pub(crate) use stream::ResponsesStream;
