//! Every place and form in which services say when to try again.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use proptest::prelude::*;
use retry_policy::{Hint, HintReader, HintSource};

/// Sun, 06 Nov 1994 08:49:37 GMT.
const LOCAL: u64 = 784_111_777;

/// Names and values.
type Lines<'a> = &'a [(&'a str, &'a str)];

fn headers(lines: Lines<'_>) -> Hint {
    let map: BTreeMap<&str, &str> = lines.iter().copied().collect();
    HintReader::at(Duration::from_secs(LOCAL)).headers(|name| map.get(name).copied()).finish()
}

/// Waits are in milliseconds; `None` is no hint.
fn check(input: &str, hint: Hint, expected: Option<u64>, source: HintSource) {
    assert_eq!(hint.wait, expected.map(Duration::from_millis), "{input}");
    assert_eq!(hint.source, expected.map(|_| source), "{input}");
}

#[test]
fn numbers_are_read_exactly_or_not_at_all() {
    // As a header of seconds; JSON and milliseconds read numbers the same way.
    let cases: [(&str, Option<u64>); 39] = [
        ("5", Some(5_000)),
        ("0005", Some(5_000)),
        (" 5\t", Some(5_000)),
        ("1.5", Some(1_500)),
        ("0.25", Some(250)),
        (".5", Some(500)),
        ("1e1", Some(10_000)),
        ("1E+1", Some(10_000)),
        ("12e-3", Some(12)),
        ("17.252", Some(17_252)),
        ("120", Some(120_000)),
        ("10800", Some(10_800_000)),
        ("31622400", Some(31_622_400_000)),
        ("31622401", None),
        ("99999999999999999999", None),
        ("123456789012345678901234567890123456789012345678901234567890", None),
        ("1e308", None),
        ("1e999999999999", None),
        ("1e2147483647", None),
        ("0e2147483648", None),
        ("0", None),
        ("0.0", None),
        ("-0", None),
        ("-1", None),
        ("-1.5", None),
        ("+5", None),
        ("NaN", None),
        ("nan", None),
        ("inf", None),
        ("Infinity", None),
        ("", None),
        (" ", None),
        ("5.", None),
        (".", None),
        ("5 s", None),
        ("1,5", None),
        ("1_000", None),
        ("0x10", None),
        ("٥", None),
    ];
    for (value, expected) in cases {
        check(value, headers(&[("retry-after", value)]), expected, HintSource::RetryAfter);
        let reader = HintReader::new().resets_in_seconds(value);
        check(value, reader.finish(), expected, HintSource::ResetsInSeconds);
    }
}

#[test]
fn parts_of_a_nanosecond_are_rounded_up() {
    let wait = |value| headers(&[("retry-after", value)]).wait;
    let second = Duration::from_secs(1);
    let nano = Duration::from_nanos(1);
    assert_eq!(wait("1.0000000001"), Some(second + nano));
    assert_eq!(wait("1.00000000000000000000000000000000000001"), Some(second + nano));
    assert_eq!(wait("0.000000001"), Some(nano));
    assert_eq!(wait("1e-400"), Some(nano));
    assert_eq!(wait("1.000000000000000000000000000000000000000"), Some(second));
}

