//! The request's account with the retry policy.

use std::time::Instant;

use response_events::{Failure, Phase};
use retry_policy::{Cost, Decision, FailureClass, Fallback, Hint, Ledger, RetryAfter, SplitMix64};

use crate::{EngineConfig, attempt::Attempt, classes::class_of};

/// Everything that a request has used up, and the wait that is under way.
#[derive(Debug)]
pub(crate) struct Retrying {
    ledger: Ledger,
    entropy: SplitMix64,
    wait: Option<Wait>,
}

/// A wait before the next attempt.
#[derive(Clone, Copy, Debug)]
struct Wait {
    until: Instant,
    retry: RetryAfter,
}

/// What becomes of a failure.
#[derive(Debug)]
pub(crate) enum Verdict {
    Retry(RetryAfter, FailureClass),
    GiveUp,
}

impl Retrying {
    pub(crate) fn new(seed: u64) -> Self {
        let mut ledger = Ledger::new();
        // The transport sends what the service never looked at once more by itself, once in all attempts.
        ledger.note_repair(FailureClass::NotSent);
        Self { ledger, entropy: SplitMix64::new(seed), wait: None }
    }

    /// An item was finished: what comes next is a new trouble, not the old one.
    pub(crate) fn note_progress(&mut self) {
        self.ledger.note_progress();
    }

    /// Decides about a failure, and completes it with what the service said about trying again.
    pub(crate) fn decide(
        &mut self,
        failure: &mut Failure,
        attempt: &Attempt,
        fallback: Fallback,
        config: &EngineConfig,
        now: Instant,
    ) -> Verdict {
        let class = class_of(failure, attempt.socket, config);
        let unix_time = config.unix_time.map(|start| start + now.saturating_duration_since(config.turn_started));
        let hint = attempt.hints.read(failure, unix_time, now);
        failure.retry_after = hint.wait;
        failure.retryable = is_retryable(class, hint);
        let phase = match failure.phase {
            Phase::Connect | Phase::Tls | Phase::Sending => retry_policy::Phase::Connect,
            Phase::Streaming => retry_policy::Phase::Streaming,
            _ => retry_policy::Phase::Head,
        };
        let seen = retry_policy::Failure::new(class, phase).with_hint(hint).with_fallback(fallback);
        let budget = config.budget.as_ref();
        match config.policy.decide(&seen, &mut self.ledger, budget, &mut self.entropy, now) {
            Decision::RetryAfter(retry) => Verdict::Retry(retry, class),
            Decision::GiveUp(reason) => {
                failure.gave_up = failure.retryable.then(|| reason.to_string());
                Verdict::GiveUp
            }
        }
    }

    /// Begins the wait that was granted. It does not if the wait would not be over before the deadline of the turn.
    #[must_use]
    pub(crate) fn begin_wait(&mut self, retry: RetryAfter, deadline: Option<Instant>, now: Instant) -> bool {
        let until = now.checked_add(retry.delay).filter(|until| deadline.is_none_or(|deadline| *until < deadline));
        self.wait = until.map(|until| Wait { until, retry });
        self.wait.is_some()
    }

    /// When the wait is over.
    pub(crate) fn waits_until(&self) -> Option<Instant> {
        self.wait.map(|wait| wait.until)
    }

    /// Ends the wait, because it is over.
    pub(crate) fn end_wait(&mut self) {
        self.wait = None;
    }

    /// The attempt that was granted is not made.
    pub(crate) fn give_back(retry: RetryAfter, config: &EngineConfig) {
        if let (Cost::PacedAttempt, Some(budget)) = (retry.cost, &config.budget) {
            budget.give_back();
        }
    }

    /// Gives up a wait that is under way, with its token.
    pub(crate) fn release(&mut self, config: &EngineConfig) {
        if let Some(wait) = self.wait.take() {
            Self::give_back(wait.retry, config);
        }
    }
}

/// The class's answer, unless the service has the last word about it.
fn is_retryable(class: FailureClass, hint: Hint) -> bool {
    match class {
        // The last two can be repaired, with other credentials or input; the same request fails again.
        FailureClass::Terminal | FailureClass::Unauthorized | FailureClass::UnknownPrevious => false,
        _ => hint.should_retry.unwrap_or_else(|| class.is_retryable()),
    }
}
