//! Whole clients: everybody's way to ask for a streamed answer and to read it.

mod async_openai;
mod channel;
mod floor;
mod ours;

use std::error::Error;
use std::future::Future;

pub use self::async_openai::AsyncOpenAi;
pub use self::channel::Channel;
pub use self::floor::Floor;
pub use self::ours::Ours;

/// What goes wrong in a bench ends it; nobody asks what it was.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A client of one service.
pub trait Client: Clone + Send + Sync + 'static {
    /// What it calls a stream of events.
    type Events: Events;

    /// A client for the service below `base`, which has this certificate (DER).
    fn new(base: &str, certificate: &[u8]) -> Result<Self>;

    /// Asks for an answer. The name goes into the request as the model.
    fn open(&self, name: &str) -> impl Future<Output = Result<Self::Events>> + Send;
}

/// A stream of typed events.
pub trait Events: Send + 'static {
    /// The next event; `None` at the end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Step>>> + Send;
}

/// What an event was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A piece of text.
    Delta,
    /// The end of the answer.
    Completed,
    /// Anything else.
    Other,
}

/// When a client lets go of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetGo {
    /// As soon as the answer is complete.
    AtCompletion,
    /// At the end of the body.
    AtEnd,
}

/// Reads a whole answer, and says how many deltas it had. An answer without its completion is none.
pub async fn turn<C: Client>(client: &C, let_go: LetGo) -> Result<u64> {
    let mut events = client.open("gpt-5").await?;
    let mut deltas = 0;
    let mut is_complete = false;
    while let Some(step) = events.next().await? {
        deltas += u64::from(step == Step::Delta);
        is_complete |= step == Step::Completed;
        if is_complete && let_go == LetGo::AtCompletion {
            break;
        }
    }
    if is_complete { Ok(deltas) } else { Err("the answer is not complete".into()) }
}
