//! Every snapshot belongs to a test, and none waits for a review.
//!
//! `tidy` reads names only: the `source:` of a snapshot exists, and its name is written in a test of its
//! crate or is the name of one of its fixtures. `cargo xtask test` also compares with what a full run asked for.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::tree::has_extension;
use super::{Finding, Tree};
use crate::workspace::Package;

pub(super) fn check(packages: &[Package], tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in tree.paths() {
        if is_pending(path) {
            findings.push(Finding::new(path, 1, "snapshot waits for a review: `cargo xtask snap`"));
        } else if let Some(stem) = snapshot_stem(path) {
            let text = tree.text(path).unwrap_or_default();
            findings.extend(check_snapshot(path, stem, text, packages, tree));
            findings.extend(check_transcript(path, text));
        }
    }
    findings
}

/// Snapshots that a full run of the tests did not ask for.
///
/// `references` is what insta wrote to the file named by `INSTA_SNAPSHOT_REFERENCES_FILE`: one path a line.
pub(crate) fn check_references(root: &Path, tree: &Tree, references: &str) -> Vec<Finding> {
    let used: BTreeSet<_> = references.lines().filter_map(|path| fs::canonicalize(path).ok()).collect();
    tree.paths()
        .filter(|path| snapshot_stem(path).is_some())
        .filter(|path| !fs::canonicalize(root.join(path)).is_ok_and(|path| used.contains(&path)))
        .map(|path| Finding::new(path, 1, "no test asked for this snapshot"))
        .collect()
}

/// Whether insta wrote the file for a snapshot that differs from the accepted one.
pub(super) fn is_pending(path: &str) -> bool {
    path.ends_with(".snap.new") || has_extension(path, "pending-snap")
}

/// Longer transcripts are not read.
const MAX_TRANSCRIPT_LINES: usize = 60;

/// The transcript of a stream, which its last line tells, says what is special about it and where its bytes come from.
fn check_transcript(path: &str, text: &str) -> Vec<Finding> {
    let mut parts = text.strip_prefix("---\n").unwrap_or_default().splitn(2, "\n---\n");
    let (head, body) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if !body.lines().any(|line| line.starts_with("== connection=")) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for key in ["description", "info"] {
        if !head.lines().any(|line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':'))) {
            findings.push(Finding::new(path, 1, format!("transcript has no `{key}:`")));
        }
    }
    let lines = body.lines().count();
    if lines > MAX_TRANSCRIPT_LINES {
        let message = format!("transcript has {lines} lines, more than {MAX_TRANSCRIPT_LINES}: split its fixture");
        findings.push(Finding::new(path, 1, message));
    }
    findings
}

/// Snapshots that wait for a review, sorted.
pub(crate) fn pending(tree: &Tree) -> Vec<&str> {
    tree.paths().filter(|path| is_pending(path)).collect()
}

/// The file name without its `.snap`.
fn snapshot_stem(path: &str) -> Option<&str> {
    path.rsplit('/').next()?.strip_suffix(".snap")
}

fn check_snapshot(path: &str, stem: &str, text: &str, packages: &[Package], tree: &Tree) -> Option<Finding> {
    let source = text.lines().enumerate().skip(1).take_while(|(_, line)| *line != "---").find_map(|(index, line)| {
        let source = line.strip_prefix("source:")?;
        Some((index + 1, source.trim().trim_matches('"')))
    });
    let Some((line, source)) = source else {
        return Some(Finding::new(path, 1, "snapshot names no `source:`"));
    };
    if !tree.contains(source) {
        let message = format!("snapshot's source `{source}` does not exist");
        return Some(Finding::new(path, line, message));
    }
    let crate_folder = packages
        .iter()
        .map(|package| format!("{}/", package.folder))
        .filter(|folder| path.starts_with(folder.as_str()))
        .max_by_key(String::len)
        .unwrap_or_default();
    let names = names(stem, source);
    let is_used =
        tree.paths().filter(|path| path.starts_with(&crate_folder) && !has_extension(path, "snap")).any(|path| {
            match tree.text(path) {
                Some(text) if has_extension(path, "rs") => names.iter().any(|name| mentions(text, name)),
                _ => is_fixture_of(path, &names),
            }
        });
    (!is_used).then(|| Finding::new(path, 1, format!("no test names the snapshot `{}`", names[0])))
}

/// The names under which a test may ask for the snapshot: as written, then without what insta adds.
///
/// The file is called `module__path__name@suffix-2`, where `-2` stands for a second unnamed snapshot of a function.
fn names(stem: &str, source: &str) -> Vec<String> {
    let parts: Vec<&str> = stem.split("__").collect();
    let mut file = source.rsplit('/');
    let module = match file.next().and_then(|name| name.strip_suffix(".rs")) {
        Some("mod") => file.next(),
        Some("lib" | "main") | None => parts.first().copied(),
        module => module,
    };
    let mut name = match parts.iter().position(|part| Some(*part) == module) {
        Some(index) => parts[index + 1..].to_vec(),
        None => parts,
    };
    if let [tests, _, ..] = name[..] {
        if tests == "tests" {
            name.remove(0);
        }
    }
    let mut names = vec![name.join("__")];
    if let Some((name, suffix)) = names[0].clone().split_once('@') {
        names.extend([name.to_owned(), suffix.to_owned()]);
    }
    if let Some((name, number)) = names[0].clone().rsplit_once('-') {
        if number.parse::<u32>().is_ok() {
            names.push(name.to_owned());
        }
    }
    // An unnamed snapshot has its function's name without `test_`.
    let functions: Vec<String> = names.iter().map(|name| format!("test_{name}")).collect();
    names.extend(functions);
    names
}

