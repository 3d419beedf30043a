//! `cargo xtask bench`: ours, the peers and the floor in one interleaved run.

use crate::peer_bench::{self, Program};
use crate::{TaskResult, workspace::Workspace};

/// The benches with a program of their own.
const MEMORY: &str = "memory";
const IDLE: &str = "idle";

/// Runs the named bench, or all of them. What their names are, the bench crate knows.
pub(crate) fn run(workspace: &Workspace, words: &[String]) -> TaskResult {
    let name = words.iter().find(|word| !word.starts_with('-'));
    for program in programs(name.map(String::as_str)) {
        let mut command = program.build(workspace)?;
        command.args(words.iter().filter(|word| *word != MEMORY && *word != IDLE));
        peer_bench::run(command)?;
    }
    Ok(())
}

fn programs(name: Option<&str>) -> &'static [Program] {
    match name {
        None => &[Program::Bench, Program::IdleStreams, Program::SleepingConsumer],
        Some(IDLE) => &[Program::IdleStreams],
        Some(MEMORY) => &[Program::SleepingConsumer],
        Some(_) => &[Program::Bench],
    }
}

#[cfg(test)]
mod tests {
    use super::{Program, programs};

    #[test]
    fn the_name_decides_which_programs_run() {
        assert_eq!(programs(None), [Program::Bench, Program::IdleStreams, Program::SleepingConsumer]);
        assert_eq!(programs(Some("idle")), [Program::IdleStreams]);
        assert_eq!(programs(Some("memory")), [Program::SleepingConsumer]);
        assert_eq!(programs(Some("sse")), [Program::Bench]);
    }
}