#[test]
fn dates_are_compared_with_the_answers_own_date() {
    let cases: [(&str, Option<&str>, Option<u64>); 13] = [
        ("Sun, 06 Nov 1994 08:49:47 GMT", None, Some(10_000)),
        ("Sunday, 06-Nov-94 08:49:47 GMT", None, Some(10_000)),
        ("Sun Nov  6 08:49:47 1994", None, Some(10_000)),
        (" Sun, 06 Nov 1994 08:49:47 GMT ", None, Some(10_000)),
        // The local clock is an hour behind.
        ("Sun, 06 Nov 1994 09:49:47 GMT", Some("Sun, 06 Nov 1994 09:49:37 GMT"), Some(10_000)),
        ("Sun, 06 Nov 1994 09:49:47 GMT", Some("Sunday, 06-Nov-94 09:49:37 GMT"), Some(10_000)),
        ("Sun, 06 Nov 1994 08:49:47 GMT", Some("not a date"), Some(10_000)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", None, None),
        ("Sun, 06 Nov 1994 08:49:36 GMT", None, None),
        ("Sun, 06 Nov 1904 08:49:37 GMT", None, None),
        ("Wed, 06 Nov 2094 08:49:37 GMT", None, None),
        ("Sun, 31 Feb 1994 08:49:37 GMT", None, None),
        ("tomorrow", None, None),
    ];
    for (value, date, expected) in cases {
        let mut lines = vec![("retry-after", value)];
        lines.extend(date.map(|date| ("date", date)));
        check(value, headers(&lines), expected, HintSource::RetryAfter);
    }
    let without_any_clock =
        HintReader::new().headers(|name| (name == "retry-after").then_some("Sun, 06 Nov 1994 08:49:47 GMT"));
    assert_eq!(without_any_clock.finish(), Hint::NONE);
}

#[test]
fn messages_say_when_in_many_ways() {
    let cases: [(&str, Option<u64>); 57] = [
        ("Rate limit reached for x in organization org-y. Please try again in 1.3s. Visit https://z", Some(1_300)),
        ("try again in 345ms", Some(345)),
        ("Try again in 17 seconds.", Some(17_000)),
        ("try again in 17.252s", Some(17_252)),
        ("try again in 6m0s", Some(360_000)),
        ("try again in 6m0s.", Some(360_000)),
        ("try again in 1h2m3.5s", Some(3_723_500)),
        ("try again in 1 minute", Some(60_000)),
        ("try again in 2 hours", Some(7_200_000)),
        ("try again in 1 day", Some(86_400_000)),
        ("try again in 2d", Some(172_800_000)),
        ("TRY AGAIN IN 5 SECONDS", Some(5_000)),
        ("try again in 5S", Some(5_000)),
        ("try again in 5 MS", Some(5)),
        ("try again in 5m", Some(300_000)),
        ("try again in 5 m", Some(300_000)),
        ("try again in 5ms", Some(5)),
        ("try again in 5 min", Some(300_000)),
        ("try again in 5mins", Some(300_000)),
        ("try again in 5 msecs", Some(5)),
        ("try again in 5 milliseconds", Some(5)),
        ("try again in 3 sec", Some(3_000)),
        ("try again in 1 hr", Some(3_600_000)),
        ("try again in 1 minute and 5 seconds", Some(65_000)),
        ("try again in 1 hour, 5 minutes, and 3 seconds", Some(3_903_000)),
        ("try again in 2000µs", Some(2)),
        ("try again in 2000μs", Some(2)),
        ("try again in 3000000 ns", Some(3)),
        ("try again in: 4s", Some(4_000)),
        ("try again in\u{a0}4\u{a0}s", Some(4_000)),
        ("try again in .5s", Some(500)),
        ("try again in 1m30", Some(60_000)),
        ("try again in 5 minutes 3 errors", Some(300_000)),
        ("try again in 20s 30s", Some(20_000)),
        ("Please retry after 7 seconds.", Some(7_000)),
        ("please try again in a while, or try again in 9s", Some(9_000)),
        ("Please try again in about 4 seconds.", Some(4_000)),
        ("Retry after approximately 2 minutes.", Some(120_000)),
        ("Please wait 4 seconds before the next request.", Some(4_000)),
        ("Please wait about 4s", Some(4_000)),
        ("Please wait for 20 seconds before trying again.", Some(20_000)),
        ("Rate limited: please wait at least another 1.5 seconds", Some(1_500)),
        ("Please wait for the next release", None),
        ("please wait a moment", None),
        ("try again in about", None),
        ("try again in about an hour", None),
        ("try again in 20", None),
        ("try again in 5 months", None),
        ("try again in 5 monkeys", None),
        ("try again in 5. seconds", None),
        ("try again in 0s", None),
        ("try again in -5s", None),
        ("try again in 99999999999999999999999999 hours", None),
        ("try again in 18446744073709551615s1ms", None),
        ("try again in", None),
        ("try againin 5s", None),
        ("in 5s", None),
    ];
    for (text, expected) in cases {
        check(text, HintReader::new().message(text).finish(), expected, HintSource::Message);
    }
}

#[test]
fn the_reset_of_what_is_used_up_counts() {
    let cases: [(Lines<'_>, Option<u64>); 12] = [
        (&[("requests", "0"), ("reset-requests", "6m0s")], Some(360_000)),
        (&[("requests", "0"), ("reset-requests", "1h30m0s")], Some(5_400_000)),
        (&[("requests", "0"), ("reset-requests", "120ms")], Some(120)),
        (&[("requests", "0"), ("reset-requests", "1.5")], Some(1_500)),
        (&[("tokens", "0"), ("reset-tokens", "7.66s")], Some(7_660)),
        (&[("requests", "0"), ("reset-requests", "2s"), ("tokens", "9"), ("reset-tokens", "8s")], Some(2_000)),
        (&[("requests", "0"), ("reset-requests", "2s"), ("tokens", "0"), ("reset-tokens", "8s")], Some(8_000)),
        (&[("requests", "1"), ("reset-requests", "6m0s")], None),
        (&[("reset-requests", "6m0s")], None),
        (&[("requests", "0"), ("reset-requests", "6m0s later")], None),
        (&[("requests", "0"), ("reset-requests", "1732233600")], None),
        (&[("requests", "0"), ("reset-requests", "0s")], None),
    ];
    for (short, expected) in cases {
        let full = |name: &str| match name {
            "requests" => "x-ratelimit-remaining-requests",
            "tokens" => "x-ratelimit-remaining-tokens",
            "reset-requests" => "x-ratelimit-reset-requests",
            _ => "x-ratelimit-reset-tokens",
        };
        let lines: Vec<_> = short.iter().map(|(name, value)| (full(name), *value)).collect();
        check(&format!("{short:?}"), headers(&lines), expected, HintSource::RateLimitReset);
    }
}

#[test]
fn json_fields_have_their_own_units() {
    let new = HintReader::new;
    check("s", new().retry_after("12").finish(), Some(12_000), HintSource::JsonRetryAfter);
    check("text", new().retry_after("6m0s").finish(), Some(360_000), HintSource::JsonRetryAfter);
    check("ms", new().retry_after_ms("12.5e1").finish(), Some(125), HintSource::JsonRetryAfterMs);
    check("ms", new().retry_after_ms("null").finish(), None, HintSource::JsonRetryAfterMs);
    check("header", headers(&[("retry-after-ms", "1500.0")]), Some(1_500), HintSource::RetryAfterMs);
    check("header", headers(&[("x-ms-retry-after-ms", "7")]), Some(7), HintSource::XMsRetryAfterMs);
}

#[test]
fn resets_at_is_compared_with_the_answers_own_date() {
    let read = |value: &str, date: Option<&'static str>| {
        let headers = move |name: &str| date.filter(|_| name == "date");
        HintReader::at(Duration::from_secs(LOCAL)).resets_at(value).headers(headers).finish()
    };
    check("ahead", read("784111807", None), Some(30_000), HintSource::ResetsAt);
    check("fraction", read("784111807.5", None), Some(30_500), HintSource::ResetsAt);
    check("skew", read("784111807", Some("Sun, 06 Nov 1994 08:49:57 GMT")), Some(10_000), HintSource::ResetsAt);
    check("past", read("784111777", None), None, HintSource::ResetsAt);
    check("milliseconds", read("784111807000", None), None, HintSource::ResetsAt);
    check("nonsense", read("1e30", None), None, HintSource::ResetsAt);
    assert_eq!(HintReader::new().resets_at("784111807").finish(), Hint::NONE);
}

#[test]
fn what_comes_later_is_compared_with_a_clock_that_went_on() {
    let headers = |name: &str| (name == "date").then_some("Sun, 06 Nov 1994 08:49:37 GMT");
    let read = |later: u64| HintReader::new().headers(headers).later(Duration::from_secs(later)).resets_at("784111807");
    check("at once", read(0).finish(), Some(30_000), HintSource::ResetsAt);
    check("later", read(25).finish(), Some(5_000), HintSource::ResetsAt);
    check("too late", read(30).finish(), None, HintSource::ResetsAt);
    check("for ever", read(u64::MAX).finish(), None, HintSource::ResetsAt);
    // What came before it counts from its own arrival, and a clock that comes behind it is newer.
    check("newer", read(25).headers(headers).finish(), Some(30_000), HintSource::ResetsAt);
    assert_eq!(HintReader::new().later(Duration::from_secs(5)).resets_at("784111807").finish(), Hint::NONE);
}

#[test]
fn the_most_trusted_place_wins_and_unusable_ones_are_passed_over() {
    let all = [
        ("retry-after-ms", "1"),
        ("x-ms-retry-after-ms", "2"),
        ("retry-after", "0.003"),
        ("x-ratelimit-remaining-tokens", "0"),
        ("x-ratelimit-reset-tokens", "9ms"),
    ];
    let read = |broken: usize| {
        let bad = |place: usize, good: &'static str| if broken > place { "0" } else { good };
        HintReader::at(Duration::from_secs(LOCAL))
            .message(if broken > 7 { "try later" } else { "try again in 8ms" })
            .resets_at(bad(6, "784111777.007"))
            .resets_in_seconds(bad(5, "0.006"))
            .retry_after_ms(bad(4, "5"))
            .retry_after(bad(3, "0.004"))
            .headers(|name| {
                let at = all.iter().position(|(known, _)| *known == name)?;
                Some(if at < 3 { bad(at, all[at].1) } else { all[at].1 })
            })
            .finish()
    };
    let sources = [
        HintSource::RetryAfterMs,
        HintSource::XMsRetryAfterMs,
        HintSource::RetryAfter,
        HintSource::JsonRetryAfter,
        HintSource::JsonRetryAfterMs,
        HintSource::ResetsInSeconds,
        HintSource::ResetsAt,
        HintSource::Message,
        HintSource::RateLimitReset,
    ];
    for (broken, source) in sources.into_iter().enumerate() {
        check(&format!("{broken} unusable"), read(broken), Some(broken as u64 + 1), source);
    }
}

#[test]
fn the_services_verdict_is_true_false_or_nothing() {
    for (value, expected) in
        [("true", Some(true)), (" False ", Some(false)), ("TRUE", Some(true)), ("1", None), ("yes", None), ("", None)]
    {
        let hint = headers(&[("x-should-retry", value)]);
        assert_eq!((hint.should_retry, hint.wait), (expected, None), "{value}");
    }
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "(try again in|retry after) ?[0-9.eE+-]{0,40} ?[a-zµ]{0,4}[0-9]{0,30}[hms]?.{0,4}",
        "[-+]?[0-9]{0,50}\\.?[0-9]{0,50}([eE][-+]?[0-9]{1,12})?",
        "[A-Z][a-z]{2}, [0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT",
    ]
}

