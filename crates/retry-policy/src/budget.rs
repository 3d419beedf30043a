//! The pacing budget: a token bucket that makes retries wait, and never refuses them.

use std::time::{Duration, Instant};

/// One token, in the unit of the books.
const TOKEN: i128 = 1_000_000_000;
const NANOS_PER_SEC: u128 = 1_000_000_000;

/// How fast retries may follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pacing {
    /// Tokens of a full bucket, for each session.
    pub burst: u32,
    /// The time in which one session gets one token back. `n` sessions together get `1.2 √n` tokens in it: a shared
    /// bucket is used better than many small ones. Zero switches pacing off.
    pub interval: Duration,
}

impl Default for Pacing {
    /// 2 tokens, and one each 20 s (0.05/s).
    fn default() -> Self {
        Self { burst: 2, interval: Duration::from_secs(20) }
    }
}

impl Pacing {
    /// So many tokens for each session, one of them back in each interval.
    pub const fn new(burst: u32, interval: Duration) -> Self {
        Self { burst, interval }
    }

    fn capacity(self, sessions: u32) -> i128 {
        i128::from(self.burst) * i128::from(sessions) * TOKEN
    }

    /// What is earned in a second; `None` without pacing.
    fn rate(self, sessions: u32) -> Option<u128> {
        let one = (NANOS_PER_SEC * TOKEN.unsigned_abs()).checked_div(self.interval.as_nanos())?;
        if sessions <= 1 {
            return Some(one);
        }
        let millionths = (1_440_000_000_000 * u128::from(sessions)).isqrt();
        Some(one.saturating_mul(millionths) / 1_000_000)
    }
}

/// A token bucket for retries of one origin, used by one or more sessions.
///
/// It delays rather than refuses: when it is empty, a token is handed out ahead of its time, and the debt is paid by
/// waiting. The bucket starts full. Instants that go backwards earn nothing.
#[derive(Clone, Debug)]
pub struct Budget {
    pacing: Pacing,
    sessions: u32,
    /// Negative: tokens handed out ahead of their time.
    balance: i128,
    /// Tokens that sessions spent and left: those that come in their place bring so many fewer. They are not owed by
    /// the sessions that stay, which would pay for what others did.
    owed: i128,
    settled: Option<Instant>,
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(Pacing::default())
    }
}

impl Budget {
    /// A full bucket for one session.
    pub fn new(pacing: Pacing) -> Self {
        Self { pacing, sessions: 1, balance: pacing.capacity(1), owed: 0, settled: None }
    }

    /// A full bucket with the default pacing, for so many sessions (0 counts as 1).
    pub fn for_sessions(sessions: u32) -> Self {
        let mut budget = Self::default();
        budget.set_sessions(sessions);
        budget
    }

    /// The number of sessions that share the bucket, at least 1.
    pub const fn sessions(&self) -> u32 {
        self.sessions
    }

    /// Changes the number of sessions (0 counts as 1). New ones bring their full share of tokens, those that leave take
    /// theirs with them. What is spent of it is missing from the share of those that come next, until the bucket has
    /// earned it again: coming and going brings no tokens.
    pub fn set_sessions(&mut self, sessions: u32) {
        let sessions = sessions.max(1);
        let capacity = self.pacing.capacity(sessions);
        // Negative: taken.
        let brought = capacity - self.pacing.capacity(self.sessions);
        let balance = self.balance.saturating_add(brought).saturating_sub(self.owed);
        self.balance = balance.max(self.balance).min(capacity);
        self.owed = self.balance.saturating_sub(balance);
        self.sessions = sessions;
    }

    /// Takes a token. Returns how long to wait until it is earned; [`Duration::MAX`] stands for never.
    pub fn reserve(&mut self, now: Instant) -> Duration {
        self.settle(now);
        let delay = self.delay();
        self.balance = self.balance.saturating_sub(TOKEN);
        delay
    }

    /// Takes a token, but only when it is earned within `limit`.
    ///
    /// # Errors
    ///
    /// Otherwise takes nothing and returns how long it would have been.
    pub fn reserve_within(&mut self, now: Instant, limit: Duration) -> Result<Duration, Duration> {
        self.settle(now);
        let delay = self.delay();
        if delay > limit {
            return Err(delay);
        }
        self.balance = self.balance.saturating_sub(TOKEN);
        Ok(delay)
    }

    /// Returns a token that was not used after all.
    pub fn give_back(&mut self) {
        self.balance = self.balance.saturating_add(TOKEN).min(self.pacing.capacity(self.sessions));
    }

    /// Whole tokens at hand at the last reservation; negative while tokens are owed.
    pub fn tokens(&self) -> i64 {
        let tokens = self.balance.div_euclid(TOKEN);
        i64::try_from(tokens).unwrap_or(if tokens < 0 { i64::MIN } else { i64::MAX })
    }

    /// Books what was earned until now.
    fn settle(&mut self, now: Instant) {
        let Some(settled) = self.settled.filter(|settled| *settled <= now) else {
            self.settled = self.settled.or(Some(now));
            return;
        };
        let elapsed = now.saturating_duration_since(settled).as_nanos();
        let capacity = self.pacing.capacity(self.sessions);
        let earned = match self.pacing.rate(self.sessions) {
            Some(rate) => elapsed.saturating_mul(rate) / NANOS_PER_SEC,
            None => u128::MAX,
        };
        let balance = self.balance.saturating_add(i128::try_from(earned).unwrap_or(i128::MAX));
        self.balance = balance.min(capacity);
        // What the bucket has no room for pays what is owed.
        self.owed = self.owed.saturating_sub(balance - self.balance).max(0);
        self.settled = Some(now);
    }

    /// How long until one token more than now is earned.
    fn delay(&self) -> Duration {
        let missing = u128::try_from(TOKEN.saturating_sub(self.balance)).unwrap_or(0);
        match self.pacing.rate(self.sessions) {
            None => Duration::ZERO,
            Some(_) if missing == 0 => Duration::ZERO,
            Some(0) => Duration::MAX,
            Some(rate) => {
                let nanos = missing.saturating_mul(NANOS_PER_SEC).div_ceil(rate);
                u64::try_from(nanos).map_or(Duration::MAX, Duration::from_nanos)
            }
        }
    }
}
