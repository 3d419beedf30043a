//! What a client showed to its caller, and how that reads in a cell.

use std::time::Duration;

/// What the caller of a client saw of one request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// The text that arrived.
    pub(crate) text: String,
    /// A terminal event that came as an event like any other.
    pub(crate) terminal: Option<String>,
    /// Events of a type that the client does not know and handed on.
    pub(crate) unknown: usize,
    /// Errors, with the code in front where the client has one as a value of its own.
    pub(crate) errors: Vec<String>,
    /// Whether the stream came to its end.
    pub(crate) ended: bool,
}

/// One cell of the table.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) seen: Seen,
    /// The time until the end, or until nobody waited any more.
    pub(crate) elapsed: Duration,
    /// Requests that the server has read.
    pub(crate) requests: usize,
    /// Whether the server saw the connection close after a drop; `None` when nothing was dropped.
    pub(crate) hung_up: Option<bool>,
}

impl Cell {
    /// The cell in words.
    pub(crate) fn words(&self) -> String {
        if let Some(hung_up) = self.hung_up {
            return if hung_up { "connection closed" } else { "connection still open" }.to_owned();
        }
        let mut words = Vec::new();
        if let Some(error) = self.seen.errors.first() {
            words.push(format!("error `{}`", shorten(error)));
        }
        if let Some(terminal) = &self.seen.terminal {
            words.push(format!("event `{terminal}`"));
        }
        if self.seen.unknown > 0 {
            words.push("unknown event handed on".to_owned());
        }
        words.push(match (self.seen.ended, self.seen.errors.is_empty()) {
            (true, true) => "ends without an error".to_owned(),
            (true, false) => "ends".to_owned(),
            (false, _) => "**does not end**".to_owned(),
        });
        if !self.seen.text.is_empty() {
            words.push(format!("text `{}`", self.seen.text));
        }
        let time = if self.seen.ended { format!("{:.1} s", self.elapsed.as_secs_f64()) } else { "—".to_owned() };
        words.push(format!("{} request{}, {time}", self.requests, if self.requests == 1 { "" } else { "s" }));
        words.join("; ")
    }
}

/// One line, and short enough for a table.
fn shorten(error: &str) -> String {
    const LONGEST: usize = 90;
    let line: String = error.replace(['`', '|'], "'").split_whitespace().collect::<Vec<_>>().join(" ");
    // Ports differ from run to run.
    let line = line.split("http://127.0.0.1:").next().unwrap_or_default().trim_end().to_owned();
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
