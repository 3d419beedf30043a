//! What is no item.

use std::{error::Error, fmt};

use serde_json::Value;

/// A value that is no [`Item`](crate::Item): an item is a JSON object with a string `type`. Holds the value, which
/// neither `Display` nor `Debug` shows: it may be large, and somebody's.
#[derive(Clone, PartialEq, Eq)]
pub struct InvalidItem(Value);

impl InvalidItem {
    pub(super) fn new(value: Value) -> Self {
        Self(value)
    }

    /// The value.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// The value, given back.
    pub fn into_value(self) -> Value {
        self.0
    }
}

impl fmt::Display for InvalidItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an item must be an object with a string `type`, not ")?;
        f.write_str(match self.0 {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object without one",
        })
    }
}

impl fmt::Debug for InvalidItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InvalidItem({self})")
    }
}

impl Error for InvalidItem {}
