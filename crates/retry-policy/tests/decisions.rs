//! What is decided, class by class and limit by limit.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use retry_policy::{
    Budget, Cost, Decision, Entropy, Failure, FailureClass, Fallback, GiveUpReason, Hint, HintSource, Jitter, Ledger,
    NextTransport, Pacing, Phase, Policy, RetryAfter, SharedBudget, SplitMix64,
};

/// The same bits for ever.
struct Constant(u64);

impl Entropy for Constant {
    fn next_u64(&mut self) -> u64 {
        self.0
    }
}

/// The shortest and the longest wait that can be drawn.
const LEAST: u64 = 0;
const MOST: u64 = u64::MAX;

const SECOND: Duration = Duration::from_secs(1);
const PHASES: [Phase; 3] = [Phase::Connect, Phase::Head, Phase::Streaming];

/// The decisions about the same failure over and over, up to the first that gives up.
fn course(
    policy: &Policy,
    failure: Failure,
    budget: Option<&SharedBudget>,
    mut entropy: impl Entropy,
) -> Vec<Decision> {
    let now = Instant::now();
    let mut ledger = Ledger::new();
    let mut course = Vec::new();
    loop {
        let decision = policy.decide(&failure, &mut ledger, budget, &mut entropy, now);
        course.push(decision);
        if matches!(decision, Decision::GiveUp(_)) {
            return course;
        }
    }
}

fn granted(course: &[Decision]) -> Vec<RetryAfter> {
    let retry = |decision: &Decision| match decision {
        Decision::RetryAfter(retry) => Some(*retry),
        Decision::GiveUp(_) => None,
    };
    course.iter().filter_map(retry).collect()
}

fn check(policy: &Policy, failure: Failure, retries: usize, reason: GiveUpReason) -> Vec<RetryAfter> {
    let course = course(policy, failure, None, Constant(MOST));
    let granted = granted(&course);
    assert_eq!(granted.len(), retries, "{failure:?}: {course:?}");
    assert_eq!(course.last(), Some(&Decision::GiveUp(reason)), "{failure:?}");
    granted
}

fn waiting(class: FailureClass, hint: Duration) -> Failure {
    Failure::new(class, Phase::Head).with_hint(Hint::wait(hint, HintSource::RetryAfter))
}

#[test]
fn every_class_in_every_phase() {
    let policy = Policy::default();
    let name = |reason: GiveUpReason| match reason {
        GiveUpReason::HintTooFar { .. } => "too far".to_owned(),
        GiveUpReason::WaitBudget { .. } => "wait budget".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    };
    let mut table = String::new();
    let mut line = |cells: [&str; 9]| {
        let [class, phase, first, second, ninth, charged, fresh, fall, end] = cells;
        let row = format!(
            "{class:<16} {phase:<10} {first:<12} {second:<12} {ninth:<10} {charged:<8} {fresh:<6} {fall:<13} {end}"
        );
        writeln!(table, "{}", row.trim_end()).unwrap();
    };
    line(["class", "phase", "1st failure", "2nd", "9th", "charged", "fresh", "falls back", "longest course"]);
    for &class in FailureClass::ALL {
        for phase in PHASES {
            let failure = Failure::new(class, phase).with_fallback(Fallback::Possible);
            let least = course(&policy, failure, None, Constant(LEAST));
            let most = course(&policy, failure, None, Constant(MOST));
            let cell = |at: usize| match (least.get(at), most.get(at)) {
                (Some(Decision::RetryAfter(least)), Some(Decision::RetryAfter(most))) => {
                    let repair = if most.cost == Cost::Repair { " free" } else { "" };
                    format!("{}..{} s{repair}", least.delay.as_secs_f32(), most.delay.as_secs_f32())
                }
                (Some(Decision::GiveUp(reason)), Some(_)) => name(*reason),
                _ => "-".to_owned(),
            };
            // Enough tokens, so that nothing is paced.
            let budget = SharedBudget::from(Budget::for_sessions(10));
            let charged = granted(&course_with(&policy, failure, &budget));
            let yes = |any: bool| if any { "yes" } else { "-" };
            let falls = granted(&most)
                .iter()
                .position(|retry| retry.transport == NextTransport::FallBack)
                .map_or("-".to_owned(), |at| format!("at failure {}", at + 1));
            let end = match most.last() {
                Some(Decision::GiveUp(reason)) => format!("{} retries: {}", most.len() - 1, name(*reason)),
                _ => "endless".to_owned(),
            };
            line([
                &format!("{class:?}"),
                &format!("{phase:?}"),
                &cell(0),
                &cell(1),
                &cell(8),
                yes(charged.iter().any(|retry| retry.cost == Cost::PacedAttempt)),
                yes(charged.iter().any(|retry| retry.fresh_connection)),
                &falls,
                &end,
            ]);
        }
    }
    insta::assert_snapshot!(table);
}

