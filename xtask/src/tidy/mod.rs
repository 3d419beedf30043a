//! `cargo xtask tidy`: what neither the compiler nor clippy checks, one file a rule.
//!
//! Every rule is a pure function of the crates and the files; it returns all that it finds.

mod comments;
mod layers;
mod leftovers;
mod machine_paths;
mod manifest;
mod manifests;
mod sizes;
mod snapshots;
mod tree;

pub(crate) use snapshots::{check_references, pending};
pub(crate) use tree::Tree;

use std::fmt;

use crate::TaskResult;
use crate::workspace::{Package, Workspace};

/// One broken rule, shown as `path:line: message`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    /// Counted from 1; 1 also where the whole file is meant.
    line: usize,
    message: String,
}

impl Finding {
    fn new(path: impl Into<String>, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.into(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// Finds all places where the crates or the files break one rule.
type Rule = fn(&[Package], &Tree) -> Vec<Finding>;

const RULES: &[Rule] = &[
    layers::check,
    sizes::check,
    manifests::check,
    snapshots::check,
    leftovers::check,
    machine_paths::check,
    comments::check,
];

/// Prints all findings of all rules; fails when there is one.
pub(crate) fn run(workspace: &Workspace) -> TaskResult {
    let packages = workspace.packages()?;
    let tree = Tree::read(&workspace.root)?;
    report(RULES.iter().flat_map(|rule| rule(&packages, &tree)))
}

/// Prints `findings` in the order of their places; fails when there is one.
pub(crate) fn report(findings: impl IntoIterator<Item = Finding>) -> TaskResult {
    let mut findings: Vec<Finding> = findings.into_iter().collect();
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        1 => Err("tidy has 1 finding".to_owned().into()),
        count => Err(format!("tidy has {count} findings").into()),
    }
}

/// The one way in which tests of the rules build their input and compare their output.
#[cfg(test)]
mod check {
    use super::{Finding, Package, Rule, Tree};

    /// Crates without arrows, given by name and folder.
    pub(super) fn packages(crates: &[(&str, &str)]) -> Vec<Package> {
        let package = |(name, folder): &(&str, &str)| Package {
            name: (*name).to_owned(),
            folder: (*folder).to_owned(),
            arrows: Vec::new(),
        };
        crates.iter().map(package).collect()
    }

    /// `rule` over crates and files must find exactly `expected`, in any order.
    pub(super) fn rule(rule: Rule, packages: &[Package], files: &[(&str, &str)], expected: &[&str]) {
        let mut found = rule(packages, &Tree::from_files(files));
        found.sort();
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn findings_fail_the_task_and_their_absence_does_not() {
        let finding = |line| Finding::new("a.rs", line, "broken");
        assert_eq!(super::report([]), Ok(()));
        let one = Err("tidy has 1 finding".to_owned().into());
        assert_eq!(super::report([finding(1)]), one);
        let two = Err("tidy has 2 findings".to_owned().into());
        assert_eq!(super::report([finding(1), finding(2)]), two);
    }
}
