//! Files are one idea each: short as a rule, never long. Test sources may be as long as they need.

use super::tree::is_test_source;
use super::{Finding, Tree};
use crate::workspace::Package;

/// Most lines of one source file.
const MAX_LINES: usize = 500;
/// Most lines of a crate's median source file.
const MAX_MEDIAN: usize = 200;

pub(super) fn check(packages: &[Package], tree: &Tree) -> Vec<Finding> {
    let sizes: Vec<(&str, usize)> = tree
        .sources()
        .filter(|(path, _)| !is_test_source(path))
        .map(|(path, text)| (path, text.lines().count()))
        .collect();
    let mut findings = Vec::new();
    for (path, lines) in &sizes {
        if *lines > MAX_LINES {
            let message = format!("file has {lines} lines, limit {MAX_LINES}");
            findings.push(Finding::new(*path, MAX_LINES + 1, message));
        }
    }
    for package in packages {
        let folder = format!("{}/", package.folder);
        let own = sizes.iter().filter(|(path, _)| path.starts_with(&folder));
        let median = median(own.map(|(_, lines)| *lines).collect());
        if median > MAX_MEDIAN {
            let message = format!("the median source file has {median} lines, limit {MAX_MEDIAN}");
            findings.push(Finding::new(format!("{folder}Cargo.toml"), 1, message));
        }
    }
    findings
}

/// The middle value, the upper one of two; 0 for none.
fn median(mut lines: Vec<usize>) -> usize {
    lines.sort_unstable();
    lines.get(lines.len() / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::check;

    fn check(sizes: &[(&str, usize)], expected: &[&str]) {
        let texts: Vec<(&str, String)> = sizes.iter().map(|(path, lines)| (*path, "x\n".repeat(*lines))).collect();
        let files: Vec<(&str, &str)> = texts.iter().map(|(path, text)| (*path, text.as_str())).collect();
        let packages = check::packages(&[("a", "crates/a"), ("ab", "crates/ab")]);
        check::rule(super::check, &packages, &files, expected);
    }

    #[test]
    fn files_at_the_limits_pass() {
        let at_limit = [("crates/a/src/a.rs", 200), ("crates/a/src/b.rs", 200)];
        check(&at_limit, &[]);
        let one_long = [("crates/a/src/a.rs", 10), ("crates/a/src/b.rs", 20), ("crates/a/src/c.rs", 500)];
        check(&one_long, &[]);
    }

    #[test]
    fn a_long_file_is_found_unless_it_is_a_test_or_no_source() {
        let files = [
            ("crates/a/src/a.rs", 501),
            ("crates/a/src/b.rs", 1),
            ("crates/a/src/c.rs", 1),
            ("crates/a/notes.txt", 900),
            ("crates/a/tests/d.rs", 900),
        ];
        check(&files, &["crates/a/src/a.rs:501: file has 501 lines, limit 500"]);
    }

    #[test]
    fn a_high_median_is_found_for_its_own_crate() {
        let files = [
            ("crates/a/src/a.rs", 1),
            ("crates/ab/src/a.rs", 10),
            ("crates/ab/src/b.rs", 201),
            ("crates/ab/src/c.rs", 300),
        ];
        let expected = "crates/ab/Cargo.toml:1: the median source file has 201 lines, limit 200";
        check(&files, &[expected]);
    }
}
