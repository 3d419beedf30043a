use std::time::Duration;

/// The durations of a connection. Nothing here sleeps: they become the instants of
/// [`Protocol::poll_timeout`](crate::Protocol::poll_timeout).
///
/// What the peer has to answer within has [at least](Self::LEAST) a millisecond: shorter values are brought to it. A
/// duration too long to end at an instant does not end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timers {
    pub(crate) ping_interval: Option<Duration>,
    pub(crate) pong_timeout: Duration,
    pub(crate) probe_after: Duration,
    pub(crate) probe_timeout: Duration,
    pub(crate) close_timeout: Duration,
    pub(crate) max_age: Duration,
}

impl Timers {
    /// The least interval of pings, and the least time for an answer: 1 ms. With none at all, every byte received would
    /// be answered by a ping, and every peer that is asked would be dead.
    pub const LEAST: Duration = Duration::from_millis(1);

    /// A ping after 20 s of silence and 20 s for a sign of life; a probe after 30 s of silence, with 3 s for its
    /// answer; 2 s for closing; 55 min of age.
    pub const fn new() -> Self {
        Self {
            ping_interval: Some(Duration::from_secs(20)),
            pong_timeout: Duration::from_secs(20),
            probe_after: Duration::from_secs(30),
            probe_timeout: Duration::from_secs(3),
            close_timeout: Duration::from_secs(2),
            max_age: Duration::from_secs(55 * 60),
        }
    }

    /// How long the peer may be silent before it is sent a ping; `None` sends none and never takes the peer for
    /// dead. Default 20 s: some address translators forget a silent connection after 30 s.
    pub const fn ping_interval(mut self, interval: Option<Duration>) -> Self {
        self.ping_interval = match interval {
            Some(interval) => Some(at_least(interval, Self::LEAST)),
            None => None,
        };
        self
    }

    /// How long after that ping the peer is taken for dead, if not a byte has come. Default 20 s.
    pub const fn pong_timeout(mut self, timeout: Duration) -> Self {
        self.pong_timeout = at_least(timeout, Self::LEAST);
        self
    }

    /// After how long a silence [`Protocol::reuse`](crate::Protocol::reuse) asks for a probe; zero: after
    /// any. Default 30 s.
    pub const fn probe_after(mut self, silence: Duration) -> Self {
        self.probe_after = silence;
        self
    }

    /// How long the answer to a probe may take. Default 3 s.
    pub const fn probe_timeout(mut self, timeout: Duration) -> Self {
        self.probe_timeout = at_least(timeout, Self::LEAST);
        self
    }

    /// How long closing may take, from our Close to the end of the byte stream; with zero nobody
    /// waits for the peer's. Default 2 s.
    pub const fn close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout;
        self
    }

    /// From what age on a connection should not be used again; with zero none is. Default 55 min: services are
    /// known that end connections after an hour.
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }
}

impl Default for Timers {
    fn default() -> Self {
        Self::new()
    }
}

/// `Ord::max` is not const.
const fn at_least(duration: Duration, least: Duration) -> Duration {
    if duration.as_nanos() < least.as_nanos() { least } else { duration }
}
