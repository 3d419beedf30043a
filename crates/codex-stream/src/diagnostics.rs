//! Everything that goes to standard error.

use std::{
    borrow::Cow,
    io::{self, IsTerminal, Write},
    time::Duration,
};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use codex_stream::{OutputFormat, TextStyle};
use response_events::{Failure, FailureKind, Ledger, Wire};

/// For whom text on standard output is.
pub(crate) fn stdout_style() -> TextStyle {
    let stdout = io::stdout();
    match (stdout.is_terminal(), AutoStream::choice(&stdout)) {
        (false, _) => TextStyle::Pipe,
        (true, ColorChoice::Never) => TextStyle::Plain,
        (true, _) => TextStyle::Colour,
    }
}

/// Something the user should know.
pub(crate) fn note(message: &str) {
    print("note", AnsiColor::Cyan.on_default(), message);
}

/// What went wrong.
pub(crate) fn error(message: &str) {
    print("error", AnsiColor::Red.on_default().bold(), message);
}

/// What a failure is a failure of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A request, which can be tried again.
    Request,
    /// A recording.
    Recording,
}

/// A failure: the message verbatim, and one line with the rest.
pub(crate) fn failure(subject: Subject, failure: &Failure) {
    error(&failure.message);
    if matches!(failure.kind, FailureKind::Config | FailureKind::Cancelled) {
        return;
    }
    let mut facts = vec![failure.kind.to_string()];
    facts.extend(failure.code.as_ref().map(|code| format!("code {code}")));
    facts.extend(failure.status.map(|status| format!("status {status}")));
    facts.extend(failure.close_code.map(|code| format!("close code {code}")));
    facts.extend(failure.request_id.as_ref().map(|id| format!("request id {id}")));
    facts.extend(failure.retry_after.map(|wait| format!("the service asks to come back in {}", span(wait))));
    if subject == Subject::Request {
        facts.extend((failure.attempts > 1).then(|| format!("{} attempts", failure.attempts)));
        facts.push(if failure.retryable { "another try may succeed" } else { "not worth another try" }.to_owned());
        facts.extend(failure.gave_up.clone());
    }
    if failure.output_delivered {
        facts.push("the answer is not complete".to_owned());
    }
    line(&printable(&format!("  ({})", facts.join(", "))));
}

/// What the text of an answer does not show by itself.
pub(crate) fn after_answer(format: OutputFormat, failure: Option<&Failure>, ledger: &Ledger) {
    if format != OutputFormat::Text {
        return;
    }
    if let (None, Some(reason)) = (failure, &ledger.incomplete_reason) {
        note(&format!("the answer is incomplete: {reason}"));
    }
    if ledger.malformed > 0 {
        let (events, them) = if ledger.malformed == 1 { ("event", "it") } else { ("events", "them") };
        let count = ledger.malformed;
        note(&format!("{count} {events} could not be decoded; `--output transcript` shows {them}"));
    }
}

/// A refusal that names the endpoint may come from a service that has only that of the other wire.
pub(crate) fn other_endpoint(wire: Wire, failure: Option<&Failure>) {
    let names_it = |failure: &Failure| {
        matches!(failure.kind, FailureKind::Status | FailureKind::Api) && failure.message.contains(wire.path())
    };
    if failure.is_some_and(names_it) {
        let path = wire.path();
        let other = if wire == Wire::Chat { Wire::Responses } else { Wire::Chat };
        note(&format!("if the base URL is right, the service may have no `{path}`: try `--wire {other}`"));
    }
}

/// What a request has cost, for people who watch it.
pub(crate) fn cost(format: OutputFormat, text: &str) {
    if format == OutputFormat::Text && io::stderr().is_terminal() {
        let style = on_terminal(Style::new().dimmed());
        line(&format!("{style}({text}){style:#}"));
    }
}

/// A wait for people: to the second where that matters, else to the minute, rounded up.
fn span(wait: Duration) -> String {
    if wait < Duration::from_secs(600) {
        return format!("{:.1} s", wait.as_secs_f64());
    }
    let minutes = wait.as_millis().div_ceil(60_000);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// The style for standard error: none unless that is a terminal, whatever the environment wants to force.
fn on_terminal(style: Style) -> Style {
    let stderr = io::stderr();
    let is_plain = !stderr.is_terminal() || AutoStream::choice(&stderr) == ColorChoice::Never;
    if is_plain { Style::new() } else { style }
}

fn print(label: &str, style: Style, message: &str) {
    let style = on_terminal(style);
    line(&format!("{style}{label}{style:#}: {}", printable(message)));
}

/// On a terminal a service's message must not steer it; elsewhere it is passed on byte for byte.
fn printable(message: &str) -> Cow<'_, str> {
    let steers = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !io::stderr().is_terminal() || !message.contains(steers) {
        return Cow::Borrowed(message);
    }
    Cow::Owned(message.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect())
}

fn line(text: &str) {
    // Nobody is left to be told when standard error is gone.
    let _ = writeln!(io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_told_as_people_tell_them() {
        for (millis, expected) in [
            (1_400, "1.4 s"),
            (599_000, "599.0 s"),
            (600_000, "10 min"),
            (3_599_000, "1 h"),
            (10_800_000, "3 h"),
            (10_800_001, "3 h 1 min"),
        ] {
            assert_eq!(span(Duration::from_millis(millis)), expected);
        }
    }
}
