//! The list of steps, cheap and telling ones first.

use super::Extent;
use crate::workspace::Workspace;
use crate::{TaskResult, deps, gates, no_std, tidy};

pub(super) struct Step {
    pub(super) name: &'static str,
    /// The smallest extent that includes the step.
    extent: Extent,
    pub(super) work: Work,
}

pub(super) enum Work {
    /// A cargo call.
    Cargo(&'static [&'static str]),
    /// A cargo call that prints test results.
    Tests(&'static [&'static str]),
    /// A task of this program.
    Task { name: &'static str, run: fn(&Workspace) -> TaskResult },
    /// Compares the snapshots with those that the tests asked for.
    SnapshotReferences,
}

pub(super) const STEPS: &[Step] = &[
    Step { name: "format", extent: Extent::Quick, work: Work::Cargo(&["fmt", "--all", "--check"]) },
    Step { name: "tidy", extent: Extent::Quick, work: Work::Task { name: "tidy", run: tidy::run } },
    Step {
        name: "lints",
        extent: Extent::Quick,
        work: Work::Cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]),
    },
    Step {
        name: "build",
        extent: Extent::Full,
        // Without this program: a running one cannot be replaced on Windows.
        work: Work::Cargo(&["build", "--workspace", "--exclude", "xtask", "--all-features"]),
    },
    Step {
        name: "tests",
        extent: Extent::Quick,
        work: Work::Tests(&["test", "--workspace", "--all-features", "--tests", "--no-fail-fast"]),
    },
    Step { name: "snapshots", extent: Extent::Quick, work: Work::SnapshotReferences },
    Step {
        name: "doctests",
        extent: Extent::Full,
        work: Work::Tests(&["test", "--workspace", "--all-features", "--doc", "--no-fail-fast"]),
    },
    Step { name: "pages", extent: Extent::Full, work: Work::Task { name: "pages --quick", run: gates::quick_pages } },
    Step { name: "no-std", extent: Extent::Full, work: Work::Task { name: "no-std", run: no_std::run } },
    Step { name: "deps", extent: Extent::Full, work: Work::Task { name: "deps", run: deps::run } },
    Step { name: "msrv", extent: Extent::Full, work: Work::Task { name: "msrv --quick", run: gates::quick_msrv } },
    Step {
        name: "package",
        extent: Extent::Full,
        work: Work::Task { name: "package --quick", run: gates::quick_package },
    },
];

impl Step {
    pub(super) fn belongs_to(&self, extent: Extent) -> bool {
        extent == Extent::Full || self.extent == Extent::Quick
    }
}

impl Work {
    /// What is done, in the words of the command line where there are such.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Cargo(args) => format!("cargo {}", args.join(" ")),
            Self::Tests(args) => format!("INSTA_UPDATE=no cargo {}", args.join(" ")),
            Self::Task { name, .. } => format!("cargo xtask {name}"),
            Self::SnapshotReferences => "every snapshot was asked for by a test".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Extent, STEPS};

    fn check(extent: Extent, expected: &[&str]) {
        let steps = STEPS.iter().filter(|step| step.belongs_to(extent));
        assert_eq!(steps.map(|step| step.name).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn quick_leaves_out_build_doctests_and_the_gates() {
        let quick = ["format", "tidy", "lints", "tests", "snapshots"];
        check(Extent::Quick, &quick);
        let full = ["format", "tidy", "lints", "build", "tests", "snapshots", "doctests"];
        let gates = ["pages", "no-std", "deps", "msrv", "package"];
        check(Extent::Full, &[full.as_slice(), &gates].concat());
    }
}
