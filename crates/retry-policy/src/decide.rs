//! The decision itself.

use std::time::{Duration, Instant};

use crate::{
    Cost, Decision, Entropy, Failure, FailureClass, Fallback, GiveUpReason, Ledger, NextTransport, Phase, Policy,
    RetryAfter, SharedBudget,
    backoff::{Wait, uniform},
    table::{Backoff, Blame, Charge, Repair, Retries},
};

impl Policy {
    /// Decides about a failed attempt, and writes the decision into the ledger.
    ///
    /// * A transport that [has to be left](Fallback::Demanded) is left at once, once in a request: that is an attempt
    ///   like every other, but neither class nor hint nor budget keep it back, since they are about the same transport.
    /// * A repair, where the class has one that was not used yet, comes before everything else.
    /// * For a given ledger and budget, `entropy` decides when there is a retry, never whether.
    /// * The wait is never shorter than the hint, and is spread above it. The waits of a request never come to more
    ///   than [`max_wait`](Self::max_wait): the spread is narrowed to what is left, and when the hint or the budget
    ///   ask for more, the decision is to give up.
    /// * `budget` paces: a charged retry waits for its token. It is never touched by a decision to give up.
    /// * `now` matters to the budget alone; any monotonic instant will do.
    ///
    /// Nothing is allocated, and no numbers make it panic.
    pub fn decide(
        &self,
        failure: &Failure,
        ledger: &mut Ledger,
        budget: Option<&SharedBudget>,
        entropy: &mut (impl Entropy + ?Sized),
        now: Instant,
    ) -> Decision {
        if failure.fallback == Fallback::Demanded && !ledger.fell_back() {
            return self.leave_transport(ledger);
        }
        if let Some(repair) = self.repair(failure.class, ledger, entropy) {
            return Decision::RetryAfter(repair);
        }
        ledger.note_failure();
        let transport = self.next_transport(failure, ledger);
        let scheduled =
            self.permit(failure, ledger, transport).and_then(|()| self.schedule(failure, ledger, budget, entropy, now));
        match scheduled {
            Ok((delay, cost)) => {
                ledger.note_retry(failure.class);
                ledger.note_wait(delay);
                if transport == NextTransport::FallBack {
                    ledger.note_fallback();
                }
                Decision::RetryAfter(RetryAfter {
                    delay,
                    attempt: ledger.attempts(),
                    fresh_connection: failure.class.wants_fresh_connection(),
                    transport,
                    cost,
                })
            }
            Err(reason) => Decision::GiveUp(reason),
        }
    }

    /// The other transport, as long as there are attempts.
    fn leave_transport(&self, ledger: &mut Ledger) -> Decision {
        if ledger.attempts() >= self.max_attempts() {
            return Decision::GiveUp(GiveUpReason::Attempts);
        }
        ledger.note_attempt();
        ledger.note_fallback();
        Decision::RetryAfter(RetryAfter {
            delay: Duration::ZERO,
            attempt: ledger.attempts(),
            fresh_connection: true,
            transport: NextTransport::FallBack,
            cost: Cost::Attempt,
        })
    }

