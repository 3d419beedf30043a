//! What an engine has to know of its request.

use std::time::{Duration, Instant};

use response_events::{Classifier, InterpreterOptions, Wire};
use retry_policy::{Policy, SharedBudget};

use crate::{SessionMemory, Target, Timeouts, Transport, TurnState};

/// The request and its surroundings, as far as they decide anything.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EngineConfig {
    /// The API that is spoken.
    pub wire: Wire,
    /// Where the request goes.
    pub target: Target,
    /// The transport that the caller wants.
    pub transport: Transport,
    /// What the turns of the session share.
    pub memory: SessionMemory,
    /// What the interpreter has to know of the request.
    pub options: InterpreterOptions,
    /// The deadlines.
    pub timeouts: Timeouts,
    /// How failures are retried. The default never does.
    pub policy: Policy,
    /// What happens to an attempt that fails after output was delivered.
    pub on_cut: OnCut,
    /// What error codes and statuses mean.
    pub classifier: Classifier,
    /// Paces retries; shared with others who ask the same service.
    pub budget: Option<SharedBudget>,
    /// The turn's sticky cell.
    pub turn_state: TurnState,
    /// Whether refused credentials can be renewed.
    pub credentials: CredentialSource,
    /// When the turn began, for its deadline.
    pub turn_started: Instant,
    /// When the request is made.
    pub requested: Instant,
    /// The wall clock at `turn_started`, as the time since 1970: dates of the service are compared with it when an
    /// answer has no `Date` of its own.
    pub unix_time: Option<Duration>,
    /// The seed of all random waits, and of the ids of calls that the service does not name. Requests must not share
    /// one, or they come back in step.
    pub seed: u64,
}

impl EngineConfig {
    /// A request of a turn that began at `turn_started`: one attempt, default deadlines, a turn state of its own.
    pub fn new(wire: Wire, target: Target, turn_started: Instant) -> Self {
        Self {
            wire,
            target,
            transport: Transport::default(),
            memory: SessionMemory::default(),
            options: InterpreterOptions::default(),
            timeouts: Timeouts::default(),
            policy: Policy::new().with_max_attempts(1),
            on_cut: OnCut::default(),
            classifier: Classifier::default(),
            budget: None,
            turn_state: TurnState::default(),
            credentials: CredentialSource::default(),
            turn_started,
            requested: turn_started,
            unix_time: None,
            seed: 0,
        }
    }
}

/// What to do when an attempt fails after an item of it, or a piece of one, was delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnCut {
    /// All of the attempt is void; the request is sent again, and the caller told to forget.
    #[default]
    Discard,
    /// The failure ends the request: for callers who cannot take anything back.
    Fail,
}

/// Whether credentials can change between two attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CredentialSource {
    /// They are what they are: a refusal is final.
    #[default]
    Fixed,
    /// A hook is asked each time: a refusal is repaired once, for free, by asking it again.
    Renewable,
}
