//! `cargo xtask e2e`: whole turns with real peers, and the pages that show turns in a browser.
//!
//! The checks are a program of the test crate, so that this one need not build the client. This task is optional: it
//! needs the peers, and says how they are installed.

mod command;
mod peer;

use std::path::Path;
use std::process::Command;

use crate::{Failure, TaskResult, cargo, workspace::Workspace};
use peer::{PEERS, Peer};

/// What to do about peers that are not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// Say so, and fail in the end.
    Fails,
    /// Say so.
    IsAllowed,
}

/// Runs the checks with all peers that are there, or with one.
pub(crate) fn run(workspace: &Workspace, words: &[String]) -> TaskResult {
    let has = |option: &str| words.iter().any(|word| word == option);
    let missing = if has("--allow-missing") { Missing::IsAllowed } else { Missing::Fails };
    let folder = workspace.target_folder()?.join("e2e");
    let peers = selected(words)?;
    if has("--install") {
        for peer in &peers {
            if peer.find(&folder).is_none() {
                peer.install(&folder)?;
            }
        }
    }
    let mut program = build(workspace)?;
    // For people, who look at them after the run.
    program.arg("--pictures").arg(folder.join("pictures"));
    let mut absent = Vec::new();
    for peer in &peers {
        if let Some(path) = peer.find(&folder) {
            program.arg(format!("--{}", peer.name)).arg(path);
        } else {
            println!("skipped {}: it is not installed; `{}` does it", peer.name, peer.how_to_install(&folder));
            absent.push(peer.name);
        }
    }
    // With nobody to check with there is nothing to say.
    let passed = absent.len() == peers.len() || succeeds(&mut program)?;
    outcome(passed, &absent, missing)
}

fn selected(words: &[String]) -> Result<Vec<&'static Peer>, String> {
    let Some(at) = words.iter().position(|word| word == "--only") else { return Ok(PEERS.iter().collect()) };
    let name = words.get(at + 1).map_or("", String::as_str);
    let peer = PEERS.iter().find(|peer| peer.name == name);
    peer.map(|peer| vec![peer]).ok_or_else(|| format!("there is no peer `{name}`"))
}

fn outcome(passed: bool, absent: &[&str], missing: Missing) -> TaskResult {
    match (passed, absent) {
        (false, _) => Err(Failure::Shown),
        (true, []) => Ok(()),
        (true, _) if missing == Missing::IsAllowed => Ok(()),
        (true, _) => Err(format!("not checked with {}; `--install` or `--allow-missing`", absent.join(", ")).into()),
    }
}

/// Builds the program of the checks; the answer runs it.
fn build(workspace: &Workspace) -> Result<Command, String> {
    let status = cargo::command(&workspace.root, &["build", "-p", "codex-tests", "--bin", "e2e"])
        .status()
        .map_err(|error| format!("cargo did not start: {error}"))?;
    if !status.success() {
        return Err(format!("the program of the checks was not built: {status}"));
    }
    let program = Path::new("debug").join(format!("e2e{}", std::env::consts::EXE_SUFFIX));
    Ok(Command::new(workspace.target_folder()?.join(program)))
}

fn succeeds(program: &mut Command) -> Result<bool, String> {
    let status = program.status().map_err(|error| format!("the program of the checks did not start: {error}"))?;
    Ok(status.success())
}

#[cfg(test)]
mod tests {
    use super::{Failure, Missing, outcome, selected};

    fn check(words: &[&str], expected: Result<&[&str], &str>) {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let names = selected(&words).map(|peers| peers.iter().map(|peer| peer.name).collect::<Vec<_>>());
        assert_eq!(names.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn only_one_peer_or_all() {
        check(&[], Ok(&["nginx", "haproxy", "aimock", "browser"]));
        check(&["--install", "--only", "haproxy"], Ok(&["haproxy"]));
        check(&["--only", "squid"], Err("there is no peer `squid`"));
    }

    #[test]
    fn a_peer_that_is_not_there_fails_the_task_unless_it_may_be_missing() {
        let told = "not checked with nginx; `--install` or `--allow-missing`".to_owned();
        for (passed, absent, missing, expected) in [
            (true, &[][..], Missing::Fails, Ok(())),
            (true, &["nginx"], Missing::Fails, Err(Failure::Message(told))),
            (true, &["nginx"], Missing::IsAllowed, Ok(())),
            (false, &[], Missing::IsAllowed, Err(Failure::Shown)),
            (false, &["nginx"], Missing::Fails, Err(Failure::Shown)),
        ] {
            assert_eq!(outcome(passed, absent, missing), expected);
        }
    }
}
