//! From moments to places on the axis, in percent of the figure's width: so that it takes any width.

use std::time::Duration;

use super::{Attempt, Axis, words};

/// Percent that stay free at either side, for marks at the edge.
const MARGIN: f64 = 0.6;
/// The usual number of ticks.
const TICKS: f64 = 6.0;

/// The axis of one figure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    axis: Axis,
    begins: f64,
    length: f64,
}

/// A labelled place on the axis.
#[derive(Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
}

impl Scale {
    /// The axis of an attempt.
    pub(super) fn of(axis: Axis, attempt: &Attempt) -> Self {
        match axis {
            Axis::Time => Self::time(attempt.begins, attempt.duration()),
            Axis::Order => Self { axis, begins: 0.0, length: attempt.marks.len().max(1) as f64 },
        }
    }

    /// An axis of time. Without any length it is as long as a millisecond.
    pub(super) fn time(begins: Duration, length: Duration) -> Self {
        let length = length.max(Duration::from_millis(1));
        Self { axis: Axis::Time, begins: begins.as_secs_f64(), length: length.as_secs_f64() }
    }

    pub(super) fn axis(&self) -> Axis {
        self.axis
    }

    /// Where something lies, from 0 to 1: by its time, or by its number.
    pub(super) fn share(&self, at: Duration, number: usize) -> f64 {
        let at = match self.axis {
            Axis::Time => at.as_secs_f64() - self.begins,
            Axis::Order => number as f64 + 0.5,
        };
        (at / self.length).clamp(0.0, 1.0)
    }

    /// Where a time lies, in percent.
    pub(super) fn percent_at(&self, at: Duration) -> f64 {
        percent(self.share(at, 0))
    }

    /// Round places: multiples of 1, 2 or 5 by a power of ten.
    pub(super) fn ticks(&self) -> Vec<Tick> {
        let rough = self.length / TICKS;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= rough);
        let mut step = step.unwrap_or(rough);
        if self.axis == Axis::Order {
            step = step.max(1.0);
        }
        let values = (0_u32..).map(|n| f64::from(n) * step);
        values
            .take_while(|value| *value <= self.length * (1.0 + 1e-9))
            .map(|value| {
                let label = match self.axis {
                    Axis::Time => words::tick(value, step),
                    Axis::Order => format!("{value:.0}"),
                };
                Tick { at: percent(value / self.length), label }
            })
            .collect()
    }
}

/// Percent of the figure's width.
pub(super) fn percent(share: f64) -> f64 {
    MARGIN + share.clamp(0.0, 1.0) * (100.0 - 2.0 * MARGIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(millis: u64, expected: &[&str]) {
        let ticks = Scale::time(Duration::from_secs(7), Duration::from_millis(millis)).ticks();
        let labels: Vec<_> = ticks.iter().map(|tick| tick.label.as_str()).collect();
        assert_eq!(labels, expected);
        assert!(ticks.iter().all(|tick| (0.0..=100.0).contains(&tick.at)));
    }

    #[test]
    fn ticks_are_round() {
        check(0, &["0", "0.2 ms", "0.4 ms", "0.6 ms", "0.8 ms", "1.0 ms"]);
        check(43, &["0", "10 ms", "20 ms", "30 ms", "40 ms"]);
        check(3_200, &["0", "1 s", "2 s", "3 s"]);
        check(1_000, &["0", "0.2 s", "0.4 s", "0.6 s", "0.8 s", "1.0 s"]);
        check(95_000, &["0", "20 s", "40 s", "60 s", "80 s"]);
        check(3_600_000, &["0", "1000 s", "2000 s", "3000 s"]);
    }
}
