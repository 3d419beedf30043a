//! What is said of arguments that could not be parsed.

use std::{
    env,
    ffi::OsStr,
    io::{self, IsTerminal, Write},
};

use clap::{Arg, Command, CommandFactory, error::ErrorKind};
use codex_stream::ExitStatus;

use super::Cli;
use crate::diagnostics;

/// Answers what could not be parsed: help in full, everything else in one line.
pub(crate) fn report(error: &clap::Error) -> ExitStatus {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Nobody is left to be told when standard output is gone. It is coloured on a terminal only.
            let _ = if io::stdout().is_terminal() { error.print() } else { write!(io::stdout(), "{}", error.render()) };
            ExitStatus::Success
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = if io::stderr().is_terminal() { error.print() } else { write!(io::stderr(), "{}", error.render()) };
            ExitStatus::Usage
        }
        ErrorKind::InvalidUtf8 => {
            diagnostics::error(&not_utf8());
            ExitStatus::Usage
        }
        kind => {
            let mut line = one_line(&error.render().to_string());
            if matches!(
                kind,
                ErrorKind::MissingRequiredArgument | ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand
            ) {
                line.push_str(" (`--help` lists what there is)");
            }
            diagnostics::error(&line);
            ExitStatus::Usage
        }
    }
}

/// The first paragraph, joined, and behind it the hints; the usage is what `--help` tells.
fn one_line(message: &str) -> String {
    let mut line = String::new();
    for paragraph in message.split("\n\n") {
        let paragraph = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some(said) = paragraph.strip_prefix("error: ") {
            line.push_str(said);
        }
        for hint in paragraph.split("tip: ").skip(1) {
            line.push_str("; ");
            line.push_str(hint.trim_end());
        }
    }
    line
}

/// Names what has to be text and is not; clap does not tell, and the value may be a secret.
fn not_utf8() -> String {
    if let Some(place) = env::args_os().position(|argument| argument.to_str().is_none()) {
        return format!("argument {place} is not UTF-8");
    }
    let command = Cli::command();
    let variables = command.get_subcommands().flat_map(Command::get_arguments).filter_map(Arg::get_env);
    let wrong = variables.filter(|name| env::var_os(name).is_some_and(|value| value.to_str().is_none()));
    let names: Vec<_> = wrong.map(OsStr::to_string_lossy).collect();
    format!("the value of {} is not UTF-8", names.join(" and of "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_become_one_line() {
        let message = "error: the following arguments were not provided:\n  --wire <WIRE>\n\nUsage: x\n\nFor more";
        assert_eq!(one_line(message), "the following arguments were not provided: --wire <WIRE>");
        let message = "error: unexpected argument '--a' found\n\n  tip: use b\n  tip: or c\n\nUsage: x\n\nFor more";
        assert_eq!(one_line(message), "unexpected argument '--a' found; use b; or c");
    }
}
