//! `cargo xtask features`: every library builds, without a warning, with every set of its features.

mod sets;

use std::time::Instant;

use serde_json::Value;
use sets::Features;

use super::crates::{self, Published};
use super::{Extent, GateResult, Outcome, no_problems};
use crate::cargo;
use crate::workspace::Workspace;

/// Quick: no feature, each alone, all. Full: all sets that differ.
pub(super) fn run(workspace: &Workspace, extent: Extent) -> GateResult {
    let (mut count, mut problems) = (0, Vec::new());
    for package in crates::published(workspace)? {
        let features = Features::of(&package.features);
        let sets = if extent == Extent::Quick { features.each_alone() } else { features.all_sets() };
        if sets.len() == 1 {
            // Without features there is one build, and everything else makes it.
            continue;
        }
        let begin = Instant::now();
        for set in &sets {
            problems.extend(check(workspace, &package, set)?);
        }
        count += sets.len();
        println!("{:<17}{:>3} sets in {:.1} s", package.name, sets.len(), begin.elapsed().as_secs_f64());
    }
    no_problems("sets of features that do not build, or not without warnings", &problems)?;
    Ok(Outcome::Passed(format!("{count} sets of features")))
}

/// The line that names the set, if the library does not build with it; what the compiler says is shown.
fn check(workspace: &Workspace, package: &Published, set: &sets::Set<'_>) -> Result<Option<String>, String> {
    let features = set.iter().copied().collect::<Vec<_>>().join(",");
    let mut args = vec!["check", "--quiet", "--locked", "--lib", "--message-format", "json"];
    args.extend(["--package", &package.name, "--no-default-features", "--features", &features]);
    let output = cargo::command(&workspace.root, &args)
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo did not start: {error}"))?;
    let complaints = complaints(&String::from_utf8_lossy(&output.stdout));
    for complaint in &complaints {
        eprint!("{complaint}");
    }
    let is_clean = output.status.success() && complaints.is_empty();
    Ok((!is_clean)
        .then(|| format!("cargo check --package {} --no-default-features --features '{features}'", package.name)))
}

/// Errors and warnings in cargo's JSON, as the compiler would print them.
fn complaints(output: &str) -> Vec<String> {
    let messages = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let messages = messages.filter(|message| message.get("reason").is_some_and(|reason| reason == "compiler-message"));
    let rendered = messages.filter_map(|message| message.pointer("/message/rendered")?.as_str().map(str::to_owned));
    rendered.collect()
}

#[cfg(test)]
mod tests {
    use super::complaints;

    #[test]
    fn only_what_the_compiler_says_is_a_complaint() {
        let output = "{\"reason\":\"compiler-artifact\",\"target\":{}}\n\
            {\"reason\":\"compiler-message\",\"message\":{\"level\":\"warning\",\"rendered\":\"unused\\n\"}}\n\
            no JSON\n\
            {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(complaints(output), ["unused\n"]);
        assert!(complaints("").is_empty());
    }
}
