//! The pacing budget.

use std::{
    thread,
    time::{Duration, Instant},
};

use retry_policy::{Budget, Pacing, SharedBudget};

/// Reserves at the given seconds; expects the waits in milliseconds.
fn check(budget: &mut Budget, at: &[u64], expected: &[u64]) {
    let start = Instant::now();
    let waits: Vec<_> =
        at.iter().map(|second| budget.reserve(start + Duration::from_secs(*second)).as_millis() as u64).collect();
    assert_eq!(waits, expected, "reserved at {at:?}");
}

#[test]
fn two_retries_are_free_and_the_others_wait_for_their_turn() {
    check(&mut Budget::default(), &[0, 0, 0, 0], &[0, 0, 20_000, 40_000]);
    check(&mut Budget::default(), &[0, 0, 19, 20], &[0, 0, 1_000, 20_000]);
    // Never fuller than full.
    check(&mut Budget::default(), &[0, 0, 1_000, 1_000, 1_000], &[0, 0, 0, 0, 20_000]);
}

#[test]
fn more_sessions_have_more_tokens_and_a_little_more_speed() {
    let rate = |sessions| {
        let mut budget = Budget::for_sessions(sessions);
        let now = Instant::now();
        let free = (0..1_000).take_while(|_| budget.reserve(now).is_zero()).count();
        assert_eq!(free, 2 * sessions as usize);
        // The first that had to wait was counted out; the next waits for two tokens.
        let wait = budget.reserve(now).as_millis();
        (2_000_000 + wait / 2) / wait
    };
    // Thousandths of a token in a second.
    assert_eq!([1, 2, 10, 100].map(rate), [50, 85, 190, 600]);
}

#[test]
fn time_that_runs_backwards_earns_nothing() {
    check(&mut Budget::default(), &[100, 100, 50, 100, 100], &[0, 0, 20_000, 40_000, 60_000]);
}

#[test]
fn a_token_given_back_can_be_used_again() {
    let mut budget = Budget::default();
    check(&mut budget, &[0, 0], &[0, 0]);
    budget.give_back();
    assert_eq!(budget.tokens(), 1);
    budget.give_back();
    budget.give_back();
    assert_eq!(budget.tokens(), 2);
}

#[test]
fn a_reservation_beyond_the_limit_takes_nothing() {
    let mut budget = Budget::default();
    let now = Instant::now();
    check(&mut budget, &[0, 0], &[0, 0]);
    let wait = budget.reserve_within(now, Duration::from_secs(19)).unwrap_err();
    assert!(wait > Duration::from_secs(19) && wait <= Duration::from_secs(20), "{wait:?}");
    assert_eq!(budget.tokens(), 0);
    assert!(budget.reserve_within(now, Duration::from_secs(20)).is_ok());
    assert_eq!(budget.tokens(), -1);
}

#[test]
fn pacing_can_be_switched_off_or_be_without_refill() {
    check(&mut Budget::new(Pacing::new(0, Duration::ZERO)), &[0, 0, 0], &[0, 0, 0]);
    let mut never = Budget::new(Pacing::new(1, Duration::MAX));
    assert_eq!(never.reserve(Instant::now()), Duration::ZERO);
    assert_eq!(never.reserve(Instant::now()), Duration::MAX);
}

#[test]
fn members_bring_their_share_and_leave_what_is_not_theirs() {
    let shared = SharedBudget::default();
    assert_eq!(shared.tokens(), 2);
    let first = shared.join();
    assert_eq!(shared.tokens(), 2);
    let second = first.join();
    assert_eq!(shared.tokens(), 4);
    let now = Instant::now();
    assert!(second.reserve(now).is_zero());
    assert_eq!(first.tokens(), 3);
    drop(second);
    assert_eq!(shared.tokens(), 2);
    drop(first);
    assert_eq!(shared.tokens(), 2);
}

/// Short sessions, so many at a time, beside one that lasts and has used up its tokens: each retries once.
fn free_retries_of_short_sessions(at_a_time: usize) -> usize {
    let shared = SharedBudget::default();
    let now = Instant::now();
    let lasting = shared.join();
    while lasting.reserve(now).is_zero() {}
    let retries_of_some = |_| {
        let some: Vec<_> = (0..at_a_time).map(|_| shared.join()).collect();
        some.iter().filter(|session| session.reserve_within(now, Duration::ZERO).is_ok()).count()
    };
    (0..100).map(retries_of_some).sum()
}

#[test]
fn sessions_that_come_and_go_bring_no_more_tokens_than_those_that_stay() {
    for at_a_time in [1, 2, 5, 20] {
        let free = free_retries_of_short_sessions(at_a_time);
        assert!(free <= 2 * at_a_time, "{free} retries of {at_a_time} at a time");
    }
}

#[test]
fn what_those_that_left_have_spent_is_earned_again() {
    let shared = SharedBudget::default();
    let lasting = shared.join();
    let start = Instant::now();
    let short = shared.join();
    assert!((0..3).all(|_| short.reserve(start).is_zero()));
    drop(short);
    // One of its own tokens was left, and one of the other's.
    assert_eq!(lasting.tokens(), 1);
    let next = shared.join();
    assert_eq!(lasting.tokens(), 1);
    drop(next);
    // One token to be full, and two that are owed.
    let later = start + Duration::from_secs(61);
    assert!(lasting.reserve(later).is_zero());
    let next = shared.join();
    assert_eq!(next.tokens(), 3);
}

#[test]
fn threads_share_one_bucket() {
    let shared = SharedBudget::from(Budget::for_sessions(50));
    let now = Instant::now();
    let reserve = |_| {
        let shared = shared.clone();
        thread::spawn(move || (0..50).filter(|_| shared.reserve_within(now, Duration::ZERO).is_ok()).count())
    };
    let threads: Vec<_> = (0..8).map(reserve).collect();
    let granted: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(granted, 100);
}
