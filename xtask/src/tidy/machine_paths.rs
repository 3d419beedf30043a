//! No path of somebody's machine in a file that everybody gets.

use super::{Finding, Tree};
use crate::workspace::Package;

/// First parts of absolute paths that exist on one machine only.
const FOLDERS: &[&str] = &["root", "work", "home", "Users"];

pub(super) fn check(_: &[Package], tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts() {
        for (index, line) in text.lines().enumerate() {
            for folder in FOLDERS.iter().filter(|folder| names(line, folder)) {
                let message = format!("machine path `/{folder}/`");
                findings.push(Finding::new(path, index + 1, message));
            }
        }
    }
    findings
}

/// Whether an absolute path in `line` begins with `folder`; a later part of a path or URL may have its name.
fn names(line: &str, folder: &str) -> bool {
    line.match_indices(&format!("/{folder}/")).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        !before.is_some_and(|before| before.is_alphanumeric() || "_-.~})>*".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use super::super::check;

    /// `@` stands for the slash that would make this file its own finding.
    fn check(line: &str, folders: &[&str]) {
        let text = format!("first\n{}\n", line.replace('@', "/"));
        let expected: Vec<String> = folders.iter().map(|folder| format!("a.md:2: machine path `/{folder}/`")).collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check::rule(super::check, &[], &[("a.md", &text)], &expected);
    }

    #[test]
    fn absolute_paths_are_found() {
        check("see @home@me/x", &["home"]);
        check("\"@root@.cargo\"", &["root"]);
        check("file://@Users@me", &["Users"]);
        check("x=@work@main, @home@me", &["home", "work"]);
    }

    #[test]
    fn later_parts_and_other_words_are_not_found() {
        check("https://example.com@home@x", &[]);
        check("target@work@x and $DIR_@home@x and ${X}@work@", &[]);
        check("@homestead@x @home", &[]);
    }
}
