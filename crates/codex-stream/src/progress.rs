//! One line on the terminal that says what is waited for and for how long, and goes away.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use response_events::TurnEvent;

/// How often the line moves.
const TICK: Duration = Duration::from_millis(100);

/// The line, on standard error. It is there only while something is waited for, and only on a terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    target: fn() -> ProgressDrawTarget,
    line: Option<ProgressBar>,
}

impl Progress {
    /// Shows something only if standard error is a terminal.
    pub(crate) fn on_stderr() -> Self {
        Self { target: ProgressDrawTarget::stderr, line: None }
    }

    /// Says what is waited for after this event, which was shown already: the head of an answer, or the next attempt.
    pub(crate) fn show(&mut self, event: &TurnEvent) {
        if let Some(message) = waiting_for(event) {
            self.clear();
            let line = ProgressBar::with_draw_target(None, (self.target)()).with_message(message);
            line.set_style(style());
            line.enable_steady_tick(TICK);
            self.line = Some(line);
        }
    }

    /// Erases the line. Anything else that is written to the terminal comes after this.
    pub(crate) fn clear(&mut self) {
        if let Some(line) = self.line.take() {
            line.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn style() -> ProgressStyle {
    // The message is cut where the terminal ends: a line that wraps cannot be erased.
    ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// What is waited for after an event, if anything. Nothing in it steers the terminal.
fn waiting_for(event: &TurnEvent) -> Option<String> {
    let line = match event {
        TurnEvent::Request(request) if request.attempt > 1 => {
            format!("waiting for {} (attempt {})", request.url, request.attempt)
        }
        TurnEvent::Request(request) => format!("waiting for {}", request.url),
        TurnEvent::Opened(opened) if opened.status < 300 => "waiting for the model".to_owned(),
        TurnEvent::Created(_) => "waiting for the model".to_owned(),
        TurnEvent::Retry(retry) => {
            let (n, of, delay) = (retry.attempt, retry.max_attempts, retry.delay.as_secs_f64());
            format!("trying again ({n} of {of}) in {delay:.1} s: {}", retry.message)
        }
        _ => return None,
    };
    Some(line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;
    use response_events::{FailureKind, Opened, RequestStarted, Retry, TransportKind};

    use super::*;

    fn request(attempt: u32) -> TurnEvent {
        TurnEvent::Request(RequestStarted::new(attempt, TransportKind::Sse, "http://host"))
    }

    fn retry(message: &str) -> TurnEvent {
        let mut retry = Retry::new(2, 9, FailureKind::Truncated, message);
        retry.delay = Duration::from_millis(1_437);
        TurnEvent::Retry(retry)
    }

    #[test]
    fn the_line_follows_the_attempts() {
        for (event, expected) in [
            (request(1), Some("waiting for http://host")),
            (request(2), Some("waiting for http://host (attempt 2)")),
            (TurnEvent::Opened(Opened::new(200)), Some("waiting for the model")),
            (TurnEvent::Opened(Opened::new(500)), None),
            (retry("reset"), Some("trying again (2 of 9) in 1.4 s: reset")),
            (retry("\u{1b}[2J\n"), Some("trying again (2 of 9) in 1.4 s:  [2J ")),
        ] {
            assert_eq!(waiting_for(&event).as_deref(), expected);
        }
    }

    #[test]
    fn a_line_is_cut_where_the_terminal_ends_and_is_gone_in_the_end() {
        let terminal = InMemoryTerm::new(5, 40);
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        let line = ProgressBar::with_draw_target(None, target).with_message("é".repeat(90));
        line.set_style(style());
        line.tick();
        assert_eq!(terminal.contents().lines().count(), 1, "{:?}", terminal.contents());
        assert!(terminal.contents().contains("é"), "{:?}", terminal.contents());
        Progress { target: ProgressDrawTarget::hidden, line: Some(line) }.clear();
        assert_eq!(terminal.contents(), "");
    }

    #[test]
    fn a_new_wait_takes_the_place_of_the_old_one() {
        let mut progress = Progress { target: ProgressDrawTarget::hidden, line: None };
        for (event, is_waiting) in [(request(1), true), (retry("reset"), true), (request(2), true)] {
            progress.show(&event);
            assert_eq!(progress.line.is_some(), is_waiting);
        }
        progress.clear();
        assert!(progress.line.is_none());
    }
}
