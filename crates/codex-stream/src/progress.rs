//! One line on the terminal that says what is waited for, and goes away.

use std::io::{self, IsTerminal, Stderr, Write};

use response_events::TurnEvent;

/// Columns that the line may take: no terminal in use is narrower, and what wraps cannot be erased.
const COLUMNS: usize = 79;

/// The line, on standard error. It is plain text and erased with spaces, so that no terminal needs to know more than a
/// carriage return.
#[derive(Debug)]
pub(crate) struct Progress<W: Write = Stderr> {
    /// Nothing where nobody looks.
    out: Option<W>,
    /// Columns that are taken.
    shown: usize,
}

impl Progress {
    /// Shows something only if standard error is a terminal.
    pub(crate) fn on_stderr() -> Self {
        let stderr = io::stderr();
        Self { out: stderr.is_terminal().then_some(stderr), shown: 0 }
    }
}

impl<W: Write> Progress<W> {
    /// Says what is waited for after this event, which was shown already: the head of an answer, or the next attempt.
    pub(crate) fn show(&mut self, event: &TurnEvent) {
        let line = match event {
            TurnEvent::Request(request) if request.attempt > 1 => {
                format!("waiting for {} (attempt {})", request.url, request.attempt)
            }
            TurnEvent::Request(request) => format!("waiting for {}", request.url),
            TurnEvent::Retry(retry) => {
                let (n, of, delay) = (retry.attempt, retry.max_attempts, retry.delay.as_secs_f64());
                format!("reconnecting {n}/{of} in {delay:.1} s: {}", retry.message)
            }
            _ => return,
        };
        self.clear();
        let Some(out) = &mut self.out else { return };
        let (line, columns) = fitting(&line);
        self.shown = columns;
        // Nobody is left to be told when standard error is gone.
        let _ = write!(out, "{line}").and_then(|()| out.flush());
    }

    /// Erases the line. Anything else that is written to the terminal comes after this.
    pub(crate) fn clear(&mut self) {
        let columns = std::mem::take(&mut self.shown);
        if let (1.., Some(out)) = (columns, &mut self.out) {
            let _ = write!(out, "\r{:columns$}\r", "").and_then(|()| out.flush());
        }
    }
}

impl<W: Write> Drop for Progress<W> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// As much as fits on one line, and the columns that it takes at most. Nothing in it steers the terminal.
fn fitting(text: &str) -> (String, usize) {
    let mut columns = 0;
    let mut line = String::new();
    for c in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        // Letters outside ASCII can be two columns wide.
        let width = if c.is_ascii() { 1 } else { 2 };
        if columns + width > COLUMNS {
            break;
        }
        columns += width;
        line.push(c);
    }
    (line, columns)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use response_events::{FailureKind, RequestStarted, Retry, TransportKind};

    use super::*;

    /// What is on the terminal after these events, with everything that was written to it.
    #[track_caller]
    fn check(events: &[TurnEvent], expected: &str) {
        let mut written = Vec::new();
        let mut progress = Progress { out: Some(&mut written), shown: 0 };
        for event in events {
            progress.show(event);
        }
        drop(progress);
        assert_eq!(String::from_utf8_lossy(&written), expected);
        let mut nowhere: Progress<Vec<u8>> = Progress { out: None, shown: 0 };
        for event in events {
            nowhere.show(event);
        }
        assert_eq!(nowhere.shown, 0);
    }

    fn request(attempt: u32, url: &str) -> TurnEvent {
        TurnEvent::Request(RequestStarted::new(attempt, TransportKind::Sse, url))
    }

    fn retry(message: &str) -> TurnEvent {
        let mut retry = Retry::new(2, 9, FailureKind::Truncated, message);
        retry.delay = Duration::from_millis(1_437);
        retry.discarded = true;
        TurnEvent::Retry(retry)
    }

    #[test]
    fn the_line_follows_the_attempts_and_is_erased() {
        let erased = |line: &str| format!("{line}\r{}\r", " ".repeat(line.len()));
        let seen = [
            erased("waiting for http://host"),
            erased("reconnecting 2/9 in 1.4 s: reset"),
            erased("waiting for http://host (attempt 2)"),
        ];
        check(&[request(1, "http://host"), retry("reset"), request(2, "http://host")], &seen.concat());
    }

    #[test]
    fn a_message_neither_wraps_nor_steers() {
        let prefix = "reconnecting 2/9 in 1.4 s: ";
        let (line, columns) = fitting(&format!("{prefix}\u{1b}[2J\n{}", "é".repeat(90)));
        assert!(line.starts_with("reconnecting 2/9 in 1.4 s:  [2J é"), "{line:?}");
        assert!((COLUMNS - 1..=COLUMNS).contains(&columns), "{columns}");
        check(&[], "");
    }
}
