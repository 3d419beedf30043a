//! Compilers beside the one that runs this program, by rustup.

use std::path::Path;
use std::process::Command;

/// An installed toolchain.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Toolchain(String);

impl Toolchain {
    /// The installed toolchain of `channel`: `nightly`, or a version such as `1.85`, which may be any patch of it.
    pub(super) fn find(channel: &str) -> Option<Self> {
        let output = Command::new("rustup").args(["toolchain", "list"]).output().ok()?;
        let list = String::from_utf8(output.stdout).ok()?;
        pick(&list, channel).map(|name| Self(name.to_owned()))
    }

    /// Its cargo with the working folder at `root`.
    pub(super) fn cargo(&self, root: &Path, args: &[&str]) -> Command {
        let mut command = Command::new("rustup");
        command.current_dir(root).args(["run", &self.0, "cargo"]).args(args);
        // Left there by the cargo that started this program, they name its own toolchain.
        for variable in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
            command.env_remove(variable);
        }
        command
    }
}

/// Of lines such as `1.85-x86_64-unknown-linux-gnu (default)` the shortest name that is of `channel`.
fn pick<'a>(list: &'a str, channel: &str) -> Option<&'a str> {
    let names = list.lines().filter_map(|line| line.split_whitespace().next());
    let is_meant = |name: &&str| {
        let rest = name.strip_prefix(channel);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-') || rest.starts_with('.'))
    };
    names.filter(is_meant).min_by_key(|name| name.len())
}

#[cfg(test)]
mod tests {
    use super::pick;

    const LIST: &str = "stable-x86_64-unknown-linux-gnu (active, default)\n\
        nightly-2026-01-01-x86_64-unknown-linux-gnu\n\
        nightly-x86_64-unknown-linux-gnu\n\
        1.8-x86_64-unknown-linux-gnu\n\
        1.85.1-x86_64-unknown-linux-gnu\n";

    fn check(channel: &str, expected: Option<&str>) {
        assert_eq!(pick(LIST, channel), expected, "{channel}");
    }

    #[test]
    fn a_channel_is_a_whole_word_of_a_name() {
        check("nightly", Some("nightly-x86_64-unknown-linux-gnu"));
        check("1.85", Some("1.85.1-x86_64-unknown-linux-gnu"));
        check("1.8", Some("1.8-x86_64-unknown-linux-gnu"));
        check("1.9", None);
        check("beta", None);
        assert_eq!(pick("no installed toolchains\n", "nightly"), None);
    }
}