fn course_with(policy: &Policy, failure: Failure, budget: &SharedBudget) -> Vec<Decision> {
    course(policy, failure, Some(budget), Constant(LEAST))
}

#[test]
fn the_back_off_doubles_up_to_its_cap() {
    let policy = Policy::default().with_max_wait(Duration::from_secs(1_000));
    let failure = Failure::new(FailureClass::Server, Phase::Head);
    let waits: Vec<_> =
        check(&policy, failure, 8, GiveUpReason::Attempts).iter().map(|retry| retry.delay.as_secs()).collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
}

#[test]
fn jitter_is_drawn_from_its_part_of_the_window() {
    let failure = Failure::new(FailureClass::Overloaded, Phase::Head);
    for (jitter, least, most) in [(Jitter::Full, 0, 2), (Jitter::Equal, 1, 2), (Jitter::None, 2, 2)] {
        let policy = Policy::default().with_jitter(jitter);
        let first = |entropy| granted(&course(&policy, failure, None, entropy))[0].delay.as_secs();
        assert_eq!((first(Constant(LEAST)), first(Constant(MOST))), (least, most), "{jitter:?}");
    }
}

#[test]
fn the_first_reconnect_of_a_cut_stream_has_its_own_window() {
    let policy = Policy::default()
        .with_reconnect_lone(Duration::from_millis(300))
        .with_reconnect_server_event(Duration::from_secs(3));
    let longest = |class, phase| {
        let granted = granted(&course(&policy, Failure::new(class, phase), None, Constant(MOST)));
        granted[..3].iter().map(|retry| retry.delay.as_millis()).collect::<Vec<_>>()
    };
    assert_eq!(longest(FailureClass::Cut, Phase::Streaming), [300, 2_000, 4_000]);
    assert_eq!(longest(FailureClass::Cut, Phase::Head), [1_000, 2_000, 4_000]);
    assert_eq!(longest(FailureClass::ServerEvent, Phase::Streaming), [3_000, 3_000, 4_000]);
}

#[test]
fn progress_resets_the_back_off_but_not_the_attempts() {
    let policy = Policy::default();
    let failure = Failure::new(FailureClass::Cut, Phase::Streaming);
    let mut ledger = Ledger::new();
    for attempt in 2..=9 {
        ledger.note_progress();
        let decision = policy.decide(&failure, &mut ledger, None, &mut Constant(MOST), Instant::now());
        let Decision::RetryAfter(retry) = decision else { panic!("{decision:?}") };
        assert_eq!((retry.attempt, retry.delay), (attempt, SECOND));
    }
    ledger.note_progress();
    let decision = policy.decide(&failure, &mut ledger, None, &mut Constant(MOST), Instant::now());
    assert_eq!(decision, Decision::GiveUp(GiveUpReason::Attempts));
}

#[test]
fn failures_of_all_kinds_add_up_in_one_ledger() {
    let policy = Policy::default();
    let mut ledger = Ledger::new();
    let classes = [FailureClass::Dns, FailureClass::Server, FailureClass::Cut, FailureClass::HeadTimeout];
    for class in classes.iter().cycle().take(8) {
        let decision =
            policy.decide(&Failure::new(*class, Phase::Head), &mut ledger, None, &mut Constant(LEAST), Instant::now());
        assert!(matches!(decision, Decision::RetryAfter(_)), "{decision:?}");
    }
    let dns = Failure::new(FailureClass::Dns, Phase::Connect);
    let decision = policy.decide(&dns, &mut ledger, None, &mut Constant(LEAST), Instant::now());
    assert_eq!(decision, Decision::GiveUp(GiveUpReason::Attempts));
}

