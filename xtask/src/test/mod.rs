//! `cargo xtask test`: everything that a change must pass, step by step.

mod corpus;
mod run;
mod steps;
mod tally;

use corpus::Corpus;
use run::Run;
use steps::STEPS;

use crate::{Failure, TaskResult, workspace::Workspace};

/// How much of the list runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    Full,
    /// Without the steps that rarely tell more than the others.
    Quick,
}

impl Extent {
    pub(crate) fn from_options(options: &[String]) -> Self {
        if options.iter().any(|option| option == "--quick") { Self::Quick } else { Self::Full }
    }
}

/// Runs the steps until one fails. Once tests have run, the last line says `N passed, N failed`.
pub(crate) fn run(workspace: &Workspace, extent: Extent) -> TaskResult {
    let corpus = Corpus::from_value(std::env::var_os(corpus::VARIABLE), &workspace.root)?;
    println!("{corpus}");
    let steps: Vec<_> = STEPS.iter().filter(|step| step.belongs_to(extent)).collect();
    let mut run = Run::new(workspace, &corpus);
    let outcome = run.all(&steps);
    // The message goes first, so that the summary is the last line in both cases.
    if let Err(message) = &outcome {
        eprintln!("error: {message}");
    }
    if let Some(tally) = run.tally() {
        println!("{tally}");
    }
    outcome.map_err(|_| Failure::Shown)
}
