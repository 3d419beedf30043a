//! What a run of libFuzzer says.

use std::process::ExitStatus;

/// The end of one run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    passed: bool,
    executions: Option<u64>,
    seconds: u64,
    /// The file with the input that broke the property.
    pub(super) input: Option<String>,
    /// What the property said.
    message: Option<String>,
}

impl Report {
    /// Reads the log of a run.
    pub(super) fn new(status: ExitStatus, seconds: u64, log: &str) -> Self {
        Self { passed: status.success(), seconds, ..Self::from_log(log) }
    }

    fn from_log(log: &str) -> Self {
        let behind = |mark: &str| log.lines().find_map(|line| line.split_once(mark)).map(|(_, rest)| rest.trim());
        let mut lines = log.lines();
        // The message of a panic stands below the line with its place; other ends have theirs behind the mark.
        let panic = lines.find(|line| line.contains(" panicked at ")).and_then(|_| lines.next());
        Self {
            executions: behind("stat::number_of_executed_units:").and_then(|number| number.parse().ok()),
            input: behind("Test unit written to ").map(str::to_owned),
            message: panic.or_else(|| behind("ERROR: ")).map(str::to_owned),
            ..Self::default()
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        !self.passed
    }

    /// One line about a target.
    pub(super) fn line(&self, target: &str) -> String {
        let executions = self.executions.map_or_else(|| "unknown".to_owned(), |number| number.to_string());
        let result = match (&self.message, self.passed) {
            (_, true) => "nothing found",
            (Some(message), false) => message,
            (None, false) => "failed, and does not say why",
        };
        format!("{target:<22} {executions:>10} executions in {:>4} s: {result}", self.seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::Report;

    fn check(passed: bool, log: &str, expected: &str) {
        let report = Report { passed, seconds: 7, ..Report::from_log(log) };
        assert_eq!(report.line("hints"), format!("hints                  {expected}"));
        assert_eq!(report.has_failed(), !passed);
    }

    #[test]
    fn a_line_tells_executions_and_result() {
        let statistics =
            "Done 12 runs in 7 second(s)\nstat::number_of_executed_units: 12\nstat::average_exec_per_sec: 1\n";
        check(true, statistics, "        12 executions in    7 s: nothing found");
        check(false, "", "   unknown executions in    7 s: failed, and does not say why");
        let panicked =
            format!("\nthread '<unnamed>' (7) panicked at src/hints.rs:1:2:\nno hint\nnote: run\n{statistics}");
        check(false, &panicked, "        12 executions in    7 s: no hint");
        let slow = format!("==7== ERROR: libFuzzer: timeout after 10 seconds\n{statistics}");
        check(false, &slow, "        12 executions in    7 s: libFuzzer: timeout after 10 seconds");
    }

    #[test]
    fn the_input_is_named() {
        let log = "artifact_prefix='a/'; Test unit written to a/crash-0123\nBase64: eA==\n";
        assert_eq!(Report::from_log(log).input.as_deref(), Some("a/crash-0123"));
        assert_eq!(Report::from_log("").input, None);
    }
}
