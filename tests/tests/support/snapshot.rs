//! Transcripts as snapshots that explain themselves.

use insta::{Settings, internals::Content};

/// Longer ones are not read: split the case.
const MAX_LINES: usize = 60;

/// How to compare a transcript with its snapshot: `description` says what is special, in a sentence or two, `info`
/// where the bytes come from and how they arrived. No transcript may have lost an event.
#[track_caller]
pub(crate) fn settings(description: &str, info: &[(&str, &str)], text: &str) -> Settings {
    assert!(text.lines().count() <= MAX_LINES, "too long to be read:\n{text}");
    let mut ledgers = text.lines().filter(|line| line.starts_with("== connection=")).peekable();
    assert!(ledgers.peek().is_some() && ledgers.all(|line| line.ends_with(" dropped=0")), "{text}");
    let info = info.iter().map(|(key, value)| (Content::from(*key), Content::from(*value))).collect();
    let mut settings = Settings::clone_current();
    settings.set_description(description);
    settings.set_raw_info(&Content::Map(info));
    settings.set_omit_expression(true);
    settings
}
