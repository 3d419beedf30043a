//! The last two lines of a transcript.

use std::fmt::Write;

use super::tokens;
use crate::{Failure, Ledger, Phase};

/// Why the stream ended, and whether the same request could succeed later.
/// `message` is the failure's, as it may be shown.
pub(super) fn cause(failure: Option<&Failure>, message: &str, ledger: &Ledger) -> String {
    let usage = ledger.usage.as_ref().map_or_else(|| "-".to_owned(), tokens);
    let Some(failure) = failure else {
        return match &ledger.incomplete_reason {
            None => format!("== end completed  usage={usage}"),
            Some(reason) => format!("== end incomplete {reason}  usage={usage}"),
        };
    };
    let code = failure.code.as_deref().unwrap_or("-");
    let retry = match (failure.retryable, &failure.gave_up) {
        (false, _) => "never".to_owned(),
        (true, None) => "possible".to_owned(),
        (true, Some(reason)) => format!("no more ({reason})"),
    };
    let seen = if failure.output_delivered { "yes" } else { "no" };
    let kind = failure.kind;
    format!("== error {kind} {code} {message:?}  retry={retry}  output-seen={seen}  usage={usage}")
}

/// What passed.
pub(super) fn account(failure: Option<&Failure>, ledger: &Ledger) -> String {
    let never_opened = failure.is_some_and(|failure| failure.phase < Phase::FirstEvent);
    let connection = match (never_opened && ledger.events == 0, ledger.input_ended) {
        (true, _) => "-",
        (false, true) => "closed",
        (false, false) => "open",
    };
    let Ledger { events, payload_bytes, unknown, malformed, .. } = ledger;
    let mut line = format!("== connection={connection} bytes={payload_bytes} events={events}");
    let rare = [
        ("sentinels", ledger.done_sentinels),
        ("keep-alives", ledger.keep_alives),
        ("silent", ledger.silent),
        ("late", ledger.late),
        ("after-end", ledger.after_terminal),
    ];
    for (name, count) in rare.into_iter().filter(|(_, count)| *count > 0) {
        let _ = write!(line, " {name}={count}");
    }
    let _ = write!(line, " unknown={unknown} malformed={malformed} dropped={}", ledger.dropped());
    line
}
