//! Adds up the results that test programs print.

use std::fmt;
use std::ops::AddAssign;

/// How many tests passed and failed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    passed: u64,
    failed: u64,
}

impl Tally {
    /// Counts a line such as `test result: ok. 4 passed; 0 failed; 1 ignored; …`, and no other.
    pub(super) fn read_line(&mut self, line: &str) {
        let result = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "));
        if let Some((_, counts)) = result {
            for count in counts.split("; ") {
                match count.trim().split_once(' ') {
                    Some((number, "passed")) => self.passed += number.parse().unwrap_or(0),
                    Some((number, "failed")) => self.failed += number.parse().unwrap_or(0),
                    _ => {}
                }
            }
        }
    }

    /// A run that failed without a failed test did not compile or died: that is one failure.
    pub(super) fn note_failed_run(&mut self) {
        self.failed = self.failed.max(1);
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    fn check(lines: &[&str], expected: &str) {
        let mut tally = Tally::default();
        for line in lines {
            tally.read_line(line);
        }
        assert_eq!(tally.to_string(), expected);
    }

    #[test]
    fn result_lines_are_added_up() {
        let ok = "test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        let failed = "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out";
        check(&[ok, failed, ok], "28 passed, 2 failed");
        let coloured = "test result: \u{1b}[32mok\u{1b}(B\u{1b}[m. 5 passed; 0 failed; 0 ignored";
        check(&[coloured], "5 passed, 0 failed");
    }

    #[test]
    fn other_lines_do_not_count() {
        check(
            &[
                "",
                "test a ... ok",
                "  test result: ok. 9 passed; 0 failed",
                "running 7 tests",
                "9 passed; 9 failed",
                "test result: unknown",
            ],
            "0 passed, 0 failed",
        );
    }

    #[test]
    fn a_failed_run_counts_as_a_failure_once() {
        let mut tally = Tally::default();
        tally.note_failed_run();
        assert_eq!(tally.to_string(), "0 passed, 1 failed");
        tally.read_line("test result: FAILED. 1 passed; 1 failed");
        tally.note_failed_run();
        tally += tally;
        assert_eq!(tally.to_string(), "2 passed, 4 failed");
    }
}
