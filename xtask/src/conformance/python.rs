//! The suite's program in a Python environment of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Pinned, so that the number of cases and their meaning stay the same.
const PACKAGE: &str = "kosoku==0.1.0";

/// The interpreter's name on most systems, and on Windows.
const INTERPRETERS: &[&str] = &["python3", "python"];

/// The folder of an environment's programs.
const PROGRAMS: &str = if cfg!(windows) { "Scripts" } else { "bin" };

/// The program of the suite, installed below `folder` unless it is there already.
pub(super) fn suite(folder: &Path) -> Result<PathBuf, String> {
    let environment = folder.join(format!("venv-{}", PACKAGE.replace("==", "-")));
    let programs = environment.join(PROGRAMS);
    let program = |name: &str| programs.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let suite = program("kosoku");
    if suite.is_file() {
        return Ok(suite);
    }
    println!("installing {PACKAGE} into {}", environment.display());
    let mut create = Command::new(interpreter()?);
    run(create.args(["-m", "venv", "--clear"]).arg(&environment))
        .map_err(|error| format!("conformance needs Python's `venv` module: {error}"))?;
    let mut install = Command::new(program("python"));
    run(install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE]))
        .map_err(|error| format!("conformance needs the Python package {PACKAGE}, which was not installed: {error}"))?;
    Ok(suite)
}

fn interpreter() -> Result<&'static str, String> {
    let starts = |name: &&&str| run(Command::new(**name).arg("--version")).is_ok();
    let found = INTERPRETERS.iter().find(starts).copied();
    found.ok_or_else(|| "conformance needs Python 3.10 or newer: neither `python3` nor `python` starts".to_owned())
}

/// Runs a command to its end; the error is what it said last.
fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(last_words(&output)) }
}

fn last_words(output: &Output) -> String {
    // `venv` complains on standard output.
    let text = if output.stderr.trim_ascii().is_empty() { &output.stdout } else { &output.stderr };
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines[lines.len().saturating_sub(3)..].join("\n");
    if last.is_empty() { output.status.to_string() } else { last }
}