/// Whether `text` has `name` with no further character of a name beside it.
fn mentions(text: &str, name: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || "_-".contains(c);
    !name.is_empty()
        && text.match_indices(name).any(|(start, _)| {
            let before = text[..start].chars().next_back();
            let after = text[start + name.len()..].chars().next();
            !before.is_some_and(is_name) && !after.is_some_and(is_name)
        })
}

fn is_fixture_of(path: &str, names: &[String]) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.split_once('.').map_or(file, |(stem, _)| stem);
    names.iter().any(|name| name == file || name == stem)
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::{Tree, check_references, names};

    const SNAP: &str = "tests/tests/snapshots/turns__bare_done.snap";
    const HEADER: &str = "---\nsource: tests/tests/turns.rs\nexpression: transcript\n---\nsource: x\n";

    fn check(files: &[(&str, &str)], expected: &[&str]) {
        let packages = check::packages(&[("codex-tests", "tests"), ("a", "crates/a")]);
        check::rule(super::check, &packages, files, expected);
    }

    #[test]
    fn snapshots_named_by_a_test_or_a_fixture_pass() {
        let source = ("tests/tests/turns.rs", "check(\"bare_done\");");
        check(&[(SNAP, HEADER), source], &[]);
        let helper = [(SNAP, HEADER), ("tests/tests/turns.rs", ""), ("tests/tests/sse.rs", "fn test_bare_done() {}")];
        check(&helper, &[]);
        let fixture = [(SNAP, HEADER), ("tests/tests/turns.rs", ""), ("tests/fixtures/bare_done.sse", "")];
        check(&fixture, &[]);
    }

    #[test]
    fn snapshots_without_a_test_are_found() {
        let unnamed = [format!("{SNAP}:1: no test names the snapshot `bare_done`")];
        let unnamed = [unnamed[0].as_str()];
        let longer = ("tests/tests/turns.rs", "check(\"bare_done_again\");");
        check(&[(SNAP, HEADER), longer], &unnamed);
        let elsewhere = ("crates/a/tests/b.rs", "check(\"bare_done\");");
        check(&[(SNAP, HEADER), ("tests/tests/turns.rs", ""), elsewhere], &unnamed);
        let gone = format!("{SNAP}:2: snapshot's source `tests/tests/turns.rs` does not exist");
        check(&[(SNAP, HEADER)], &[&gone]);
        let headless = format!("{SNAP}:1: snapshot names no `source:`");
        check(&[(SNAP, "---\nexpression: x\n---\nsource: y\n")], &[&headless]);
    }

    #[test]
    fn transcripts_explain_themselves_and_are_short() {
        let header = "---\nsource: tests/tests/turns.rs\ndescription: x\ninfo:\n  fixture: y\n---\n";
        let source = ("tests/tests/turns.rs", "check(\"bare_done\");");
        let account = "== connection=open bytes=1 dropped=0\n";
        check(&[(SNAP, &format!("{header}{account}")), source], &[]);
        let [info, description] = ["info", "description"].map(|key| format!("{SNAP}:1: transcript has no `{key}:`"));
        check(&[(SNAP, &format!("{HEADER}{account}")), source], &[&description, &info]);
        let long = format!("{header}{}{account}", "#0 text\n".repeat(60));
        let expected = format!("{SNAP}:1: transcript has 61 lines, more than 60: split its fixture");
        check(&[(SNAP, &long), source], &[&expected]);
    }

    #[test]
    fn pending_snapshots_are_found() {
        let expected = ["a/.b.rs.pending-snap", "a/b.snap.new"]
            .map(|path| format!("{path}:1: snapshot waits for a review: `cargo xtask snap`"));
        let expected = [expected[0].as_str(), expected[1].as_str()];
        check(&[("a/b.snap.new", ""), ("a/.b.rs.pending-snap", "")], &expected);
    }

    #[test]
    fn names_lose_module_paths_numbers_and_suffixes() {
        let check = |stem: &str, source: &str, expected: &[&str]| {
            let mut found = names(stem, source);
            found.truncate(found.len() / 2);
            assert_eq!(found, expected, "{stem}");
        };
        check("turns__a__b", "tests/tests/turns.rs", &["a__b"]);
        check("sse_codec__decoder__tests__a", "crates/x/src/decoder.rs", &["a"]);
        check("sse_codec__decoder__a-2", "crates/x/src/decoder/mod.rs", &["a-2", "a"]);
        check("sse_codec__tests__a", "crates/x/src/lib.rs", &["a"]);
        check("turns__a@b.sse", "tests/tests/turns.rs", &["a@b.sse", "a", "b.sse"]);
        check("alone", "tests/tests/turns.rs", &["alone"]);
    }

    #[test]
    fn a_full_run_tells_which_snapshots_are_unused() {
        let root = std::env::temp_dir().join(format!("xtask-snapshots-{}", std::process::id()));
        std::fs::create_dir_all(root.join("s")).unwrap();
        for name in ["s/used.snap", "s/unused.snap"] {
            std::fs::write(root.join(name), "").unwrap();
        }
        let tree = Tree::from_files(&[("s/used.snap", ""), ("s/unused.snap", "")]);
        // insta writes paths that go through the folder of the source file.
        let references = root.join("s/../s/used.snap");
        let found = check_references(&root, &tree, &format!("{}\n", references.display()));
        std::fs::remove_dir_all(&root).unwrap();
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["s/unused.snap:1: no test asked for this snapshot"]);
    }
}
