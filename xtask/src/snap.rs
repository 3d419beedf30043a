//! `cargo xtask snap`: the snapshots that wait for a review.
//!
//! With cargo-insta installed it is `cargo insta review`. Without it the differences are printed, and `--accept` takes
//! them all once they have been read.

mod diff;

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::tidy::{self, Tree};
use crate::{Failure, TaskResult, cargo, workspace::Workspace};

/// Said after the differences.
const HOW_TO_ACCEPT: &str = "\
Read the differences as you would read code. To take them all: cargo xtask snap --accept
To take them as the tests run, and look at them with git: INSTA_UPDATE=always cargo test -p CRATE
To decide one by one: cargo install cargo-insta, then cargo xtask snap
To refuse one: delete its .snap.new file.";

/// What becomes of pending snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// They are shown.
    Review,
    /// They replace the snapshots.
    Accept,
}

impl Decision {
    pub(crate) fn from_options(options: &[String]) -> Self {
        if options.iter().any(|option| option == "--accept") { Self::Accept } else { Self::Review }
    }
}

/// Fails while snapshots wait: so does `tidy`.
pub(crate) fn run(workspace: &Workspace, decision: Decision) -> TaskResult {
    let root = &workspace.root;
    let tree = Tree::read(root)?;
    let pending = tidy::pending(&tree);
    if pending.is_empty() {
        println!("no snapshot waits for a review");
        return Ok(());
    }
    match decision {
        Decision::Accept => accept(root, &tree, &pending),
        Decision::Review if has_insta(root) => review(root),
        Decision::Review => {
            for path in &pending {
                println!("{}", shown(&tree, path));
            }
            println!("{HOW_TO_ACCEPT}");
            Err(Failure::Message(count(pending.len(), "waits", "wait")))
        }
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 {
        format!("1 snapshot {one} for a review")
    } else {
        format!("{number} snapshots {many} for a review")
    }
}

/// Quietly: `cargo` complains loudly about a subcommand that is not there.
fn has_insta(root: &Path) -> bool {
    let output = cargo::command(root, &["insta", "--version"]).output();
    output.is_ok_and(|output| output.status.success())
}

fn review(root: &Path) -> TaskResult {
    let mut command: Command = cargo::command(root, &["insta", "review", "--include-ignored"]);
    let status = command.status().map_err(|error| format!("`cargo insta review` did not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(Failure::Message(format!("`cargo insta review` failed: {status}"))) }
}

/// One pending snapshot and what it would change.
fn shown(tree: &Tree, path: &str) -> String {
    let Some(accepted) = path.strip_suffix(".new") else {
        return format!("{path}\n  an inline snapshot: only cargo-insta can show and take it\n");
    };
    let new = tree.text(path).unwrap_or_default();
    match tree.text(accepted) {
        Some(old) => format!("{accepted}\n{}", diff::lines(&reviewed(old), &reviewed(new))),
        None => format!("{accepted} (new)\n{}", diff::lines("", &reviewed(new))),
    }
}

/// The snapshot as it is kept: the line of the assertion changes whenever its file does.
fn reviewed(pending: &str) -> String {
    let mut in_head = true;
    let mut kept = String::with_capacity(pending.len());
    for (index, line) in pending.split_inclusive('\n').enumerate() {
        in_head &= index == 0 || line.trim_end() != "---";
        if !(in_head && line.starts_with("assertion_line:")) {
            kept.push_str(line);
        }
    }
    kept
}

fn accept(root: &Path, tree: &Tree, pending: &[&str]) -> TaskResult {
    let mut left = 0;
    for path in pending {
        let (Some(accepted), Some(text)) = (path.strip_suffix(".new"), tree.text(path)) else {
            println!("left    {path}: only cargo-insta can take an inline snapshot");
            left += 1;
            continue;
        };
        let problem = |error| format!("{accepted}: {error}");
        fs::write(root.join(accepted), reviewed(text)).map_err(problem)?;
        fs::remove_file(root.join(path)).map_err(problem)?;
        println!("taken   {accepted}");
    }
    if left == 0 { Ok(()) } else { Err(Failure::Message(count(left, "still waits", "still wait"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PENDING: &str = "---\nsource: a.rs\nassertion_line: 7\ndescription: x\n---\nassertion_line: kept\n";
    const KEPT: &str = "---\nsource: a.rs\ndescription: x\n---\nassertion_line: kept\n";

    #[test]
    fn what_is_kept_names_no_line() {
        assert_eq!(reviewed(PENDING), KEPT);
        assert_eq!(reviewed(KEPT), KEPT);
    }

    #[test]
    fn accepted_snapshots_replace_the_old_ones_and_no_longer_wait() {
        let root = std::env::temp_dir().join(format!("xtask-snap-{}", std::process::id()));
        fs::create_dir_all(root.join("s")).unwrap();
        for (path, text) in [("s/a.snap", "old"), ("s/a.snap.new", PENDING), ("s/b.snap.new", PENDING)] {
            fs::write(root.join(path), text).unwrap();
        }
        let workspace = Workspace { root: root.clone() };
        let outcome = run(&workspace, Decision::Accept);
        let texts = ["s/a.snap", "s/b.snap"].map(|path| fs::read_to_string(root.join(path)).unwrap());
        let left = tidy::pending(&Tree::read(&root).unwrap()).len();
        let inline = root.join("s/.c.rs.pending-snap");
        fs::write(inline, "{}").unwrap();
        let not_taken = run(&workspace, Decision::Accept);
        fs::remove_dir_all(&root).unwrap();
        assert_eq!((outcome, left), (Ok(()), 0));
        assert_eq!(texts, [KEPT, KEPT]);
        assert_eq!(not_taken, Err(Failure::Message("1 snapshot still waits for a review".to_owned())));
    }
}