#[test]
fn a_transport_that_has_to_be_left_is_left_at_once_whatever_the_class() {
    let policy = Policy::default().with_max_attempts(2);
    let far = Hint::wait(Duration::from_secs(10_000), HintSource::RetryAfter).with_verdict(Some(false));
    let budget = SharedBudget::new(Pacing::new(0, SECOND));
    for &class in FailureClass::ALL {
        let failure = Failure::new(class, Phase::Head).with_hint(far).with_fallback(Fallback::Demanded);
        let mut ledger = Ledger::new();
        let mut decide = || policy.decide(&failure, &mut ledger, Some(&budget), &mut Constant(MOST), Instant::now());
        let first = decide();
        let Decision::RetryAfter(retry) = first else { panic!("{class:?}: {first:?}") };
        assert_eq!((retry.attempt, retry.delay, retry.cost), (2, Duration::ZERO, Cost::Attempt), "{class:?}");
        assert_eq!((retry.transport, retry.fresh_connection), (NextTransport::FallBack, true), "{class:?}");
        // There is nowhere else to go: from now on it is a failure like every other.
        let transport = |decision| match decision {
            Decision::RetryAfter(retry) => Some(retry.transport),
            Decision::GiveUp(_) => None,
        };
        assert_ne!(transport(decide()), Some(NextTransport::FallBack), "{class:?}");
        let decision = policy.clone().with_max_attempts(1).decide(
            &failure,
            &mut Ledger::new(),
            None,
            &mut Constant(LEAST),
            Instant::now(),
        );
        assert_eq!(decision, Decision::GiveUp(GiveUpReason::Attempts), "{class:?}");
    }
}

#[test]
fn a_hint_is_a_floor_with_spread_above() {
    // Spread: half the hint, at least 1 s, at least the back-off.
    for (hint, spread) in [(1, 1), (4, 2), (60, 30)] {
        let failure = waiting(FailureClass::RateLimited, Duration::from_secs(hint));
        let first = |entropy| granted(&course(&Policy::default(), failure, None, entropy))[0].delay.as_secs();
        assert_eq!((first(Constant(LEAST)), first(Constant(MOST))), (hint, hint + spread), "{hint} s");
    }
    let failure = waiting(FailureClass::Server, Duration::from_millis(1));
    let third = granted(&course(&Policy::default(), failure, None, Constant(MOST)))[2];
    assert_eq!(third.delay, Duration::from_millis(4_001));
}

#[test]
fn the_spread_is_narrowed_where_the_waiting_time_ends_and_the_hint_is_not() {
    let failure = waiting(FailureClass::RateLimited, Duration::from_secs(119));
    assert_eq!(
        check(&Policy::default(), failure, 1, GiveUpReason::WaitBudget { wait: Duration::from_secs(119) })[0].delay,
        Duration::from_secs(120)
    );
}

#[test]
fn a_hint_too_far_away_gives_up_and_says_how_far() {
    let wait = Duration::from_secs(3 * 60 * 60);
    check(&Policy::default(), waiting(FailureClass::RateLimited, wait), 0, GiveUpReason::HintTooFar { wait });
    let wait = Duration::from_nanos(120_000_000_001);
    check(&Policy::default(), waiting(FailureClass::Server, wait), 0, GiveUpReason::HintTooFar { wait });
    check(&Policy::default(), waiting(FailureClass::Terminal, wait), 0, GiveUpReason::Terminal);
}

#[test]
fn waiting_ends_at_its_limit() {
    let policy = Policy::default().with_max_wait(Duration::from_secs(10));
    let failure = waiting(FailureClass::Server, Duration::from_secs(4));
    // 4 s + 2 s, then 4 s + 0 s, then nothing is left.
    let wait = Duration::from_secs(4);
    let retries = check(&policy, failure, 2, GiveUpReason::WaitBudget { wait });
    assert_eq!(retries.iter().map(|retry| retry.delay.as_secs()).collect::<Vec<_>>(), [6, 4]);
    let none = Policy::default().with_max_wait(Duration::ZERO);
    check(&none, Failure::new(FailureClass::Server, Phase::Head), 0, GiveUpReason::WaitBudget { wait: Duration::ZERO });
}

