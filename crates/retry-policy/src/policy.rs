//! The settings.

use std::time::Duration;

use crate::{Jitter, PolicyError};

/// The longest duration that any setting may have.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident, $with:ident: $kind:ty = $default:expr;)*) => {
        /// How failures are retried. The same for any number of requests and sessions.
        ///
        /// The defaults are those which, of the policies compared by simulation, served nearly every turn through
        /// outages, brown-outs and mass disconnects without making them worse.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Policy {
            $($name: $kind,)*
        }

        impl Default for Policy {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl Policy {
            $(
                $(#[$doc])*
                pub const fn $name(&self) -> $kind {
                    self.$name
                }

                #[doc = concat!("Sets [`", stringify!($name), "`](Self::", stringify!($name), ").")]
                pub const fn $with(mut self, $name: $kind) -> Self {
                    self.$name = $name;
                    self
                }
            )*
        }
    };
}

settings! {
    /// Attempts of a request in all, the first included, over all layers and transports. At least 1; default 9.
    max_attempts, with_max_attempts: u32 = 9;

    /// The back-off after the first failure. Above zero, not above the cap; default 1 s.
    base, with_base: Duration = Duration::from_secs(1);

    /// By how much the back-off grows with each consecutive failure. At least 1; default 2.
    factor, with_factor: u32 = 2;

    /// The longest back-off; floors come on top. Default 30 s.
    cap, with_cap: Duration = Duration::from_secs(30);

    /// How a wait is drawn. Default [`Jitter::Full`].
    jitter, with_jitter: Jitter = Jitter::Full;

    /// The longest hint that is waited for; a longer one gives up and says so. Default 120 s.
    hint_max, with_hint_max: Duration = Duration::from_secs(120);

    /// The least spread above a hint. It is the largest of this, half the hint and the back-off; default 1 s.
    hint_spread, with_hint_spread: Duration = Duration::from_secs(1);

    /// All waits of a request together. Default 120 s.
    max_wait, with_max_wait: Duration = Duration::from_secs(120);

    /// The first back-off after a lone stream was cut. Default 1 s.
    reconnect_lone, with_reconnect_lone: Duration = Duration::from_secs(1);

    /// The least back-off after a cut that probably met others, too. Default 5 s.
    reconnect_server_event, with_reconnect_server_event: Duration = Duration::from_secs(5);

    /// The base in place of [`base`](Self::base) when the service is overloaded. Default 2 s.
    overload_base, with_overload_base: Duration = Duration::from_secs(2);

    /// The floor of a wait after "too many requests" without a hint. Default 1 s.
    rate_limit_floor, with_rate_limit_floor: Duration = Duration::from_secs(1);

    /// How often [`Unknown`](crate::FailureClass::Unknown) failures are retried. Default 2.
    unknown_retries, with_unknown_retries: u32 = 2;

    /// How often [`Protocol`](crate::FailureClass::Protocol) failures, and separately
    /// [`Tls`](crate::FailureClass::Tls) failures, are retried. Default 1.
    protocol_retries, with_protocol_retries: u32 = 1;

    /// After how many consecutive failures before the first event a transport is left for another, if there is one.
    /// At least 1; default 2.
    fall_back_after, with_fall_back_after: u32 = 2;
}

impl Policy {
    /// The default policy.
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks the settings against each other.
    ///
    /// [`decide`](Self::decide) copes with any settings; this finds those that nobody can want.
    ///
    /// # Errors
    ///
    /// Zero attempts, factor, base or fallback count, a base above the cap, and durations above 24 hours.
    pub fn validate(&self) -> Result<(), PolicyError> {
        let counts =
            [("max_attempts", self.max_attempts), ("factor", self.factor), ("fall_back_after", self.fall_back_after)];
        for (name, value) in counts {
            if value == 0 {
                return Err(PolicyError::zero(name));
            }
        }
        let durations = [
            ("base", self.base),
            ("cap", self.cap),
            ("hint_max", self.hint_max),
            ("hint_spread", self.hint_spread),
            ("max_wait", self.max_wait),
            ("reconnect_lone", self.reconnect_lone),
            ("reconnect_server_event", self.reconnect_server_event),
            ("overload_base", self.overload_base),
            ("rate_limit_floor", self.rate_limit_floor),
        ];
        for (name, value) in durations {
            if value > LONGEST {
                return Err(PolicyError::too_long(name));
            }
        }
        for (name, value) in [("base", self.base), ("overload_base", self.overload_base)] {
            if value.is_zero() {
                return Err(PolicyError::zero(name));
            }
        }
        if self.base > self.cap {
            return Err(PolicyError::above("base", "cap"));
        }
        Ok(())
    }
}
