//! The gates of a release: each proves one promise to those who depend on the crates.
//!
//! A gate that needs a tool which is not installed cannot tell: asked for by its name it fails and says how to install
//! the tool, as a part of something broader it is skipped and says why.

mod crates;
mod deny;
mod external_types;
mod features;
mod msrv;
mod package;
mod pages;
mod release;
mod semver;
mod toolchain;

pub(crate) use release::run as release_check;

use crate::{Failure, TaskResult, workspace::Workspace};

/// What a gate has to say when it found nothing wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// What was looked at, in a few words.
    Passed(String),
    /// Why it could not tell, and what to do about it.
    Skipped(String),
}

pub(crate) type GateResult = Result<Outcome, Failure>;

/// How much of a gate's work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// What takes seconds and needs no further tool.
    Quick,
    Full,
}

impl Extent {
    fn from_options(options: &[String]) -> Self {
        if options.iter().any(|option| option == "--quick") { Self::Quick } else { Self::Full }
    }
}

/// `cargo xtask msrv`.
pub(crate) fn msrv(workspace: &Workspace, options: &[String]) -> TaskResult {
    asked_for(msrv::run(workspace, Extent::from_options(options)))
}

/// `cargo xtask features`.
pub(crate) fn features(workspace: &Workspace, options: &[String]) -> TaskResult {
    asked_for(features::run(workspace, Extent::from_options(options)))
}

/// `cargo xtask package`.
pub(crate) fn package(workspace: &Workspace, options: &[String]) -> TaskResult {
    asked_for(package::run(workspace, Extent::from_options(options)))
}

/// `cargo xtask pages`.
pub(crate) fn pages(workspace: &Workspace, options: &[String]) -> TaskResult {
    asked_for(pages::run(workspace, Extent::from_options(options)))
}

/// `cargo xtask external-types`.
pub(crate) fn external_types(workspace: &Workspace) -> TaskResult {
    asked_for(external_types::run(workspace))
}

/// `cargo xtask deny`.
pub(crate) fn deny(workspace: &Workspace) -> TaskResult {
    asked_for(deny::run(workspace))
}

/// `cargo xtask semver`.
pub(crate) fn semver(workspace: &Workspace) -> TaskResult {
    asked_for(semver::run(workspace))
}

/// `cargo xtask msrv --quick`, a step of `cargo xtask test`.
pub(crate) fn quick_msrv(workspace: &Workspace) -> TaskResult {
    asked_for(msrv::run(workspace, Extent::Quick))
}

/// `cargo xtask package --quick`, a step of `cargo xtask test`.
pub(crate) fn quick_package(workspace: &Workspace) -> TaskResult {
    asked_for(package::run(workspace, Extent::Quick))
}

/// `cargo xtask pages --quick`, a step of `cargo xtask test`.
pub(crate) fn quick_pages(workspace: &Workspace) -> TaskResult {
    asked_for(pages::run(workspace, Extent::Quick))
}

/// Somebody wanted this very gate: an answer that it cannot give is a failure.
fn asked_for(result: GateResult) -> TaskResult {
    match result? {
        Outcome::Passed(what) => {
            println!("passed: {what}");
            Ok(())
        }
        Outcome::Skipped(reason) => Err(reason.into()),
    }
}

/// Fails with all `problems`, one a line.
fn no_problems(title: &str, problems: &[String]) -> TaskResult {
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!("{title}:\n  {}", problems.join("\n  ")).into())
}

#[cfg(test)]
mod tests {
    use super::{Outcome, asked_for, no_problems};

    #[test]
    fn a_gate_that_cannot_tell_fails_when_asked_for() {
        assert_eq!(asked_for(Ok(Outcome::Passed("all".to_owned()))), Ok(()));
        let no_tool = || "no tool".to_owned();
        assert_eq!(asked_for(Ok(Outcome::Skipped(no_tool()))), Err(no_tool().into()));
        assert_eq!(asked_for(Err(no_tool().into())), Err(no_tool().into()));
    }

    #[test]
    fn problems_stand_below_their_title() {
        assert_eq!(no_problems("too new", &[]), Ok(()));
        let two = ["a".to_owned(), "b".to_owned()];
        assert_eq!(no_problems("too new", &two), Err("too new:\n  a\n  b".to_owned().into()));
    }
}