#[test]
fn the_services_word_overrides_a_status_but_not_a_terminal_code() {
    let says = |class, verdict| Failure::new(class, Phase::Head).with_hint(Hint::NONE.with_verdict(Some(verdict)));
    let policy = Policy::default();
    check(&policy, says(FailureClass::Server, false), 0, GiveUpReason::ServerSaidNo);
    check(&policy, says(FailureClass::RateLimited, false), 0, GiveUpReason::ServerSaidNo);
    check(&policy, says(FailureClass::Rejected, true), 8, GiveUpReason::Attempts);
    check(&policy, says(FailureClass::Rejected, false), 0, GiveUpReason::Terminal);
    check(&policy, says(FailureClass::Unknown, true), 8, GiveUpReason::Attempts);
    check(&policy, says(FailureClass::Terminal, true), 0, GiveUpReason::Terminal);
    check(&policy, says(FailureClass::Protocol, true), 1, GiveUpReason::Repeated);
    // Refreshed credentials make it another request.
    check(&policy, says(FailureClass::Unauthorized, false), 1, GiveUpReason::Repeated);
}

#[test]
fn repairs_are_free_and_made_once() {
    let policy = Policy::default().with_max_attempts(1);
    let mut ledger = Ledger::new();
    let repairable = [
        (FailureClass::NotSent, GiveUpReason::Attempts),
        (FailureClass::Stale, GiveUpReason::Attempts),
        (FailureClass::SocketTooOld, GiveUpReason::Attempts),
        (FailureClass::Unauthorized, GiveUpReason::Repeated),
        (FailureClass::UnknownPrevious, GiveUpReason::Repeated),
    ];
    for (repairs, (class, _)) in (1..).zip(repairable) {
        let failure = Failure::new(class, Phase::Head);
        let decision = policy.decide(&failure, &mut ledger, None, &mut Constant(LEAST), Instant::now());
        let Decision::RetryAfter(retry) = decision else { panic!("{class:?}: {decision:?}") };
        assert_eq!((retry.attempt, retry.cost, ledger.repairs()), (1, Cost::Repair, repairs), "{class:?}");
    }
    for (class, reason) in repairable {
        let failure = Failure::new(class, Phase::Head);
        let decision = policy.decide(&failure, &mut ledger, None, &mut Constant(LEAST), Instant::now());
        assert_eq!(decision, Decision::GiveUp(reason), "{class:?}");
    }
}

#[test]
fn a_repair_that_somebody_else_makes_is_not_made_again() {
    let policy = Policy::default();
    for (class, expected) in [
        (FailureClass::NotSent, Ok((2, SECOND, Cost::Attempt))),
        (FailureClass::Unauthorized, Err(GiveUpReason::Repeated)),
    ] {
        let mut ledger = Ledger::new();
        ledger.note_repair(class);
        let failure = Failure::new(class, Phase::Head);
        let decision = policy.decide(&failure, &mut ledger, None, &mut Constant(MOST), Instant::now());
        let cost = match decision {
            Decision::RetryAfter(retry) => Ok((retry.attempt, retry.delay, retry.cost)),
            Decision::GiveUp(reason) => Err(reason),
        };
        assert_eq!(cost, expected, "{class:?}");
    }
}

#[test]
fn class_limits_can_be_set() {
    let policy = Policy::default().with_unknown_retries(0).with_protocol_retries(3);
    check(&policy, Failure::new(FailureClass::Unknown, Phase::Streaming), 0, GiveUpReason::Repeated);
    check(&policy, Failure::new(FailureClass::Protocol, Phase::Head), 3, GiveUpReason::Repeated);
}

