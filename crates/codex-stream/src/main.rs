//! The binary: arguments, files, sockets and the terminal around the library of the same name.

mod cli;
mod decode_command;
mod demo;
mod diagnostics;
mod interrupt;
mod problem;
mod progress;
mod record;
mod replay;
mod serving;
mod turn;

use std::process::exit;

use clap::Parser;
use codex_stream::ExitStatus;

use cli::{Cli, Command};

fn main() -> ! {
    let status = match Cli::try_parse() {
        Ok(cli) => run(cli.command),
        Err(error) => cli::report(&error),
    };
    // Not by returning: a thread that waits for standard input would hold the process.
    exit(status.code().into())
}

fn run(command: Command) -> ExitStatus {
    let result = match command {
        Command::Turn(args) => turn::run(&args),
        Command::Decode(args) => decode_command::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Record(args) => record::run(args),
    };
    result.unwrap_or_else(problem::Problem::report)
}
