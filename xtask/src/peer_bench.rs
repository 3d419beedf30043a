//! `tests/peer-bench`, the crate outside of the workspace: building and running its programs.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use crate::{cargo, workspace::Workspace};

const MANIFEST: &str = "tests/peer-bench/Cargo.toml";

/// Its programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Bench,
    IdleStreams,
    SleepingConsumer,
    AutobahnClient,
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::Bench => "peer-bench",
            Self::IdleStreams => "idle-streams",
            Self::SleepingConsumer => "sleeping-consumer",
            Self::AutobahnClient => "autobahn-client",
        }
    }

    /// Builds the program with optimisation; the answer runs it.
    pub(crate) fn build(self, workspace: &Workspace) -> Result<Command, String> {
        let folder = build_folder(workspace)?;
        let name = self.name();
        let mut command = cargo::command(&workspace.root, &["build", "--release", "--manifest-path", MANIFEST]);
        command.args(["--bin", name]).arg("--target-dir").arg(&folder);
        if self == Self::AutobahnClient {
            // It needs none of the peers.
            command.arg("--no-default-features");
        }
        let status = command.status().map_err(|error| format!("cargo did not start: {error}"))?;
        if !status.success() {
            return Err(format!("`{name}` of {MANIFEST} was not built: {status}"));
        }
        let mut file = OsString::from(name);
        file.push(std::env::consts::EXE_SUFFIX);
        Ok(Command::new(folder.join("release").join(file)))
    }
}

/// Beside the workspace's own output: the two have different locks and features.
fn build_folder(workspace: &Workspace) -> Result<PathBuf, String> {
    Ok(workspace.target_folder()?.join("peer-bench"))
}

/// Runs a program to its end; its output goes to the terminal.
pub(crate) fn run(mut program: Command) -> Result<(), String> {
    let shown = program.get_program().to_string_lossy().into_owned();
    let status = program.status().map_err(|error| format!("`{shown}` did not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` failed: {status}")) }
}
