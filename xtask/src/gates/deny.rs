//! `cargo xtask deny`: licences, banned crates, sources and advisories, by cargo-deny with `deny.toml`.

use std::process::Stdio;

use super::{GateResult, Outcome};
use crate::cargo;
use crate::workspace::Workspace;

/// What cargo-deny finds out from the lock file and the crates themselves.
const LOCAL: &[&str] = &["deny", "--locked", "--log-level", "error", "check", "bans", "licenses", "sources"];
/// What needs a database that is fetched.
const FETCHED: &[&str] = &["deny", "--locked", "--log-level", "error", "check", "advisories"];

const INSTALL: &str = "cargo-deny is not installed; install it with: cargo install --locked cargo-deny";

pub(super) fn run(workspace: &Workspace) -> GateResult {
    if !cargo::has_subcommand(&workspace.root, "deny") {
        return Ok(Outcome::Skipped(INSTALL.to_owned()));
    }
    cargo::output(&workspace.root, LOCAL)?;
    let advisories = cargo::command(&workspace.root, FETCHED)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("`cargo deny` did not start: {error}"))?;
    let said = String::from_utf8_lossy(&advisories.stderr);
    if advisories.status.success() {
        return Ok(Outcome::Passed("licences, bans, sources, advisories".to_owned()));
    }
    if is_out_of_reach(&said) {
        return Ok(Outcome::Passed(
            "licences, bans, sources; advisories not checked, their database is out of reach".to_owned(),
        ));
    }
    eprint!("{said}");
    Err("cargo-deny found advisories, as shown above".to_owned().into())
}

/// Whether what cargo-deny said means that there is no database, and not that there is something in it.
fn is_out_of_reach(said: &str) -> bool {
    said.contains("failed to fetch advisory database") && !said.contains("error[")
}

#[cfg(test)]
mod tests {
    use super::is_out_of_reach;

    #[test]
    fn only_a_database_out_of_reach_excuses_a_failure() {
        assert!(is_out_of_reach("2026-01-01 [ERROR] failed to fetch advisory database https://… with cli\nfatal: …"));
        assert!(!is_out_of_reach("error[vulnerability]: a hole\nadvisories FAILED"));
        assert!(!is_out_of_reach("error[yanked]: …\n[ERROR] failed to fetch advisory database"));
        assert!(!is_out_of_reach(""));
    }
}
