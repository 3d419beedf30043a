//! The weight budget: how many crates a user gets by taking one of ours.

mod size;

pub(crate) use size::size;

use std::collections::BTreeSet;

use crate::{TaskResult, cargo, workspace::Workspace};

/// What one published crate may bring along with its default features, itself included.
struct Budget {
    package: &'static str,
    max_crates: usize,
    proc_macros: ProcMacros,
}

/// Whether a crate may make its users compile procedural macros.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ProcMacros {
    Allowed,
    Forbidden,
}

const BUDGETS: &[Budget] = &[
    budget("sse-codec", 3, ProcMacros::Forbidden),
    budget("retry-policy", 5, ProcMacros::Allowed),
    budget("response-events", 15, ProcMacros::Allowed),
    budget("codex-api", 95, ProcMacros::Allowed),
];

const fn budget(package: &'static str, max_crates: usize, proc_macros: ProcMacros) -> Budget {
    Budget { package, max_crates, proc_macros }
}

/// Prints a table of measured weight against its limit; fails when a crate is too heavy.
pub(crate) fn run(workspace: &Workspace) -> TaskResult {
    let packages = workspace.packages()?;
    let mut over = Vec::new();
    println!("{:<17}{:>8}{:>7}", "crate", "crates", "limit");
    for budget in BUDGETS {
        if !packages.iter().any(|package| package.name == budget.package) {
            println!("{:<17}{:>8}{:>7}", budget.package, "absent", budget.max_crates);
            continue;
        }
        let weight = Weight::from_tree(&cargo::output(&workspace.root, &tree(budget.package))?);
        println!("{:<17}{:>8}{:>7}", budget.package, weight.crates, budget.max_crates);
        over.extend(weight.excess(budget));
    }
    if over.is_empty() { Ok(()) } else { Err(format!("over the weight budget: {}", over.join("; ")).into()) }
}

/// One target for all machines, so that the answer is the same everywhere.
fn tree(package: &str) -> [&str; 9] {
    ["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--target", "x86_64-unknown-linux-gnu"]
}

#[derive(Debug, PartialEq, Eq)]
struct Weight {
    /// Distinct pairs of name and version.
    crates: usize,
    proc_macros: Vec<String>,
}

impl Weight {
    /// Reads lines such as `serde_derive v1.0.0 (proc-macro) (*)`.
    fn from_tree(tree: &str) -> Self {
        let mut crates = BTreeSet::new();
        let mut proc_macros = BTreeSet::new();
        for line in tree.lines() {
            let mut words = line.split_whitespace();
            if let (Some(name), Some(version)) = (words.next(), words.next()) {
                crates.insert((name, version));
                if words.any(|word| word == "(proc-macro)") {
                    proc_macros.insert(name.to_owned());
                }
            }
        }
        Self { crates: crates.len(), proc_macros: proc_macros.into_iter().collect() }
    }

    fn excess(&self, budget: &Budget) -> Vec<String> {
        let package = budget.package;
        let mut excess = Vec::new();
        if self.crates > budget.max_crates {
            let (measured, limit) = (self.crates, budget.max_crates);
            excess.push(format!("{package} has {measured} crates, limit {limit}"));
        }
        if budget.proc_macros == ProcMacros::Forbidden && !self.proc_macros.is_empty() {
            let names = self.proc_macros.join(", ");
            excess.push(format!("{package} must not use procedural macros: {names}"));
        }
        excess
    }
}

#[cfg(test)]
mod tests {
    use super::{ProcMacros, Weight, budget};

    const TREE: &str = "top v0.1.0 (/checkout/crates/top)\n\
        bytes v1.12.2\n\
        serde v1.0.1\n\
        serde_derive v1.0.1 (proc-macro)\n\
        syn v2.0.1\n\
        \n\
        bytes v1.12.2 (*)\n\
        serde_derive v1.0.1 (proc-macro) (*)\n\
        syn v1.9.0\n";

    fn check(max_crates: usize, proc_macros: ProcMacros, expected: &[&str]) {
        let budget = budget("top", max_crates, proc_macros);
        assert_eq!(Weight::from_tree(TREE).excess(&budget), expected);
    }

    #[test]
    fn repeated_lines_count_once_and_versions_count_apart() {
        let expected = Weight { crates: 6, proc_macros: vec!["serde_derive".to_owned()] };
        assert_eq!(Weight::from_tree(TREE), expected);
    }

    #[test]
    fn only_more_than_the_limit_is_over_it() {
        check(6, ProcMacros::Allowed, &[]);
        check(5, ProcMacros::Allowed, &["top has 6 crates, limit 5"]);
        check(
            5,
            ProcMacros::Forbidden,
            &["top has 6 crates, limit 5", "top must not use procedural macros: serde_derive"],
        );
    }
}
