//! The nightly toolchain, which two tasks need for a tool that stable does not have.

use std::path::Path;
use std::process::{Command, Stdio};

/// A cargo call by the nightly toolchain, in the folder `root`.
pub(crate) fn cargo(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("rustup");
    command.current_dir(root).args(["run", "nightly", "cargo"]).args(args);
    // Set by the cargo that called this program, and of another toolchain.
    for variable in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(variable);
    }
    command
}

/// What is missing for the subcommand `tool` of nightly's cargo, and the command that installs it.
pub(crate) fn missing(root: &Path, tool: &str, install: &str) -> Option<String> {
    if !answers(&mut cargo(root, &["--version"])) {
        let install = "rustup toolchain install nightly --profile minimal";
        return Some(format!("there is no nightly toolchain; install it with: {install}"));
    }
    if !answers(&mut cargo(root, &[tool, "--version"])) {
        return Some(format!("the nightly toolchain has no `cargo {tool}`; install it with: {install}"));
    }
    None
}

fn answers(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::cargo;
    use std::path::Path;

    #[test]
    fn the_calling_toolchain_is_left_behind() {
        let command = cargo(Path::new("."), &["fuzz", "--version"]);
        let args: Vec<_> = command.get_args().collect();
        assert_eq!(args, ["run", "nightly", "cargo", "fuzz", "--version"]);
        assert!(command.get_envs().any(|(name, value)| name == "RUSTUP_TOOLCHAIN" && value.is_none()));
    }
}