    /// The free repair of a class, once.
    fn repair(
        &self,
        class: FailureClass,
        ledger: &mut Ledger,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Option<RetryAfter> {
        let window = match class.row().repair {
            Repair::No => return None,
            Repair::Now => Duration::ZERO,
            Repair::Reconnect => self.reconnect_lone().min(self.wait_left(ledger)),
        };
        if !ledger.take_repair(class) {
            return None;
        }
        let delay = uniform(window, entropy);
        ledger.note_wait(delay);
        Some(RetryAfter {
            delay,
            attempt: ledger.attempts(),
            fresh_connection: class.wants_fresh_connection(),
            transport: NextTransport::Same,
            cost: Cost::Repair,
        })
    }

    /// Whether class, hint and counts allow a retry.
    fn permit(&self, failure: &Failure, ledger: &Ledger, transport: NextTransport) -> Result<(), GiveUpReason> {
        let row = failure.class.row();
        let verdict = failure.hint.should_retry;
        match row.retries {
            // What was repaired once and came back is beyond repair.
            Retries::Never if row.repair != Repair::No => return Err(GiveUpReason::Repeated),
            Retries::Never => return Err(GiveUpReason::Terminal),
            Retries::OnRequest if verdict != Some(true) => return Err(GiveUpReason::Terminal),
            _ if verdict == Some(false) => return Err(GiveUpReason::ServerSaidNo),
            _ => {}
        }
        if let Some(wait) = failure.hint.wait.filter(|wait| *wait > self.hint_max()) {
            return Err(GiveUpReason::HintTooFar { wait });
        }
        // Another transport may fare better: leaving this one is no repetition.
        if transport == NextTransport::Same && self.is_repeated(failure, ledger) {
            return Err(GiveUpReason::Repeated);
        }
        if ledger.attempts() >= self.max_attempts() {
            return Err(GiveUpReason::Attempts);
        }
        Ok(())
    }

    /// The wait, within what is left of the waiting time, and its token.
    fn schedule(
        &self,
        failure: &Failure,
        ledger: &Ledger,
        budget: Option<&SharedBudget>,
        entropy: &mut (impl Entropy + ?Sized),
        now: Instant,
    ) -> Result<(Duration, Cost), GiveUpReason> {
        let row = failure.class.row();
        let left = self.wait_left(ledger);
        let backoff = match (row.backoff, failure.phase) {
            // Without a stream there is nothing to be reconnected.
            (Backoff::LoneCut, Phase::Connect | Phase::Head) => Backoff::Standard,
            (backoff, _) => backoff,
        };
        let Wait { floor, window } = self.wait(backoff, ledger.consecutive_failures(), failure.hint.wait);
        if left.is_zero() || floor > left {
            return Err(GiveUpReason::WaitBudget { wait: floor });
        }
        let (floor, cost) = match budget.filter(|_| row.charge == Charge::Token) {
            None => (floor, Cost::Attempt),
            Some(budget) => match budget.reserve_within(now, left) {
                // The token is a floor as the hint is: who waits for the same instant must not come at the same time.
                Ok(paced) => (floor.max(paced), Cost::PacedAttempt),
                Err(wait) => return Err(GiveUpReason::WaitBudget { wait: wait.max(floor) }),
            },
        };
        Ok((Wait { floor, window }.draw(self.jitter(), left, entropy), cost))
    }

    /// Leaves a transport that does not carry anything.
    fn next_transport(&self, failure: &Failure, ledger: &mut Ledger) -> NextTransport {
        if failure.class.row().blame == Blame::None {
            ledger.clear_blame();
            return NextTransport::Same;
        }
        if failure.phase == Phase::Streaming {
            ledger.clear_blame();
        } else {
            ledger.note_blame();
        }
        let hopeless = ledger.blame() >= self.fall_back_after() || self.is_repeated(failure, ledger);
        match failure.fallback {
            Fallback::Possible if hopeless && !ledger.fell_back() => NextTransport::FallBack,
            _ => NextTransport::Same,
        }
    }

    /// Whether the class was retried as often as it may be.
    fn is_repeated(&self, failure: &Failure, ledger: &Ledger) -> bool {
        let limit = match failure.class.row().retries {
            Retries::ProtocolLimit => self.protocol_retries(),
            // When the service asks for it, the error is no longer one of unknown meaning.
            Retries::UnknownLimit if failure.hint.should_retry != Some(true) => self.unknown_retries(),
            _ => u32::MAX,
        };
        ledger.retried(failure.class) >= limit
    }

    /// What is left of the waiting time.
    fn wait_left(&self, ledger: &Ledger) -> Duration {
        self.max_wait().saturating_sub(ledger.waited())
    }
}
