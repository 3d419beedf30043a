//! The JSON of a Responses event, read in one pass and borrowed where it can be.

use serde::Deserialize;
use serde_json::Value;

use crate::json::{Number, Text, object_or_default};

/// The fields of all events in one flat shape. Every field may be missing or of another type, except that the whole
/// must be one JSON object.
#[derive(Debug, Deserialize)]
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
    #[serde(borrow, default, deserialize_with = "object_or_default")]
    pub(super) response: Lifecycle<'a>,
    /// Only looked at in payloads that may be errors.
    #[serde(default)]
    pub(super) error: Option<Value>,
}

/// What is read of the `response` object; it repeats instructions and tools, which are skipped.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Lifecycle<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) model: Text<'a>,
    #[serde(borrow)]
    pub(super) status: Text<'a>,
    pub(super) usage: Option<Value>,
    pub(super) error: Option<Value>,
    pub(super) incomplete_details: Option<Value>,
    pub(super) output: Option<Value>,
}
