//! `cargo xtask semver`: no change that breaks users since the last release, by cargo-semver-checks.

use std::process::Command;

use super::{GateResult, Outcome, crates};
use crate::cargo;
use crate::workspace::Workspace;

const INSTALL: &str =
    "cargo-semver-checks is not installed; install it with: cargo install --locked cargo-semver-checks";
const NO_BASELINE: &str = "there is no release to compare with: no tag such as v0.1.0 is reachable";

pub(super) fn run(workspace: &Workspace) -> GateResult {
    // The baseline first: without one the tool is of no use.
    let Some(baseline) = baseline(workspace) else {
        return Ok(Outcome::Skipped(NO_BASELINE.to_owned()));
    };
    if !cargo::has_subcommand(&workspace.root, "semver-checks") {
        return Ok(Outcome::Skipped(INSTALL.to_owned()));
    }
    let crates = crates::published(workspace)?;
    let mut args = vec!["semver-checks", "check-release", "--baseline-rev", &baseline];
    args.extend(crates.iter().flat_map(|package| ["--package", &package.name]));
    cargo::output(&workspace.root, &args)?;
    Ok(Outcome::Passed(format!("{} crates against {baseline}", crates.len())))
}

/// The last release before what is checked out.
fn baseline(workspace: &Workspace) -> Option<String> {
    let args = ["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"];
    let output = Command::new("git").current_dir(&workspace.root).args(args).output().ok()?;
    let tag = String::from_utf8(output.stdout).ok()?;
    tag_of(&tag).filter(|_| output.status.success())
}

fn tag_of(said: &str) -> Option<String> {
    Some(said.trim()).filter(|tag| !tag.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::tag_of;

    #[test]
    fn only_a_tag_is_a_baseline() {
        assert_eq!(tag_of("v0.1.0\n"), Some("v0.1.0".to_owned()));
        assert_eq!(tag_of("\n"), None);
        assert_eq!(tag_of(""), None);
    }
}
