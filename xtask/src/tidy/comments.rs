//! Comments are as wide as rustfmt lets code be: it wraps the code, and leaves comments to whoever writes them.

use super::manifest::Manifest;
use super::{Finding, Tree};
use crate::workspace::Package;

/// Where the width is set.
const SETTINGS: &str = "rustfmt.toml";
/// What rustfmt takes where nothing is set.
const DEFAULT_WIDTH: usize = 100;

pub(super) fn check(_: &[Package], tree: &Tree) -> Vec<Finding> {
    let settings = Manifest::parse(tree.text(SETTINGS).unwrap_or_default());
    let limit = settings.value("", "max_width").and_then(|width| width.parse().ok()).unwrap_or(DEFAULT_WIDTH);
    let mut findings = Vec::new();
    for (path, text) in tree.sources() {
        for (index, line) in text.lines().enumerate() {
            let width = line.chars().count();
            if width > limit && can_be_wrapped(line) {
                findings.push(Finding::new(path, index + 1, format!("comment is {width} wide, limit {limit}")));
            }
        }
    }
    findings
}

/// Whether the line is a comment and nothing else, and may be broken: a row of a table may not, nor may a word.
fn can_be_wrapped(line: &str) -> bool {
    let Some(comment) = line.trim_start().strip_prefix("//") else { return false };
    let text = comment.trim_start_matches(['/', '!']).trim();
    let is_row = text.starts_with('|') && text.ends_with('|');
    !is_row && text.contains(' ')
}

#[cfg(test)]
mod tests {
    use super::super::check;

    fn check(settings: &str, lines: &[&str], expected: &[&str]) {
        let files = [("a.rs", lines.join("\n")), ("rustfmt.toml", settings.to_owned())];
        let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
        check::rule(super::check, &[], &files, expected);
    }

    #[test]
    fn comments_beyond_the_width_that_rustfmt_has_are_found() {
        let lines = ["// 4567 90", "//! 567 901", "    /// é 1", "    /// é 12", "    // 901", ""];
        let found = ["a.rs:2: comment is 11 wide, limit 10", "a.rs:4: comment is 12 wide, limit 10"];
        check("max_width = 10\n", &lines, &[found[0], "a.rs:3: comment is 11 wide, limit 10", found[1]]);
        check("max_width = 11\n", &lines, &["a.rs:4: comment is 12 wide, limit 11"]);
        check("max_width = 12\n", &lines, &[]);
    }

    #[test]
    fn without_a_setting_the_width_is_that_of_rustfmt() {
        let [fits, long] = [96, 97].map(|rest| format!("// {} x", "x".repeat(rest - 1)));
        check("", &[&fits, &long], &["a.rs:2: comment is 101 wide, limit 100"]);
    }

    #[test]
    fn what_cannot_be_wrapped_is_not_found() {
        let row = "/// | step | what it does |";
        let address = "// https://example.org/a/long/way";
        let code = "let text = \"// no comment\";";
        let behind = "let x = 1; // a trailing one";
        check("max_width = 10\n", &[row, address, code, behind], &[]);
        check("max_width = 10\n", &["/// | TEXT is data"], &["a.rs:1: comment is 18 wide, limit 10"]);
    }
}