proptest! {
    #[test]
    fn no_text_panics_and_every_wait_is_within_a_year(text in texts(), date in texts(), now in any::<u64>()) {
        let hint = HintReader::at(Duration::from_secs(now))
            .headers(|name| Some(if name == "date" { date.as_str() } else { text.as_str() }))
            .retry_after(&text)
            .retry_after_ms(&text)
            .resets_in_seconds(&text)
            .resets_at(&text)
            .message(&text)
            .finish();
        if let Some(wait) = hint.wait {
            prop_assert!(wait > Duration::ZERO && wait <= Duration::from_secs(366 * 86_400));
        }
        prop_assert_eq!(hint.wait.is_some(), hint.source.is_some());
    }

    #[test]
    fn a_duration_is_read_as_it_was_written(hours in 0u64..1_000, minutes in 0u64..60, millis in 1u64..60_000) {
        let text = format!("try again in {hours}h{minutes}m{}.{:03}s", millis / 1_000, millis % 1_000);
        let expected = Duration::from_millis((hours * 60 + minutes) * 60_000 + millis);
        prop_assert_eq!(HintReader::new().message(&text).finish().wait, Some(expected));
    }
}

#[test]
fn the_list_of_headers_names_all_that_are_asked_for() {
    let asked = RefCell::new(BTreeSet::new());
    // What nothing is left of has a reset that matters.
    let hint = HintReader::new().headers(|name| {
        asked.borrow_mut().insert(name.to_owned());
        Some("0")
    });
    assert_eq!(hint.finish(), Hint::NONE);
    assert_eq!(asked.into_inner(), HintReader::HEADERS.iter().copied().map(str::to_owned).collect());
}
