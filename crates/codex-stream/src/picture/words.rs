//! Numbers and ends in words.

use std::time::Duration;

use super::{Attempt, Axis, Ending, Timeline, escape::cut};

/// Most characters of a service's message at the top.
const MESSAGE: usize = 400;

/// A length of time: to the millisecond below a second, then with two or one decimals, then minutes.
pub(super) fn span(time: Duration) -> String {
    let millis = time.as_millis();
    match millis {
        0 if time.is_zero() => "0 ms".to_owned(),
        0 => format!("{:.2} ms", time.as_secs_f64() * 1e3),
        1..1_000 => format!("{millis} ms"),
        1_000..10_000 => format!("{:.2} s", time.as_secs_f64()),
        10_000..120_000 => format!("{:.1} s", time.as_secs_f64()),
        _ => format!("{} min {} s", millis / 60_000, millis / 1_000 % 60),
    }
}

/// A moment in a table, all of which have the same form.
pub(super) fn moment(at: Duration) -> String {
    format!("{:.3} s", at.as_secs_f64())
}

/// A label of an axis whose ticks are `step` seconds apart.
pub(super) fn tick(value: f64, step: f64) -> String {
    let (factor, unit) = if step < 0.1 { (1e3, "ms") } else { (1.0, "s") };
    let decimals = usize::from(step * factor < 0.999);
    if value == 0.0 { "0".to_owned() } else { format!("{:.decimals$} {unit}", value * factor) }
}

/// A count with its thousands apart.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            grouped.push('\u{2009}');
        }
        grouped.push(digit);
    }
    grouped
}

/// A count with its noun.
pub(super) fn counted(number: u64, one: &str, more: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { more })
}

/// A number of bytes.
pub(super) fn bytes(number: u64) -> String {
    match number {
        0..10_000 => format!("{} B", count(number)),
        10_000..1_048_576 => format!("{:.1} KiB", number as f64 / 1024.0),
        _ => format!("{:.1} MiB", number as f64 / 1024.0 / 1024.0),
    }
}

/// What an attempt is called.
pub(super) fn name(timeline: &Timeline, attempt: &Attempt) -> String {
    let several = |number: fn(&Attempt) -> u32| timeline.attempts.iter().any(|attempt| number(attempt) > 1);
    match (several(|attempt| attempt.request), several(|attempt| attempt.number)) {
        (false, _) => format!("Attempt {}", attempt.number),
        (true, false) => format!("Request {}", attempt.request),
        (true, true) => format!("Request {}, attempt {}", attempt.request, attempt.number),
    }
}

/// How the whole ended, as one clause: that is how its last attempt ended.
pub(super) fn headline(timeline: &Timeline) -> String {
    let Some(last) = timeline.attempts.last() else { return "nothing was recorded".to_owned() };
    let time = timeline.totals().duration.map(|duration| format!(" after {}", span(duration)));
    let (requests, attempts) = (u64::from(last.request), timeline.attempts.len() as u64);
    let requests_told = (requests > 1).then(|| counted(requests, "request", "requests"));
    let attempts_told = (attempts > requests).then(|| counted(attempts, "attempt", "attempts"));
    let numbers =
        [requests_told, attempts_told].into_iter().flatten().fold(String::new(), |all, told| all + ", " + &told);
    let after = time.unwrap_or_default() + &numbers;
    match &last.ending {
        Ending::Unknown => format!("not ended{after}"),
        Ending::Completed(_) => format!("completed{after}"),
        Ending::Incomplete(reason) => format!("incomplete{after}: {}", cut(reason, MESSAGE)),
        Ending::Failed(failure) => {
            let retry = match (failure.retryable, &failure.gave_up) {
                (false, _) => "not retryable".to_owned(),
                (true, None) => "retryable".to_owned(),
                (true, Some(reason)) => format!("retryable, but {reason}"),
            };
            let cause = failure.code.as_deref().unwrap_or(failure.kind.as_str());
            format!("failed{after}: {} — “{}”, {retry}", cut(cause, MESSAGE), cut(&failure.message, MESSAGE))
        }
    }
}

/// How one attempt ended, in a few words.
pub(super) fn ending(attempt: &Attempt) -> String {
    let void = if attempt.void { ", void" } else { "" };
    match &attempt.ending {
        Ending::Unknown => "open".to_owned(),
        Ending::Completed(None) => "completed".to_owned(),
        Ending::Completed(Some(reason)) => format!("completed ({})", cut(reason, 40)),
        Ending::Incomplete(reason) => format!("incomplete ({})", cut(reason, 40)),
        Ending::Failed(failure) => {
            format!("failed ({}){void}", cut(failure.code.as_deref().unwrap_or(failure.kind.as_str()), 40))
        }
    }
}

/// The colour of an ending in the page's style sheet.
pub(super) fn tone(ending: Option<&Ending>) -> &'static str {
    match ending {
        None | Some(Ending::Unknown) => "open",
        Some(Ending::Completed(_)) => "good",
        Some(Ending::Incomplete(_)) => "part",
        Some(Ending::Failed(_)) => "bad",
    }
}

/// A time, where there is a clock.
pub(super) fn if_timed(axis: Axis, time: Option<Duration>) -> Option<String> {
    (axis == Axis::Time).then(|| time.map(span)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_have_three_digits_or_so() {
        for (micros, expected) in [
            (0, "0 ms"),
            (250, "0.25 ms"),
            (999_000, "999 ms"),
            (1_240_000, "1.24 s"),
            (59_960_000, "60.0 s"),
            (150_400_000, "2 min 30 s"),
        ] {
            assert_eq!(span(Duration::from_micros(micros)), expected);
        }
    }

    #[test]
    fn counts_and_sizes_are_grouped() {
        assert_eq!(counted(1, "event", "events"), "1 event");
        assert_eq!(counted(1_234_567, "event", "events"), "1\u{2009}234\u{2009}567 events");
        assert_eq!((bytes(9_999), bytes(10_240)), ("9\u{2009}999 B".to_owned(), "10.0 KiB".to_owned()));
    }
}
