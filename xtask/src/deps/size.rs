//! The size of a whole program: the example of one turn.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;

use crate::{TaskResult, cargo, workspace::Workspace};

/// Stripped, in bytes.
const LIMIT: u64 = 4_500_000;

const BUILD: &[&str] = &[
    "build",
    "--locked",
    "--release",
    "--package",
    "codex-api",
    "--example",
    "ask",
    "--config",
    "profile.release.strip=true",
    "--message-format",
    "json-render-diagnostics",
];

/// Builds the example as for a release, which takes minutes, and weighs it.
pub(crate) fn size(workspace: &Workspace) -> TaskResult {
    let output = cargo::command(&workspace.root, BUILD)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo did not start: {error}"))?;
    if !output.status.success() {
        return Err(format!("the example does not build: {}", output.status).into());
    }
    let program = program(&String::from_utf8_lossy(&output.stdout))
        .ok_or_else(|| "cargo does not say where the example is".to_owned())?;
    let bytes = fs::metadata(&program).map_err(|error| format!("{}: {error}", program.display()))?.len();
    println!("the example of one turn has {bytes} bytes, limit {LIMIT}");
    check(bytes)
}

fn check(bytes: u64) -> TaskResult {
    if bytes <= LIMIT { Ok(()) } else { Err(format!("the example has {bytes} bytes, limit {LIMIT}").into()) }
}

/// The program that cargo has built, from its JSON.
fn program(output: &str) -> Option<PathBuf> {
    let messages = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = messages.filter_map(|message| message.get("executable")?.as_str().map(PathBuf::from));
    programs.next_back()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{check, program};

    #[test]
    fn the_program_is_the_artifact_that_can_be_run() {
        let output = "{\"reason\":\"compiler-artifact\",\"executable\":null}\n\
            {\"reason\":\"compiler-artifact\",\"executable\":\"t/release/examples/ask\"}\n\
            {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(program(output), Some(PathBuf::from("t/release/examples/ask")));
        assert_eq!(program("{\"reason\":\"build-finished\"}"), None);
    }

    #[test]
    fn only_more_than_the_limit_is_too_large() {
        assert_eq!(check(4_500_000), Ok(()));
        assert_eq!(check(4_500_001), Err("the example has 4500001 bytes, limit 4500000".to_owned().into()));
    }
}
