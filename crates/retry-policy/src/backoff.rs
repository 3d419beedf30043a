//! How long a wait may be, and how it is drawn.

use std::time::Duration;

use crate::{Entropy, Policy, table::Backoff};

/// How a wait is drawn from its window, whose end is the back-off `d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Jitter {
    /// Uniform between 0 and `d`. Spreads best.
    #[default]
    Full,
    /// Uniform between `d / 2` and `d`.
    Equal,
    /// Always `d`; a floor (a hint, the budget) is met exactly, without spread above. For tests: clients that failed
    /// together come back together.
    None,
}

/// A wait about to be drawn: not shorter than `floor`, spread over `window` above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) floor: Duration,
    pub(crate) window: Duration,
}

impl Policy {
    /// The longest back-off after so many consecutive failures (from 1), before floors.
    pub(crate) fn window(&self, backoff: Backoff, consecutive: u32) -> Duration {
        let grown = |base: Duration| {
            let factor = self.factor().saturating_pow(consecutive.saturating_sub(1));
            base.saturating_mul(factor).min(self.cap())
        };
        let reconnect = |first: Duration| {
            // Never shrinks from one failure to the next.
            if consecutive <= 1 { first } else { first.max(grown(self.base())) }
        };
        match backoff {
            Backoff::Standard | Backoff::RateLimit => grown(self.base()),
            Backoff::Overload => grown(self.overload_base()),
            Backoff::LoneCut => reconnect(self.reconnect_lone()),
            Backoff::ServerEvent => reconnect(self.reconnect_server_event()),
        }
    }

    /// The wait that back-off and hint ask for.
    pub(crate) fn wait(&self, backoff: Backoff, consecutive: u32, hint: Option<Duration>) -> Wait {
        let window = self.window(backoff, consecutive);
        match (hint, backoff) {
            (Some(hint), _) => Wait { floor: hint, window: window.max(hint / 2).max(self.hint_spread()) },
            (None, Backoff::RateLimit) => Wait { floor: self.rate_limit_floor(), window },
            (None, _) => Wait { floor: Duration::ZERO, window },
        }
    }
}

impl Wait {
    /// Draws the wait, at most `limit`. The floor must not be above it: the spread gives way, the floor never does.
    pub(crate) fn draw(self, jitter: Jitter, limit: Duration, entropy: &mut (impl Entropy + ?Sized)) -> Duration {
        let window = self.window.min(limit.saturating_sub(self.floor));
        match jitter {
            Jitter::Full => self.floor.saturating_add(uniform(window, entropy)),
            Jitter::Equal => {
                let least = window / 2;
                self.floor.saturating_add(least).saturating_add(uniform(window.saturating_sub(least), entropy))
            }
            Jitter::None => self.floor.max(self.window.min(limit)),
        }
    }
}

/// Uniform between zero and `end`, both included, to the nanosecond.
pub(crate) fn uniform(end: Duration, entropy: &mut (impl Entropy + ?Sized)) -> Duration {
    // Beyond 584 years a nanosecond more or less does not matter.
    let span = u128::from(u64::try_from(end.as_nanos()).unwrap_or(u64::MAX)) + 1;
    let drawn = (u128::from(entropy.next_u64()) * span) >> 64;
    Duration::from_nanos(drawn as u64)
}
