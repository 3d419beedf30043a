//! The Responses wire.

mod kind;
mod known;
mod late;
mod lifecycle;
mod listed;
mod matching;
mod payload;
mod stream;

pub use late::FinishedResponse;
pub(crate) use stream::ResponsesStream;
