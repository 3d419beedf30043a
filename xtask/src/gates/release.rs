//! `cargo xtask release-check`: all gates, one after another, and a table of what they said.

use std::fmt;
use std::time::{Duration, Instant};

use super::{Extent, GateResult, Outcome, deny, external_types, features, msrv, package, pages, semver};
use crate::{Failure, TaskResult, deps, no_std, tidy, workspace::Workspace};

struct Gate {
    /// The task that runs it alone.
    name: &'static str,
    run: fn(&Workspace) -> GateResult,
}

/// Cheap ones first.
const GATES: &[Gate] = &[
    Gate { name: "tidy", run: |workspace| plain(tidy::run(workspace)) },
    Gate { name: "deps", run: |workspace| plain(deps::run(workspace)) },
    Gate { name: "package", run: |workspace| package::run(workspace, Extent::Full) },
    Gate { name: "deny", run: deny::run },
    Gate { name: "no-std", run: |workspace| plain(no_std::run(workspace)) },
    Gate { name: "pages", run: |workspace| pages::run(workspace, Extent::Full) },
    Gate { name: "features", run: |workspace| features::run(workspace, Extent::Full) },
    Gate { name: "msrv", run: |workspace| msrv::run(workspace, Extent::Full) },
    Gate { name: "external-types", run: external_types::run },
    Gate { name: "semver", run: semver::run },
    Gate { name: "deps --size", run: |workspace| plain(deps::size(workspace)) },
];

/// Runs them all, whatever the ones before said; fails when one did.
pub(crate) fn run(workspace: &Workspace) -> TaskResult {
    let rows: Vec<Row> = GATES.iter().map(|gate| Row::of(gate, workspace)).collect();
    println!();
    for row in &rows {
        println!("{row}");
    }
    match rows.iter().filter(|row| row.result.is_err()).count() {
        0 => Ok(()),
        1 => Err("1 gate failed".to_owned().into()),
        count => Err(format!("{count} gates failed").into()),
    }
}

/// The result of a task that always can tell.
fn plain(result: TaskResult) -> GateResult {
    result.map(|()| Outcome::Passed(String::new()))
}

/// A line of the table.
struct Row {
    name: &'static str,
    time: Duration,
    result: GateResult,
}

impl Row {
    fn of(gate: &Gate, workspace: &Workspace) -> Self {
        println!("gate {}", gate.name);
        let begin = Instant::now();
        let result = (gate.run)(workspace);
        Self { name: gate.name, time: begin.elapsed(), result }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown;
        let (verdict, words) = match &self.result {
            Ok(Outcome::Passed(what)) => ("passed", what.as_str()),
            Ok(Outcome::Skipped(reason)) => ("skipped", reason.as_str()),
            Err(Failure::Shown) => ("FAILED", "as shown above"),
            Err(Failure::Message(message)) => {
                shown = message.replace('\n', "\n    ");
                ("FAILED", shown.as_str())
            }
        };
        let line = format!("{:<16}{verdict:<9}{:>6.1} s  {words}", self.name, self.time.as_secs_f64());
        f.write_str(line.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Failure, GateResult, Outcome, Row};

    fn check(result: GateResult, expected: &str) {
        let row = Row { name: "deny", time: Duration::from_millis(1234), result };
        assert_eq!(row.to_string(), expected);
    }

    #[test]
    fn a_row_tells_the_verdict_and_why() {
        check(Ok(Outcome::Passed(String::new())), "deny            passed      1.2 s");
        check(Ok(Outcome::Passed("licences".to_owned())), "deny            passed      1.2 s  licences");
        check(Ok(Outcome::Skipped("no tool".to_owned())), "deny            skipped     1.2 s  no tool");
        check(Err(Failure::Shown), "deny            FAILED      1.2 s  as shown above");
        check(Err("bad:\n  a".to_owned().into()), "deny            FAILED      1.2 s  bad:\n      a");
    }
}
