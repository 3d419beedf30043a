//! Runs the binary.
#![allow(dead_code, reason = "each suite uses a part")]

pub(crate) mod server;
#[cfg(unix)]
pub(crate) mod serving;

use std::{
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

/// The binary with an environment that configures nothing.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_codex-stream"));
    for variable in ["OPENAI_API_KEY", "OPENAI_BASE_URL", "CODEX_STREAM_MODEL", "NO_COLOR", "CLICOLOR_FORCE"] {
        command.env_remove(variable);
    }
    command
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }
}

impl Ran {
    /// Every line of standard output as JSON.
    pub(crate) fn json_lines(&self) -> Vec<serde_json::Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect("every line is JSON")).collect()
    }
}

pub(crate) fn run(args: &[&str]) -> Ran {
    run_with_input(args, b"")
}

pub(crate) fn run_with_input(args: &[&str], input: &[u8]) -> Ran {
    let mut command = command();
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    thread::scope(|scope| {
        // Beside the reading of the output, which may be more than a pipe holds. A run that fails early does not read
        // its input.
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().expect("the binary ends").into()
    })
}

/// A file of the crate.
pub(crate) fn file(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).to_str().expect("the path is UTF-8").to_owned()
}
