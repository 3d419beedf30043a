//! What holds for every failure, policy and history.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use retry_policy::{
    Budget, Cost, Decision, Entropy, Failure, FailureClass, Fallback, GiveUpReason, Hint, HintSource, Jitter, Ledger,
    NextTransport, Pacing, Phase, Policy, SharedBudget, SplitMix64,
};

/// The longest wait that can be drawn, always.
struct Most;

impl Entropy for Most {
    fn next_u64(&mut self) -> u64 {
        u64::MAX
    }
}

fn millis(most: u64) -> impl Strategy<Value = Duration> {
    (0..=most).prop_map(Duration::from_millis)
}

/// Sensible and senseless lengths.
fn any_duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        8 => millis(200_000),
        1 => any::<u64>().prop_map(Duration::from_nanos),
        1 => Just(Duration::ZERO),
        1 => Just(Duration::MAX),
    ]
}

fn failures() -> impl Strategy<Value = Failure> {
    (
        prop::sample::select(FailureClass::ALL),
        prop::sample::select(&[Phase::Connect, Phase::Head, Phase::Streaming][..]),
        prop::option::weighted(0.4, any_duration()),
        prop::option::weighted(0.2, any::<bool>()),
        prop::sample::select(&[Fallback::None, Fallback::Possible, Fallback::Demanded][..]),
    )
        .prop_map(|(class, phase, wait, verdict, fallback)| {
            let hint = wait.map_or(Hint::NONE, |wait| Hint::wait(wait, HintSource::RetryAfter));
            Failure::new(class, phase).with_hint(hint.with_verdict(verdict)).with_fallback(fallback)
        })
}

fn jitters() -> impl Strategy<Value = Jitter> {
    prop::sample::select(&[Jitter::Full, Jitter::Equal, Jitter::None][..])
}

prop_compose! {
    fn policies()(
        counts in (0u32..20, 0u32..5, 0u32..4, 0u32..4, 0u32..4),
        (base, cap, overload, floor) in (any_duration(), any_duration(), any_duration(), any_duration()),
        (hint_max, max_wait, spread) in (any_duration(), any_duration(), any_duration()),
        (lone, event) in (any_duration(), any_duration()),
        jitter in jitters(),
    ) -> Policy {
        let (attempts, factor, unknown, protocol, fall_back) = counts;
        Policy::new()
            .with_max_attempts(attempts)
            .with_factor(factor)
            .with_unknown_retries(unknown)
            .with_protocol_retries(protocol)
            .with_fall_back_after(fall_back)
            .with_base(base)
            .with_cap(cap)
            .with_overload_base(overload)
            .with_rate_limit_floor(floor)
            .with_hint_max(hint_max)
            .with_max_wait(max_wait)
            .with_hint_spread(spread)
            .with_reconnect_lone(lone)
            .with_reconnect_server_event(event)
            .with_jitter(jitter)
    }
}

/// A step of a request: a failure, how long the attempt took, and whether it had finished an item.
fn histories() -> impl Strategy<Value = Vec<(Failure, Duration, bool)>> {
    prop::collection::vec((failures(), millis(30_000), any::<bool>()), 1..60)
}

