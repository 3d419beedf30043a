//! Conversations and their turns: thin handles.

use std::{sync::Arc, time::Instant};

use crate::{Request, TurnStream, client::Settings};

/// One conversation. Cheap to clone; clones are the same conversation.
#[derive(Clone, Debug)]
pub struct Session {
    client: Arc<Settings>,
}

impl Session {
    pub(crate) fn new(client: Arc<Settings>) -> Self {
        Self { client }
    }

    /// Begins a turn of the user: the request that answers it and all its follow-ups. Turns that are alive at the
    /// same time know nothing of each other.
    pub fn begin_turn(&self) -> Turn {
        Turn { client: Arc::clone(&self.client), started: tokio::time::Instant::now().into_std() }
    }
}

/// One turn of the user. Tool follow-ups go through the same turn.
#[derive(Clone, Debug)]
pub struct Turn {
    client: Arc<Settings>,
    started: Instant,
}

impl Turn {
    /// Sends a request as soon as the stream is polled, and streams its events.
    ///
    /// A request that cannot be encoded is the stream's one error.
    #[expect(clippy::needless_pass_by_value, reason = "a request is spent on its stream")]
    pub fn stream(&self, request: Request) -> TurnStream {
        TurnStream::new(&self.client, self.started, &request)
    }
}
