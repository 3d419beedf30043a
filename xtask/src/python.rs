//! Python packages in environments of their own, below the build output.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The interpreter's name on most systems, and on Windows.
const INTERPRETERS: &[&str] = &["python3", "python"];

/// The folder of an environment's programs.
const PROGRAMS: &str = if cfg!(windows) { "Scripts" } else { "bin" };

/// The folder of the programs of an environment with this package (`name==version`: pinned, so that results mean the
/// same next year), installed below `folder` unless it is there already.
pub(crate) struct Environment {
    programs: PathBuf,
}

impl Environment {
    /// `task` is who needs it, for messages.
    pub(crate) fn with_package(task: &str, folder: &Path, package: &str) -> Result<Self, String> {
        let environment = folder.join(format!("venv-{}", package.replace("==", "-")));
        let this = Self { programs: environment.join(PROGRAMS) };
        // Written last: an installation that broke off is made again.
        let installed = environment.join("installed");
        if installed.is_file() {
            return Ok(this);
        }
        println!("installing {package} into {}", environment.display());
        let mut create = Command::new(interpreter(task)?);
        run(create.args(["-m", "venv", "--clear"]).arg(&environment))
            .map_err(|error| format!("{task} needs Python's `venv` module: {error}"))?;
        let mut install = Command::new(this.program("python"));
        run(install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]))
            .map_err(|error| format!("{task} needs the Python package {package}, which was not installed: {error}"))?;
        std::fs::write(&installed, package).map_err(|error| format!("{}: {error}", installed.display()))?;
        Ok(this)
    }

    /// A program of the environment.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}

fn interpreter(task: &str) -> Result<&'static str, String> {
    let starts = |name: &&&str| run(Command::new(**name).arg("--version")).is_ok();
    let found = INTERPRETERS.iter().find(starts).copied();
    found.ok_or_else(|| format!("{task} needs Python 3.10 or newer: neither `python3` nor `python` starts"))
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
