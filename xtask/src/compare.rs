//! `cargo xtask compare`: what clients do with the same streams, side by side.
//!
//! The programs are those of `tests/compare`, outside of the workspace. This task is optional: it builds rivals (some
//! five minutes), and needs Python and, the first time, the package index.

use std::process::Command;

use crate::python::Environment;
use crate::{TaskResult, cargo, workspace::Workspace};

const MANIFEST: &str = "tests/compare/Cargo.toml";

/// The version of openai-python; those of the Rust clients stand in the manifest.
const PACKAGE: &str = "openai==3.54.0";

/// Prints the table of `docs/compare.md`. The operand keeps the scenarios whose names hold it.
pub(crate) fn run(workspace: &Workspace, words: &[String]) -> TaskResult {
    let folder = workspace.target_folder()?.join("compare");
    let python = Environment::with_package("compare", &folder, PACKAGE)?.program("python");
    let mut compare = cargo::command(&workspace.root, &["run", "--manifest-path", MANIFEST, "--target-dir"]);
    compare.arg(&folder).arg("--").args(words).env("COMPARE_PYTHON", python);
    succeed(compare)
}

fn succeed(mut command: Command) -> TaskResult {
    let status = command.status().map_err(|error| format!("cargo did not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{MANIFEST}` did not run to its end: {status}").into()) }
}
