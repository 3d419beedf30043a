//! Conversations and their turns: thin handles.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use retry_policy::Membership;
use turn_session::{SessionMemory, Transport, TurnState};

use crate::{
    Answer, Error, Request, TurnStateToken, TurnStream, Wire,
    client::Settings,
    clock::now,
    endpoint::Endpoint,
    headers::{self, OwnHeaders},
    parking::Parking,
};

/// One conversation. Cheap to clone; clones are the same conversation.
#[derive(Clone, Debug)]
pub struct Session {
    state: Arc<SessionState>,
    /// Of the turns that this handle begins.
    headers: OwnHeaders,
}

/// What the turns of a conversation share.
#[derive(Debug)]
pub(crate) struct SessionState {
    pub(crate) client: Arc<Settings>,
    /// This conversation's place in the budget that paces retries.
    pub(crate) budget: Membership,
    /// Whether the conversation keeps away from WebSockets.
    pub(crate) memory: SessionMemory,
    /// The socket that waits for the next request.
    pub(crate) parking: Parking,
}

impl Session {
    pub(crate) fn new(client: Arc<Settings>) -> Self {
        let budget = client.budget.join();
        let state = SessionState { client, budget, memory: SessionMemory::new(), parking: Parking::default() };
        Self { state: Arc::new(state), headers: OwnHeaders::default() }
    }

    /// Sets a header of the requests of all turns that this handle (or a clone of it) begins from now on: the id of a
    /// conversation, say. It takes the place of what was set of that name here or in the client's settings, and never
    /// reaches the body.
    ///
    /// Over a WebSocket it goes with the handshake: a request that uses an open socket has none.
    ///
    /// Errors as [`ClientBuilder::header`](crate::ClientBuilder::header).
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        let (name, value) = headers::parse(name, value)?;
        self.headers.0.insert(name, value);
        Ok(self)
    }

    /// Begins a turn of the user: the request that answers it and all its follow-ups. Turns that are alive at the
    /// same time have a turn state each, and know nothing of each other.
    ///
    /// The deadline of the whole turn ([`Timeouts::turn`](crate::Timeouts)) runs from here, also while nothing is
    /// asked.
    pub fn begin_turn(&self) -> Turn {
        self.turn(TurnState::new())
    }

    /// Goes on with a turn that began elsewhere, in another process, say: every request sends the state that was
    /// [exported](Turn::export_state) there, the first one, too. What the service sends of another state is ignored, as
    /// within any turn.
    ///
    /// Nothing else of the turn comes along: its input is the caller's to send again, and its deadline
    /// ([`Timeouts::turn`](crate::Timeouts)) begins anew. Never give a token to the *next* turn of a user: it would be
    /// bound to a backend that knows nothing of it.
    pub fn resume_turn(&self, token: TurnStateToken) -> Turn {
        self.turn(token.into_state())
    }

    /// Opens the session's WebSocket ahead of any turn and lets the service prepare itself for `request`, without an
    /// answer (`generate: false`). The first request that extends it then sends only what is new. What the handshake
    /// says of a turn state belongs to no turn.
    ///
    /// A failure costs nothing but the head start. Errors with [`FailureKind::Config`](crate::FailureKind::Config), and
    /// opens nothing, where no turn would use the socket: on the Chat wire, with a client that is pinned to server-sent
    /// events (which is the default), and while the session [keeps away](Self::fallback_reason) from WebSockets.
    pub async fn warm_up(&self, request: Request) -> Result<(), Error> {
        self.check_for_sockets()?;
        let request = request.set("generate", false);
        let endpoint = Endpoint::of(self.state.client.wire);
        // A turn of its own, whose state nobody uses.
        TurnStream::new(&self.begin_turn(), request, endpoint, Transport::WebSocket).collect().await.map(drop)
    }

    /// Whether the next turn would use a WebSocket.
    fn check_for_sockets(&self) -> Result<(), Error> {
        let client = &self.state.client;
        if client.wire == Wire::Chat {
            return Err(Error::config("the chat wire has no WebSocket transport"));
        }
        if client.transport_choice == Transport::Sse {
            return Err(Error::config("the client is pinned to server-sent events: there is no WebSocket to open"));
        }
        let away = self.fallback_reason().filter(|_| client.transport_choice == Transport::Auto);
        away.map_or(Ok(()), |reason| {
            Err(Error::config(format!("the session keeps away from WebSockets for now: {reason}")))
        })
    }

    /// Why the session keeps away from WebSockets at present, if it does.
    pub fn fallback_reason(&self) -> Option<String> {
        self.state.memory.fallback_reason(now())
    }

    fn turn(&self, state: TurnState) -> Turn {
        Turn {
            session: Arc::clone(&self.state),
            headers: self.headers.clone(),
            state,
            started: now(),
            unix_time: SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok(),
        }
    }
}

/// One turn of the user: it owns the turn state, which every later request of the turn sends. Tool follow-ups go
/// through the same turn; the next turn starts without. Cheap to clone; clones are the same turn.
#[derive(Clone, Debug)]
pub struct Turn {
    pub(crate) session: Arc<SessionState>,
    pub(crate) headers: OwnHeaders,
    pub(crate) state: TurnState,
    pub(crate) started: Instant,
    pub(crate) unix_time: Option<Duration>,
}

impl Turn {
    /// Sets a header of every request that goes out through this handle (or a clone of it) from now on: a
    /// `traceparent`, say. It takes the place of what was set of that name here, for the session, or in the client's
    /// settings, and never reaches the body.
    ///
    /// Over a WebSocket it goes with the handshake: a request that uses an open socket has none.
    ///
    /// Errors as [`ClientBuilder::header`](crate::ClientBuilder::header).
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        let (name, value) = headers::parse(name, value)?;
        self.headers.0.insert(name, value);
        Ok(self)
    }

    /// Sends a request as soon as the stream is polled, and streams its events.
    ///
    /// A request that cannot be encoded is the stream's one error.
    pub fn stream(&self, request: Request) -> TurnStream {
        let client = &self.session.client;
        TurnStream::new(self, request, Endpoint::of(client.wire), client.transport_choice)
    }

    /// Asks the service to make the conversation shorter (`POST /responses/compact`, Responses API only): the
    /// answer's items take the place of the request's input. It belongs to the turn: it sends the turn state and can
    /// bring it.
    pub async fn compact(&self, request: Request) -> Result<Answer, Error> {
        TurnStream::new(self, request, Endpoint::Compact, Transport::Sse).collect().await
    }

    /// Whether the service has given the turn its state.
    pub fn has_state(&self) -> bool {
        self.state.get().is_some()
    }

    /// The turn's state, if the service has given it one: to go on with this turn in another process
    /// ([`Session::resume_turn`]).
    ///
    /// Within a process there is no need for it: the [`Turn`] does it all, and forgets the state with itself. It is a
    /// step of its own, and `Turn` cannot be serialised, because a state that travels by accident (in a saved
    /// conversation, in a log) ends up in turns that it does not belong to. The token is a secret.
    pub fn export_state(&self) -> Option<TurnStateToken> {
        TurnStateToken::of(&self.state)
    }
}