#[test]
fn two_failures_before_the_first_event_leave_the_transport() {
    let policy = Policy::default();
    let early = Failure::new(FailureClass::Connect, Phase::Connect).with_fallback(Fallback::Possible);
    let cases: [(&str, &[Failure], Option<usize>); 5] = [
        ("in a row", &[early, early], Some(1)),
        ("nowhere to go", &[early.with_fallback(Fallback::None); 4], None),
        ("a cut stream between", &[early, Failure::new(FailureClass::Cut, Phase::Streaming), early, early], Some(3)),
        ("an answer between", &[early, Failure::new(FailureClass::Server, Phase::Head), early, early], Some(3)),
        ("a repair between", &[early, Failure::new(FailureClass::Unauthorized, Phase::Head), early], Some(2)),
    ];
    for (name, failures, expected) in cases {
        let mut ledger = Ledger::new();
        let fell = failures.iter().position(|failure| {
            let decision = policy.decide(failure, &mut ledger, None, &mut Constant(LEAST), Instant::now());
            matches!(decision, Decision::RetryAfter(retry) if retry.transport == NextTransport::FallBack)
        });
        assert_eq!(fell, expected, "{name}");
    }
    // It is left once, and what was used up stays used up.
    let falls = |retry: &&RetryAfter| retry.transport == NextTransport::FallBack;
    let protocol = Failure::new(FailureClass::Protocol, Phase::Streaming).with_fallback(Fallback::Possible);
    assert_eq!(check(&policy, early, 8, GiveUpReason::Attempts).iter().filter(falls).count(), 1);
    assert_eq!(check(&policy, protocol, 2, GiveUpReason::Repeated).iter().filter(falls).count(), 1);
}

#[test]
fn a_charged_retry_waits_for_its_token_and_a_decision_to_give_up_takes_none() {
    let budget = SharedBudget::new(Pacing::default());
    let failure = Failure::new(FailureClass::Server, Phase::Head);
    let delays: Vec<_> =
        granted(&course_with(&Policy::default(), failure, &budget)).iter().map(|retry| retry.delay.as_secs()).collect();
    // Two tokens at hand, then one each 20 s; 40 s more than the 60 s so far would still fit, 60 s would not.
    assert_eq!(delays, [0, 0, 20, 40, 60]);
    assert_eq!(budget.tokens(), -3);
    let refused = Failure::new(FailureClass::Connect, Phase::Connect);
    assert_eq!(granted(&course_with(&Policy::default(), refused, &budget)).len(), 8);
    assert_eq!(budget.tokens(), -3);
}

#[test]
fn equal_seeds_give_equal_decisions() {
    let failure = Failure::new(FailureClass::Server, Phase::Head);
    let run = |seed| course(&Policy::default(), failure, None, SplitMix64::new(seed));
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

#[test]
fn reasons_read_as_sentences() {
    let wait = Duration::from_secs(300);
    for (reason, expected) in [
        (GiveUpReason::Attempts, "all attempts are used up"),
        (GiveUpReason::HintTooFar { wait }, "the service asked to wait for 300s, which is too long"),
        (GiveUpReason::WaitBudget { wait }, "all waiting time is used up, and at least 300s more is needed"),
    ] {
        assert_eq!(reason.to_string(), expected);
    }
}

#[test]
fn settings_that_nobody_can_want_are_named() {
    let day = Duration::from_secs(24 * 60 * 60);
    let cases = [
        (Policy::new(), None),
        (Policy::new().with_max_wait(Duration::ZERO), None),
        (Policy::new().with_max_attempts(0), Some("`max_attempts` must not be zero")),
        (Policy::new().with_factor(0), Some("`factor` must not be zero")),
        (Policy::new().with_base(Duration::ZERO), Some("`base` must not be zero")),
        (Policy::new().with_base(Duration::from_secs(31)), Some("`base` must not be above `cap`")),
        (Policy::new().with_max_wait(day), None),
        (Policy::new().with_max_wait(day + SECOND), Some("`max_wait` must not be longer than 24 hours")),
        (Policy::new().with_hint_max(Duration::MAX), Some("`hint_max` must not be longer than 24 hours")),
        (Policy::new().with_fall_back_after(0), Some("`fall_back_after` must not be zero")),
    ];
    for (policy, expected) in cases {
        let found = policy.validate().map_err(|error| error.to_string()).err();
        assert_eq!(found.as_deref(), expected);
    }
    assert_eq!(Policy::new().with_base(Duration::ZERO).validate().map_err(|error| error.setting()), Err("base"));
}
