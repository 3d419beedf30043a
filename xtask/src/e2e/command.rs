//! A command line that is shown and run in the same words.

use std::fmt;
use std::process::Command;

/// A program and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CommandLine(Vec<String>);

impl CommandLine {
    pub(super) fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(words.into_iter().map(Into::into).collect())
    }

    /// With the rights of the administrator, which somebody else gets by `sudo`.
    pub(super) fn by_administrator(mut self) -> Self {
        if !is_administrator() {
            self.0.insert(0, "sudo".to_owned());
        }
        self
    }

    /// Runs it to its end; its output goes to the terminal.
    pub(super) fn run(&self) -> Result<(), String> {
        println!("running `{self}`");
        let (program, args) = self.0.split_first().ok_or("an empty command line")?;
        let status = Command::new(program).args(args).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("`{self}` failed: {status}")),
            Err(error) => Err(format!("`{self}` did not start: {error}")),
        }
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

fn is_administrator() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
