//! A decision allocates nothing.

use std::time::Instant;

use retry_policy::{Failure, FailureClass, Ledger, Phase, Policy, SharedBudget, SplitMix64};

#[test]
fn a_decision_allocates_nothing() {
    let policy = Policy::default();
    let budget = SharedBudget::default();
    let _membership = budget.join();
    let (mut entropy, mut ledger) = (SplitMix64::new(1), Ledger::new());
    let now = Instant::now();
    let measured = allocation_counter::measure(|| {
        for &class in FailureClass::ALL {
            policy.decide(&Failure::new(class, Phase::Head), &mut ledger, Some(&budget), &mut entropy, now);
        }
    });
    assert_eq!(measured.count_total, 0);
    assert!(ledger.attempts() > 1);
}
