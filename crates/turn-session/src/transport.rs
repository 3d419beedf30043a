//! Which transport carries a request, and what a session remembers of that.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use response_events::{TransportKind, Wire};

/// How long a session keeps away from a transport that it has fallen back from.
const FALLBACK_LASTS: Duration = Duration::from_secs(10 * 60);

/// What is told of a fallback until its driver has said why it was.
const NO_REASON_YET: &str = "a WebSocket did not work";

/// The transport that the caller wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// Server-sent events over HTTP, always.
    #[default]
    Sse,
    /// A WebSocket, always (Responses API).
    WebSocket,
    /// A WebSocket first (Responses API), and server-sent events where it does not work.
    Auto,
}

/// What the turns of a session share. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct SessionMemory(Arc<Mutex<Option<FallbackMemory>>>);

/// A fallback that happened.
#[derive(Clone)]
struct FallbackMemory {
    until: Instant,
    /// In words that may be shown.
    reason: String,
}

impl fmt::Debug for FallbackMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FallbackMemory").field("until", &self.until).finish_non_exhaustive()
    }
}

impl SessionMemory {
    /// An empty memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Why the session keeps away from WebSockets at present, if it does.
    pub fn fallback_reason(&self, now: Instant) -> Option<String> {
        let memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        memory.as_ref().filter(|memory| now < memory.until).map(|memory| memory.reason.clone())
    }

    /// Says the reason for the present fallback, of which the memory knows only that there is one: it may quote a
    /// service that repeats secrets, and a driver knows what must not be shown.
    pub fn restate(&self, reason: &str) {
        if let Some(memory) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            reason.clone_into(&mut memory.reason);
        }
    }

    pub(crate) fn note_fallback(&self, now: Instant) {
        let until = now.checked_add(FALLBACK_LASTS).unwrap_or(now);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(FallbackMemory { until, reason: NO_REASON_YET.to_owned() });
    }
}

/// The transport of the present attempt, and whether another one is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) transport: TransportKind,
    pub(crate) can_fall_back: bool,
}

impl Route {
    /// Server-sent events, and nothing else left.
    pub(crate) const SSE: Self = Self { transport: TransportKind::Sse, can_fall_back: false };

    pub(crate) fn new(wanted: Transport, wire: Wire, memory: &SessionMemory, now: Instant) -> Self {
        match wanted {
            Transport::WebSocket => Self { transport: TransportKind::WebSocket, can_fall_back: false },
            Transport::Auto if wire == Wire::Responses && memory.fallback_reason(now).is_none() => {
                Self { transport: TransportKind::WebSocket, can_fall_back: true }
            }
            Transport::Sse | Transport::Auto => Self::SSE,
        }
    }

    pub(crate) fn is_socket(self) -> bool {
        self.transport == TransportKind::WebSocket
    }
}
