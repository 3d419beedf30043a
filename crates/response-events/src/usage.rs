//! Token counts of a finished request.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value;

/// The `usage` object of either API, kept as it came, with accessors for the counts that both know.
///
/// Counts are tokens. A count is `None` where the service did not state it; providers add keys of their own (cost,
/// cache figures), which [`as_json`](Self::as_json) holds. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Usage(Arc<Value>);

impl Usage {
    /// Takes a JSON object; `None` for anything else, `null` and the empty object included, which state nothing.
    pub fn from_json(value: Value) -> Option<Self> {
        value.as_object().is_some_and(|counts| !counts.is_empty()).then(|| Self(Arc::new(value)))
    }

    /// The object as the service sent it.
    pub fn as_json(&self) -> &Value {
        &self.0
    }

    /// Tokens of the prompt (`input_tokens`, in Chat `prompt_tokens`).
    pub fn input_tokens(&self) -> Option<u64> {
        self.count(&["input_tokens", "prompt_tokens"])
    }

    /// Tokens of the answer, reasoning included (`output_tokens`, in Chat `completion_tokens`).
    pub fn output_tokens(&self) -> Option<u64> {
        self.count(&["output_tokens", "completion_tokens"])
    }

    /// Tokens of prompt and answer together.
    pub fn total_tokens(&self) -> Option<u64> {
        self.count(&["total_tokens"])
    }

    /// The part of the prompt that came from the provider's cache.
    pub fn cached_tokens(&self) -> Option<u64> {
        self.detail(&["input_tokens_details", "prompt_tokens_details"], "cached_tokens")
    }

    /// The part of the answer that was reasoning.
    pub fn reasoning_tokens(&self) -> Option<u64> {
        self.detail(&["output_tokens_details", "completion_tokens_details"], "reasoning_tokens")
    }

    fn count(&self, names: &[&str]) -> Option<u64> {
        names.iter().find_map(|name| self.0.get(name)?.as_u64())
    }

    fn detail(&self, groups: &[&str], name: &str) -> Option<u64> {
        groups.iter().find_map(|group| self.0.get(group)?.get(name)?.as_u64())
    }
}

impl Serialize for Usage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
