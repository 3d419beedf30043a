//! The JSON of a Responses event, read in one pass and borrowed where it can be.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{
    lifecycle::{Kept, Lifecycle},
    listed::Listed,
};
use crate::{
    json::{Number, Text, object_or_default, parse},
    scan::{Scanned, Scanner, fill},
    text::as_text,
};

/// The fields of all events in one flat shape. Every field may be missing or of another type, except that the whole
/// must be one JSON object.
#[derive(Debug, Default, PartialEq, Deserialize)]
pub(super) struct Payload<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) event_type: Text<'a>,
    #[serde(default)]
    pub(super) sequence_number: Number,
    #[serde(default)]
    pub(super) output_index: Number,
    #[serde(default)]
    pub(super) content_index: Number,
    #[serde(default)]
    pub(super) summary_index: Number,
    #[serde(borrow, default)]
    pub(super) item_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) delta: Text<'a>,
    #[serde(default)]
    pub(super) item: Option<Value>,
    /// A `response` that is no object tells nothing, and spoils nothing.
    #[serde(borrow, default, deserialize_with = "boxed_object")]
    pub(super) response: Option<Box<Lifecycle<'a>>>,
    /// Only looked at in payloads that may be errors.
    #[serde(default)]
    pub(super) error: Option<Value>,
}

impl<'a> Payload<'a> {
    /// Reads a payload; the error says what is wrong with its JSON.
    pub(super) fn read(data: &'a [u8]) -> Result<Self, String> {
        let mut payload = Self::default();
        match as_text(data).and_then(|text| payload.scan(text)) {
            Some(()) => Ok(payload),
            None => parse(data),
        }
    }

    /// Reads what nearly all payloads are: a piece of something, in fields that are strings and numbers.
    fn scan(&mut self, text: &'a str) -> Scanned<()> {
        let mut scanner = Scanner::new(text);
        scanner.members(|scanner| match scanner.initial() {
            b't' if scanner.is_key(r#""type":"#) => fill(&mut self.event_type.0, scanner.string()?),
            b's' if scanner.is_key(r#""sequence_number":"#) => fill(&mut self.sequence_number.0, scanner.number()?),
            b's' if scanner.is_key(r#""summary_index":"#) => fill(&mut self.summary_index.0, scanner.number()?),
            b'i' if scanner.is_key(r#""item_id":"#) => fill(&mut self.item_id.0, scanner.string()?),
            b'o' if scanner.is_key(r#""output_index":"#) => fill(&mut self.output_index.0, scanner.number()?),
            b'c' if scanner.is_key(r#""content_index":"#) => fill(&mut self.content_index.0, scanner.number()?),
            b'd' if scanner.is_key(r#""delta":"#) => fill(&mut self.delta.0, scanner.string()?),
            _ => match scanner.key()? {
                b"item" | b"response" | b"error" |
                // One of the above, with white space ahead of its colon.
                b"type" | b"sequence_number" | b"item_id" | b"output_index" | b"content_index" | b"summary_index"
                | b"delta" => None,
                _ => scanner.skip(),
            },
        })?;
        scanner.finish()
    }

    /// What the payload says of the response; nothing in most.
    pub(super) fn response(&self) -> &Lifecycle<'a> {
        self.response.as_deref().unwrap_or(&NOTHING)
    }
}

static NOTHING: Lifecycle<'static> = Lifecycle {
    id: Text(None),
    model: Text(None),
    status: Text(None),
    usage: None,
    error: None,
    incomplete_details: None,
    output: Listed::NONE,
    kept: Kept::NONE,
};

fn boxed_object<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<Lifecycle<'a>>>, D::Error> {
    object_or_default(deserializer).map(|response| Some(Box::new(response)))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    const KEYS: &[&str] = &[
        "type",
        "sequence_number",
        "output_index",
        "content_index",
        "summary_index",
        "item_id",
        "delta",
        "item",
        "response",
        "error",
        "logprobs",
        "größe",
        "de\\u006cta",
        "",
    ];

    #[track_caller]
    fn check(text: &str) {
        let mut scanned = Payload::default();
        if scanned.scan(text).is_some() {
            assert_eq!(Ok(scanned), parse(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn deltas_are_read_without_the_general_reader() {
        for text in [
            r#"{"type":"response.output_text.delta","sequence_number":7,"item_id":"msg_1","output_index":0,"content_index":0,"delta":" a\n\u00fc","logprobs":[],"obfuscation":"x"}"#,
            r#"{ "delta": "a", "logprobs": [{"token": "\u00e4\"", "logprob": -1.5e-3, "top": null}], "type": "x" }"#,
            r#"{"type":"response.reasoning_summary_text.delta","summary_index":1,"delta":""}"#,
        ] {
            assert!(Payload::default().scan(text).is_some(), "{text}");
            check(text);
        }
    }

    #[test]
    fn what_the_general_reader_refuses_or_knows_better_is_left_to_it() {
        for text in [
            r#"{"type":"x","delta":"a","delta":"b"}"#,
            r#"{"type":"x","sequence_number":1,"sequence_number":1}"#,
            r#"{"type":"x","delta":"a"},"#,
            r#"{"type":"x","delta":"a"}{"type":"x"}"#,
            r#"{"type":"x","output_index":-1}"#,
            r#"{"type":"x","delta":"\ud83e"}"#,
            r#"{"type":"error","error":null}"#,
            r#"{"type":"x","item":{}}"#,
            r#"{"type" :"x"}"#,
        ] {
            assert!(Payload::default().scan(text).is_none(), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_is_scanned_means_the_same_to_the_general_reader(
            fields in vec((select(KEYS), crate::scan::tests::value()), 0..8),
            space in select(&["", " ", "\n\t"][..]),
            edit in crate::scan::tests::edit(),
        ) {
            let field = |(key, value): &(&str, String)| format!("{space}\"{key}\"{space}:{space}{value}{space}");
            let text = format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(","));
            check(&text);
            check(&edit.apply(&text));
        }
    }
}
