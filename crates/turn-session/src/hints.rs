//! What the service says about trying again, from its head and its error.

use std::time::{Duration, Instant};

use response_events::{ApiError, Failure, FailureKind};
use retry_policy::{Hint, HintReader};
use serde_json::Value;

use crate::ResponseHead;

/// The hints of a response head, kept for the time when its body has failed.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeadHints {
    headers: Vec<(&'static str, String)>,
    /// When the head came: its `date` is of then.
    came: Option<Instant>,
}

impl HeadHints {
    /// The head of an answer that goes on says nothing about trying again, but what time it is.
    pub(crate) fn new(head: &ResponseHead, now: Instant) -> Self {
        let names = if head.goes_on() { &["date"][..] } else { HintReader::HEADERS };
        let headers = names.iter().filter_map(|name| Some((*name, head.header(name)?.to_owned()))).collect();
        Self { headers, came: Some(now) }
    }

    /// The hint of a failure at `now`. `unix_time` is the local clock, for answers without a date.
    pub(crate) fn read(&self, failure: &Failure, unix_time: Option<Duration>, now: Instant) -> Hint {
        // Dates are whole seconds, too.
        let since = self.came.map_or(0, |came| now.saturating_duration_since(came).as_secs());
        let since = Duration::from_secs(since);
        let reader = unix_time.map_or_else(HintReader::new, |time| HintReader::at(time.saturating_sub(since)));
        let mut reader = reader.headers(|name| self.get(name)).later(since);
        reader = match (&failure.api, failure.kind) {
            (Some(error), _) => read_error(reader, error),
            // It quotes the text of the answer.
            (None, FailureKind::Status) => reader.message(&failure.message),
            (None, _) => reader,
        };
        reader.finish()
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

fn read_error(mut reader: HintReader, error: &ApiError) -> HintReader {
    // Errors over a WebSocket carry the headers that an HTTP answer would have had.
    if let Some(Value::Object(headers)) = error.details.get("headers") {
        let headers: Vec<(String, String)> =
            headers.iter().filter_map(|(name, value)| Some((name.to_ascii_lowercase(), text(value)?))).collect();
        reader =
            reader.headers(|wanted| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str()));
    }
    let member = |name: &str| error.details.get(name).and_then(text);
    if let Some(value) = member("retry_after") {
        reader = reader.retry_after(&value);
    }
    if let Some(value) = member("retry_after_ms") {
        reader = reader.retry_after_ms(&value);
    }
    if let Some(value) = member("resets_in_seconds") {
        reader = reader.resets_in_seconds(&value);
    }
    if let Some(value) = member("resets_at") {
        reader = reader.resets_at(&value);
    }
    reader.message(&error.message)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(word) => Some(word.to_string()),
        // A header that may come several times.
        Value::Array(values) => values.first().and_then(text),
        _ => None,
    }
}
