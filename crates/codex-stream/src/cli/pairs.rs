//! Arguments that are a name and a value. Values may be secrets: what is wrong is told without them.

use std::str::FromStr;

use serde_json::Value;

/// `PATH=JSON`: a field of the request's body.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) path: String,
    pub(crate) value: Value,
}

impl FromStr for Field {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (path, json) = text.split_once('=').ok_or("expected PATH=JSON")?;
        if path.split('.').any(str::is_empty) {
            return Err(format!("the path {path} has an empty part"));
        }
        let value = serde_json::from_str(json)
            .map_err(|error| format!("the value of {path} is no JSON, in which a string has quotes: {error}"))?;
        Ok(Self { path: path.to_owned(), value })
    }
}

/// `NAME=TEXT`: what a tool answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToolOutput {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl FromStr for ToolOutput {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, text) = text.split_once('=').ok_or("expected NAME=TEXT")?;
        if name.is_empty() {
            return Err("the name is empty".to_owned());
        }
        Ok(Self { name: name.to_owned(), text: text.to_owned() })
    }
}

/// `K: V`: a header of every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl FromStr for Header {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once(':').ok_or("expected 'K: V'")?;
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() {
            return Err("the name is empty");
        }
        if name.eq_ignore_ascii_case("x-codex-turn-state") {
            return Err("a turn learns its x-codex-turn-state from the service, and nobody else may set it");
        }
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_split_at_the_first_equals_sign() {
        let field = |text: &str| text.parse().map(|Field { path, value }| (path, value));
        assert_eq!(field("a.b=\"x=y\""), Ok(("a.b".to_owned(), json!("x=y"))));
        assert_eq!(field("a=null"), Ok(("a".to_owned(), Value::Null)));
        for wrong in ["a", "=1", "a..b=1", "a=", "a=x"] {
            assert!(field(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn tool_outputs_may_be_empty_and_hold_equals_signs() {
        let output = |text: &str| text.parse().map(|ToolOutput { name, text }| (name, text));
        assert_eq!(output("t=a=b"), Ok(("t".to_owned(), "a=b".to_owned())));
        assert_eq!(output("t="), Ok(("t".to_owned(), String::new())));
        for wrong in ["t", "=x"] {
            assert!(output(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn headers_are_split_at_the_first_colon_and_trimmed() {
        let header = |text: &str| text.parse().map(|Header { name, value }| (name, value));
        assert_eq!(header(" k :  a:b "), Ok(("k".to_owned(), "a:b".to_owned())));
        assert_eq!(header("k:"), Ok(("k".to_owned(), String::new())));
        for wrong in ["k", "k v", ": v", "X-Codex-Turn-State: v"] {
            assert!(header(wrong).is_err(), "{wrong}");
        }
    }
}
