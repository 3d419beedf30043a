//! Events as a person reads them.

use std::fmt;

use super::{Fallback, Retry};

/// Whether what came so far is void, which attempt follows when, and why.
impl fmt::Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.discarded {
            f.write_str("what came so far is void; ")?;
        }
        let Self { attempt, max_attempts, delay, message, .. } = self;
        write!(f, "trying again ({attempt} of {max_attempts}) in {:.1} s: {message}", delay.as_secs_f64())
    }
}

/// Which transport takes over from which, and why.
impl fmt::Display for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "going on over {} in the place of {}: {}", self.to, self.from, self.reason)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{FailureKind, TransportKind};

    #[test]
    fn a_retry_says_what_is_void_and_what_follows() {
        let mut retry = Retry::new(2, 9, FailureKind::Truncated, "connection reset");
        retry.delay = Duration::from_millis(1449);
        assert_eq!(retry.to_string(), "trying again (2 of 9) in 1.4 s: connection reset");
        retry.discarded = true;
        assert_eq!(retry.to_string(), "what came so far is void; trying again (2 of 9) in 1.4 s: connection reset");
    }

    #[test]
    fn a_fallback_says_what_takes_over_and_why() {
        let fallback = Fallback {
            from: TransportKind::WebSocket,
            to: TransportKind::Sse,
            reason: "HTTP 426 Upgrade Required".into(),
        };
        assert_eq!(fallback.to_string(), "going on over sse in the place of ws: HTTP 426 Upgrade Required");
    }
}
