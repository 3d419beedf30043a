//! How this program calls the cargo that called it.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

/// Cargo with its working folder at `root`, where the lock file and the toolchain file are.
pub(crate) fn command(root: &Path, args: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.current_dir(root).args(args);
    command
}

/// Standard output of a cargo call; what it has to complain about goes to the terminal.
pub(crate) fn output(root: &Path, args: &[&str]) -> Result<String, String> {
    let shown = args.join(" ");
    let output = command(root, args)
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| format!("`cargo {shown}` did not start: {error}"))?;
    if !output.status.success() {
        return Err(format!("`cargo {shown}` failed: {}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("`cargo {shown}` did not write UTF-8"))
}

/// Whether cargo knows `name`, by itself or as a program that somebody has installed.
pub(crate) fn has_subcommand(root: &Path, name: &str) -> bool {
    command(root, &[name, "--version"]).output().is_ok_and(|output| output.status.success())
}
