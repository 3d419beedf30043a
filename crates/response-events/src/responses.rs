//! The Responses wire.

mod kind;
mod known;
mod late;
mod listed;
mod matching;
mod payload;
mod response_json;
mod stream;

pub use late::FinishedResponse;
pub(crate) use stream::ResponsesStream;
