//! How long to wait for what.

use std::time::Duration;

/// The deadlines of a request; `None` switches one off. Set what should differ and take the rest from
/// [`default`](Self::default): there may be more of them one day.
///
/// A deadline passes where nothing is there to be read, or behind 8 MiB without an event, so that one of zero passes at
/// the first wait, and one too far away to be an instant never does. `ClientBuilder::build` of `codex-api` refuses
/// those of zero (but [`finish_grace`](Self::finish_grace)) and of more than 30 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Each stage of opening a connection: the answer of a credential hook, name look-up with TCP, TLS, the handshake
    /// of a WebSocket. Default 10 s.
    pub connect: Option<Duration>,
    /// From the sent request to the response head. Default 120 s.
    pub head: Option<Duration>,
    /// From the head to the first event (over a WebSocket from the last piece of the request that was sent); what is
    /// none for [`progress`](Self::progress) is none here. What its head calls a page (HTML, XML) has 5 s for its first
    /// byte. Default 300 s.
    pub first_event: Option<Duration>,
    /// No byte at all; comments and pings count as bytes. Default 300 s.
    pub idle: Option<Duration>,
    /// No event, whatever else arrives: comments, also those that proxies wrap as data, `keepalive` events, and late
    /// events of the response before are none. Default 15 min.
    pub progress: Option<Duration>,
    /// The whole turn, all its requests together, with the time between them: it runs from
    /// [`EngineConfig::turn_started`](crate::EngineConfig::turn_started) (`Session::begin_turn` of `codex-api`).
    /// Default off. The only deadline that can pass between two events of which the second is there: it is looked at
    /// between two reads, and an end of the answer in what was read counts before it.
    pub turn: Option<Duration>,
    /// Chat: how long to wait for the usage once every choice has its finish reason; each further chunk (no
    /// comment, wrapped as data or not) starts it again. Zero waits for nothing that is not there. Default 1 s.
    pub finish_grace: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Some(Duration::from_secs(10)),
            head: Some(Duration::from_secs(120)),
            first_event: Some(Duration::from_secs(300)),
            idle: Some(Duration::from_secs(300)),
            progress: Some(Duration::from_secs(15 * 60)),
            turn: None,
            finish_grace: Duration::from_secs(1),
        }
    }
}
