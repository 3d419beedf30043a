//! A thousand clients with the default policy meet an outage, a brown-out, a shared reset and a mass disconnect.
//!
//! The limits are those of the same policy at ten thousand clients and ten times the capacity. They hold unchanged, as
//! means over five seeds. Only the peak is counted over whole seconds instead of tenths: a tenth of a second holds ten
//! requests here, a number that varies by a third of its own accord.

mod support {
    pub(crate) mod simulation;
}

use std::time::Duration;

use retry_policy::{Jitter, Policy};
use support::simulation::{Fault, Outcome, Scenario, Sessions, run};

const OUTAGE: Fault = Fault::Outage { seconds: 30.0 };
const BROWN_OUT: Fault = Fault::BrownOut { seconds: 60.0, left: 0.3 };
const SHARED_RESET: Fault = Fault::SharedReset { seconds: 30.0 };
const HINT: Option<Duration> = Some(Duration::from_secs(5));

fn simulate(policy: &Policy, fault: Fault, hint: Option<Duration>, sharing: Option<usize>) -> Outcome {
    mean(policy, Scenario { fault, hint, sharing, sessions: Sessions::Lasting })
}

fn mean(policy: &Policy, scenario: Scenario) -> Outcome {
    Outcome::mean(&[1, 2, 3, 4, 5].map(|seed| run(policy, scenario, seed)))
}

/// Bounds of an outcome; the defaults bound nothing.
struct Limits {
    served: f64,
    attempts: f64,
    goodput: f64,
    peak: f64,
    recovered: f64,
    last: f64,
}

impl Default for Limits {
    fn default() -> Self {
        let any = f64::INFINITY;
        Self { served: 0.0, attempts: any, goodput: 0.0, peak: any, recovered: any, last: any }
    }
}

fn check(fault: Fault, hint: Option<Duration>, sharing: usize, limits: &Limits) {
    limits.check(&simulate(&Policy::default(), fault, hint, Some(sharing)));
}

impl Limits {
    fn check(&self, outcome: &Outcome) {
        assert!(outcome.served >= self.served, "{outcome:?}");
        assert!(outcome.attempts <= self.attempts, "{outcome:?}");
        assert!(outcome.goodput >= self.goodput, "{outcome:?}");
        assert!(outcome.peak <= self.peak, "{outcome:?}");
        assert!(outcome.recovered <= self.recovered, "{outcome:?}");
        assert!(outcome.last <= self.last, "{outcome:?}");
    }
}

#[test]
fn an_outage_is_sat_out_and_not_followed_by_a_rush() {
    let limits = Limits { served: 0.99, attempts: 3.8, peak: 1.3, recovered: 2.0, ..Limits::default() };
    check(OUTAGE, None, 1, &limits);
}

#[test]
fn a_brown_out_is_not_made_worse() {
    let limits = Limits { served: 0.99, attempts: 2.7, goodput: 0.80, ..Limits::default() };
    check(BROWN_OUT, None, 1, &limits);
    check(BROWN_OUT, None, 10, &limits);
}

#[test]
fn sessions_of_one_turn_are_paced_as_lasting_ones_are() {
    let limits = Limits { served: 0.99, attempts: 2.7, goodput: 0.80, ..Limits::default() };
    for sharing in [1, 10, 100].map(Some) {
        let scenario = Scenario { fault: BROWN_OUT, hint: None, sharing, sessions: Sessions::OfOneTurn };
        limits.check(&mean(&Policy::default(), scenario));
    }
    // Those that stay do not pay for those that leave.
    let scenario = Scenario { fault: Fault::MassCut, hint: None, sharing: Some(100), sessions: Sessions::OfOneTurn };
    Limits { served: 1.0, attempts: 3.0, ..Limits::default() }.check(&mean(&Policy::default(), scenario));
}

#[test]
fn a_brown_out_with_hints_costs_less() {
    let limits = Limits { served: 0.99, attempts: 2.3, goodput: 0.83, ..Limits::default() };
    check(BROWN_OUT, HINT, 1, &limits);
}

#[test]
fn clients_told_the_same_instant_do_not_come_at_the_same_time() {
    check(SHARED_RESET, None, 1, &Limits { served: 0.99, peak: 2.0, ..Limits::default() });
}

#[test]
fn after_a_mass_cut_everybody_is_served() {
    check(Fault::MassCut, None, 1, &Limits { served: 1.0, attempts: 3.0, last: 32.0, ..Limits::default() });
    check(Fault::MassCut, HINT, 1, &Limits { served: 1.0, attempts: 1.7, last: 15.0, ..Limits::default() });
}

/// The limits mean something: without its parts the policy breaks them.
#[test]
fn without_pacing_or_spread_the_storms_are_real() {
    let unpaced = simulate(&Policy::default(), BROWN_OUT, None, None);
    assert!(unpaced.served < 0.99 && unpaced.attempts > 3.5 && unpaced.goodput < 0.75, "{unpaced:?}");
    let in_step = Policy::default().with_jitter(Jitter::None);
    let told = simulate(&in_step, SHARED_RESET, None, Some(1));
    assert!(told.peak > 5.0, "{told:?}");
    let cut = simulate(&in_step, Fault::MassCut, None, Some(1));
    assert!(cut.served < 0.9 && cut.attempts > 4.0, "{cut:?}");
}