proptest! {
    #[test]
    fn limits_hold_for_any_policy_and_history(
        policy in policies(),
        history in histories(),
        interval in any_duration(),
        seed in any::<u64>(),
    ) {
        let budget = SharedBudget::new(Pacing::new(2, interval));
        let mut entropy = SplitMix64::new(seed);
        let mut ledger = Ledger::new();
        let mut now = Instant::now();
        let (mut attempts, mut repairs, mut waited) = (1, 0, Duration::ZERO);
        for (failure, took, progress) in history {
            now += took;
            if progress {
                ledger.note_progress();
            }
            let before = budget.tokens();
            match policy.decide(&failure, &mut ledger, Some(&budget), &mut entropy, now) {
                Decision::RetryAfter(retry) => {
                    waited += retry.delay;
                    if retry.cost == Cost::Repair {
                        repairs += 1;
                    } else {
                        attempts += 1;
                        let demanded = failure.fallback == Fallback::Demanded && retry.transport == NextTransport::FallBack;
                        prop_assert!(
                            demanded
                                || failure.hint.wait.is_none_or(|hint| retry.delay >= hint && hint <= policy.hint_max())
                        );
                    }
                    prop_assert!(retry.cost != Cost::PacedAttempt || failure.class.is_charged());
                    prop_assert_eq!(retry.attempt, attempts);
                }
                Decision::GiveUp(GiveUpReason::HintTooFar { wait }) => prop_assert!(wait > policy.hint_max()),
                Decision::GiveUp(_) => prop_assert!(budget.tokens() >= before),
            }
            prop_assert!(attempts <= policy.max_attempts().max(1));
            prop_assert!(waited <= policy.max_wait());
            prop_assert!(repairs <= 5);
            prop_assert_eq!((ledger.attempts(), ledger.repairs(), ledger.waited()), (attempts, repairs, waited));
        }
    }

    #[test]
    fn a_wait_is_at_most_cap_and_hint_and_spread(
        class in prop::sample::select(FailureClass::ALL),
        hint in prop::option::of(millis(120_000)),
        jitter in jitters(),
        seed in any::<u64>(),
        failed in 1usize..9,
    ) {
        let policy = Policy::default().with_jitter(jitter).with_max_wait(Duration::from_secs(10_000));
        let hint_of = |wait| Hint::wait(wait, HintSource::Message);
        let failure = Failure::new(class, Phase::Streaming).with_hint(hint.map_or(Hint::NONE, hint_of));
        let mut ledger = Ledger::new();
        let mut entropy = SplitMix64::new(seed);
        for _ in 0..failed {
            let decision = policy.decide(&failure, &mut ledger, None, &mut entropy, Instant::now());
            let Decision::RetryAfter(retry) = decision else { break };
            let floor = hint.unwrap_or(policy.rate_limit_floor());
            let spread = (floor / 2).max(policy.hint_spread()).max(policy.cap());
            prop_assert!(retry.delay <= floor + spread, "{:?}", retry);
            prop_assert!(retry.cost == Cost::Repair || retry.delay >= hint.unwrap_or_default());
        }
    }

    #[test]
    fn the_longest_wait_never_shrinks_with_the_attempt(
        class in prop::sample::select(FailureClass::ALL),
        phase in prop::sample::select(&[Phase::Connect, Phase::Head, Phase::Streaming][..]),
        lone in millis(20_000),
        event in millis(60_000),
    ) {
        let policy = Policy::default()
            .with_max_wait(Duration::from_secs(10_000))
            .with_max_attempts(40)
            .with_reconnect_lone(lone)
            .with_reconnect_server_event(event);
        let mut ledger = Ledger::new();
        let mut last = Duration::ZERO;
        while let Decision::RetryAfter(retry) =
            policy.decide(&Failure::new(class, phase), &mut ledger, None, &mut Most, Instant::now())
        {
            if retry.cost != Cost::Repair {
                prop_assert!(retry.delay >= last, "{:?} after {:?}", retry.delay, last);
                last = retry.delay;
            }
        }
    }

    #[test]
    fn equal_seeds_give_equal_decisions(policy in policies(), history in histories(), seed in any::<u64>()) {
        let start = Instant::now();
        let run = || {
            let budget = SharedBudget::default();
            let (mut entropy, mut ledger) = (SplitMix64::new(seed), Ledger::new());
            let decide = |(failure, took, _): &(Failure, Duration, bool)| {
                policy.decide(failure, &mut ledger, Some(&budget), &mut entropy, start + *took)
            };
            history.iter().map(decide).collect::<Vec<_>>()
        };
        prop_assert_eq!(run(), run());
    }

    #[test]
    fn entropy_decides_when_and_never_whether(failures in prop::collection::vec(failures(), 1..20)) {
        let policy = Policy::default().with_max_wait(Duration::from_secs(100_000));
        let mut grants = [Vec::new(), Vec::new()];
        for (seed, grants) in (0..).zip(&mut grants) {
            let (mut entropy, mut ledger) = (SplitMix64::new(seed), Ledger::new());
            for failure in &failures {
                let decision = policy.decide(failure, &mut ledger, None, &mut entropy, Instant::now());
                grants.push(matches!(decision, Decision::RetryAfter(_)));
            }
        }
        prop_assert_eq!(&grants[0], &grants[1]);
    }

    #[test]
    fn the_budget_grants_no_more_than_it_has(
        sessions in 1u32..30,
        calls in prop::collection::vec((millis(20_000), any_duration()), 1..200),
    ) {
        let pacing = Pacing::default();
        let mut budget = Budget::for_sessions(sessions);
        let start = Instant::now();
        let mut now = start;
        // When each granted token may be used.
        let mut uses = Vec::new();
        let mut longest = Duration::ZERO;
        for (pause, limit) in calls {
            now += pause;
            let limit = limit.min(Duration::from_secs(120));
            match budget.reserve_within(now, limit) {
                Ok(delay) => {
                    prop_assert!(delay <= limit);
                    longest = longest.max(delay);
                    uses.push(now + delay);
                }
                Err(delay) => prop_assert!(delay > limit),
            }
            // Tokens owed are those which the longest wait earns.
            let owed = (-budget.tokens()).max(0) as f64;
            let per_second = if sessions == 1 { 0.05 } else { 0.06 * f64::from(sessions).sqrt() };
            prop_assert!(owed <= longest.as_secs_f64() * per_second + 1.0, "{} owed", owed);
        }
        uses.sort();
        let per_second = if sessions == 1 { 0.05 } else { 0.06 * f64::from(sessions).sqrt() };
        for (used, at) in (1u32..).zip(&uses) {
            let earned = f64::from(pacing.burst * sessions) + (*at - start).as_secs_f64() * per_second;
            prop_assert!(f64::from(used) <= earned + 1e-6, "{} used, {} earned", used, earned);
        }
    }

    #[test]
    fn sessions_that_come_and_go_make_no_tokens(
        calls in prop::collection::vec((millis(200), 0u8..5, any_duration()), 1..300),
    ) {
        let shared = SharedBudget::default();
        let mut members = vec![shared.join()];
        let start = Instant::now();
        let (mut now, mut most, mut free) = (start, 1, 0u32);
        for (pause, call, limit) in calls {
            match call {
                0 => members.push(shared.join()),
                1 | 2 if members.len() > 1 => drop(members.pop()),
                _ => {
                    now += pause;
                    let granted = shared.reserve_within(now, limit.min(Duration::from_secs(60)));
                    free += u32::from(granted.is_ok_and(|wait| wait.is_zero()));
                }
            }
            most = most.max(members.len());
        }
        let per_second = if most == 1 { 0.05 } else { 0.06 * (most as f64).sqrt() };
        let earned = 2.0 * most as f64 + (now - start).as_secs_f64() * per_second;
        prop_assert!(f64::from(free) <= earned + 1e-6, "{} free, {} earned by {}", free, earned, most);
    }

    #[test]
    fn no_numbers_make_a_budget_panic(
        burst in any::<u32>(),
        interval in any_duration(),
        calls in prop::collection::vec((any::<u32>(), any_duration(), 0u8..4), 1..50),
    ) {
        let mut budget = Budget::new(Pacing::new(burst, interval));
        let start = Instant::now();
        for (number, length, call) in calls {
            let now = start.checked_add(length).unwrap_or(start);
            match call {
                0 => budget.set_sessions(number),
                1 => budget.give_back(),
                2 => drop(budget.reserve(now)),
                _ => drop(budget.reserve_within(now, length)),
            }
            budget.tokens();
        }
    }
}
