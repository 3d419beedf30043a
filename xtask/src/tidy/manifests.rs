//! Every crate looks alike: its folder has its name, a README, and the workspace's terms and lints.

use super::manifest::{Inherited, Manifest};
use super::{Finding, Tree};
use crate::workspace::Package;

/// Crates whose folder has another name, because it is the conventional place for what they hold.
const OTHER_FOLDERS: &[(&str, &str)] = &[("codex-tests", "tests")];

/// What no crate states for itself: section and key.
const INHERITED: &[(&str, &str)] = &[("package", "edition"), ("package", "license"), ("package", "rust-version")];

/// What the workspace's lints must say: no unsafe code, and nothing of the standard library that is newer than
/// `rust-version`.
const LINTS: &[(&str, &str, &str)] = &[
    ("workspace.lints.rust", "unsafe_code", "\"forbid\""),
    ("workspace.lints.clippy", "incompatible_msrv", "\"warn\""),
];

pub(super) fn check(packages: &[Package], tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let root = Manifest::parse(tree.text("Cargo.toml").unwrap_or_default());
    for (section, key, value) in LINTS {
        if root.value(section, key) != Some(*value) {
            let message = format!("the workspace's lints must have `{key} = {value}`");
            findings.push(Finding::new("Cargo.toml", 1, message));
        }
    }
    for package in packages {
        check_package(package, tree, &mut findings);
    }
    findings
}

fn check_package(package: &Package, tree: &Tree, findings: &mut Vec<Finding>) {
    let path = format!("{}/Cargo.toml", package.folder);
    let mut find = |line, message| findings.push(Finding::new(path.clone(), line, message));

    let folder = package.folder.rsplit('/').next().unwrap_or_default();
    if folder != expected_folder(&package.name) {
        let name = &package.name;
        find(1, format!("crate `{name}` must lie in a folder of its name"));
    }
    let readme = format!("{}/README.md", package.folder);
    if !tree.contains(&readme) {
        find(1, format!("crate `{}` has no README.md", package.name));
    }
    let manifest = Manifest::parse(tree.text(&path).unwrap_or_default());
    for (section, key) in INHERITED {
        match manifest.inherited(section, key) {
            Inherited::Yes => {}
            Inherited::OwnValue(line) => find(line, format!("write `{key}.workspace = true`")),
            Inherited::Missing => find(1, format!("[{section}] lacks `{key}.workspace = true`")),
        }
    }
    // This is also how `unsafe_code = "forbid"` reaches the crate; source code cannot lift it.
    if manifest.value("lints", "workspace") != Some("true") {
        find(1, "[lints] lacks `workspace = true`".to_owned());
    }
}

fn expected_folder(name: &str) -> &str {
    OTHER_FOLDERS.iter().find(|(package, _)| *package == name).map_or(name, |(_, folder)| folder)
}

#[cfg(test)]
mod tests {
    use super::super::check;

    const ROOT: &str = "[workspace.lints.rust]\nunsafe_code = \"forbid\"\n\
        [workspace.lints.clippy]\nincompatible_msrv = \"warn\"\n";
    const GOOD: &str = "[package]\nedition.workspace = true\nlicense.workspace = true\n\
        rust-version.workspace = true\n[lints]\nworkspace = true\n";

    fn check(files: &[(&str, &str)], name: &str, folder: &str, expected: &[&str]) {
        let packages = check::packages(&[(name, folder)]);
        check::rule(super::check, &packages, files, expected);
    }

    #[test]
    fn a_crate_that_inherits_everything_passes() {
        let files = [("Cargo.toml", ROOT), ("crates/a/Cargo.toml", GOOD), ("crates/a/README.md", "")];
        check(&files, "a", "crates/a", &[]);
        let files = [("Cargo.toml", ROOT), ("tests/Cargo.toml", GOOD), ("tests/README.md", "")];
        check(&files, "codex-tests", "tests", &[]);
    }

    #[test]
    fn folder_readme_and_missing_inheritance_are_found() {
        let own =
            "[package]\nlicense = \"GPL-3.0\"\nedition.workspace = false\n[lints.rust]\nunsafe_code = \"allow\"\n";
        let files = [("Cargo.toml", ROOT), ("crates/b/Cargo.toml", own)];
        let expected = [
            "crates/b/Cargo.toml:1: [lints] lacks `workspace = true`",
            "crates/b/Cargo.toml:1: [package] lacks `rust-version.workspace = true`",
            "crates/b/Cargo.toml:1: crate `a` has no README.md",
            "crates/b/Cargo.toml:1: crate `a` must lie in a folder of its name",
            "crates/b/Cargo.toml:2: write `license.workspace = true`",
            "crates/b/Cargo.toml:3: write `edition.workspace = true`",
        ];
        check(&files, "a", "crates/b", &expected);
    }

    #[test]
    fn a_workspace_without_the_lints_that_prove_promises_is_found() {
        let unsafe_code = "Cargo.toml:1: the workspace's lints must have `unsafe_code = \"forbid\"`";
        let newer = "Cargo.toml:1: the workspace's lints must have `incompatible_msrv = \"warn\"`";
        let cases: &[(&str, &[&str])] = &[
            ("", &[newer, unsafe_code]),
            (&ROOT.replace("forbid", "deny"), &[unsafe_code]),
            (&ROOT.replace("warn", "allow"), &[newer]),
        ];
        for (root, expected) in cases {
            let files = [("Cargo.toml", *root), ("crates/a/Cargo.toml", GOOD), ("crates/a/README.md", "")];
            check(&files, "a", "crates/a", expected);
        }
    }
}
