//! Conversations and their turns: thin handles.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use retry_policy::Membership;
use turn_session::TurnState;

use crate::{Answer, Error, Request, TurnStream, client::Settings, endpoint::Endpoint};

/// One conversation. Cheap to clone; clones are the same conversation.
#[derive(Clone, Debug)]
pub struct Session(Arc<SessionState>);

/// What the turns of a conversation share.
#[derive(Debug)]
pub(crate) struct SessionState {
    pub(crate) client: Arc<Settings>,
    /// This conversation's place in the budget that paces retries.
    pub(crate) budget: Membership,
}

impl Session {
    pub(crate) fn new(client: Arc<Settings>) -> Self {
        let budget = client.budget.join();
        Self(Arc::new(SessionState { client, budget }))
    }

    /// Begins a turn of the user: the request that answers it and all its follow-ups. Turns that are alive at the
    /// same time have a turn state each, and know nothing of each other.
    pub fn begin_turn(&self) -> Turn {
        Turn {
            session: Arc::clone(&self.0),
            state: TurnState::new(),
            started: tokio::time::Instant::now().into_std(),
            unix_time: SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok(),
        }
    }
}

/// One turn of the user: it owns the turn state, which every later request of the turn sends. Tool follow-ups go
/// through the same turn; the next turn starts without. Cheap to clone; clones are the same turn.
#[derive(Clone, Debug)]
pub struct Turn {
    pub(crate) session: Arc<SessionState>,
    pub(crate) state: TurnState,
    pub(crate) started: Instant,
    pub(crate) unix_time: Option<Duration>,
}

impl Turn {
    /// Sends a request as soon as the stream is polled, and streams its events.
    ///
    /// A request that cannot be encoded is the stream's one error.
    #[expect(clippy::needless_pass_by_value, reason = "a request is spent on its stream")]
    pub fn stream(&self, request: Request) -> TurnStream {
        TurnStream::new(self, &request, Endpoint::of(self.session.client.wire))
    }

    /// Asks the service to make the conversation shorter (`POST /responses/compact`, Responses API only): the
    /// answer's items take the place of the request's input. It belongs to the turn: it sends the turn state and can
    /// bring it.
    pub async fn compact(&self, request: Request) -> Result<Answer, Error> {
        TurnStream::new(self, &request, Endpoint::Compact).collect().await
    }

    /// Whether the service has given the turn its state.
    pub fn has_state(&self) -> bool {
        self.state.get().is_some()
    }
}
