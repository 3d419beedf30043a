//! `turn`: turns of one session against a service, or against the bundled recording.

mod conversation;
mod prompts;
mod run;
mod service;
mod settings;
mod standing;
mod tally;

use codex_stream::ExitStatus;

use crate::{
    cli::TurnArgs,
    problem::{Problem, usage},
};

pub(crate) fn run(args: &TurnArgs) -> Result<ExitStatus, Problem> {
    let settings = settings::Settings::new(args)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| usage(format_args!("cannot start: {error}")))?;
    let result = runtime.block_on(run::run(args, settings));
    // A thread that waits for standard input must not hold the process.
    runtime.shutdown_background();
    result
}
