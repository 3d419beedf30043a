//! The lists, objects and texts that gateways wrap around an error.

use std::borrow::Cow;

use serde_json::Value;

/// How many wrappers are looked into: more than any service was seen to use.
const MAX_WRAPPERS: usize = 8;

/// An error, then what is wrapped around it, outwards. `value` is the outermost of them.
pub(crate) fn layers(value: &Value) -> Vec<Cow<'_, Value>> {
    let mut layers = vec![Cow::Borrowed(value)];
    while let Some(inner) = layers.last().filter(|_| layers.len() <= MAX_WRAPPERS).and_then(within) {
        layers.push(inner);
    }
    layers.reverse();
    layers
}

/// Whether the value of an `error` member means an error: an object or string with something in it, or a list of them,
/// of which the first one counts.
pub(crate) fn is_error_value(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty(),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => list.first().is_some_and(is_error_value),
        _ => false,
    }
}

fn within<'v>(layer: &Cow<'v, Value>) -> Option<Cow<'v, Value>> {
    match layer {
        Cow::Borrowed(value) => wrapped(value).map(Cow::Borrowed).or_else(|| quoted(value).map(Cow::Owned)),
        Cow::Owned(value) => wrapped(value).cloned().or_else(|| quoted(value)).map(Cow::Owned),
    }
}

/// The error that a value is wrapped around. A text in `error` is no wrapped one, but says something of this one; and
/// `detail` is mostly words, or a list of what is wrong with a request.
fn wrapped(value: &Value) -> Option<&Value> {
    if let Value::Array(list) = value {
        return list.first();
    }
    let response = value.get("response").and_then(|response| response.get("error"));
    let errors = [value.get("error"), response].into_iter().flatten();
    let detail = value.get("detail").filter(|detail| {
        let first = detail.as_array().and_then(|list| list.first()).unwrap_or(detail);
        has_any(first, &["error", "code", "message"]) && !has_any(value, &["code", "message"])
    });
    let message = value.get("message").filter(|message| has_any(message, &["error"]));
    errors.chain(detail).chain(message).find(|error| is_error_object(error))
}

/// The document with an error which a text is, or the text that an error has for people: what a gateway was told, and
/// passes on.
fn quoted(value: &Value) -> Option<Value> {
    let members = ["error", "message", "detail"].iter().filter_map(|key| value.get(key));
    let texts = std::iter::once(value).chain(members).filter_map(Value::as_str);
    texts.filter(|text| text.trim_ascii_start().starts_with('{')).find_map(|text| {
        let document: Value = serde_json::from_str(text).ok()?;
        document.get("error").is_some_and(is_error_value).then_some(document)
    })
}

fn is_error_object(value: &Value) -> bool {
    value.as_array().map_or_else(|| value.is_object(), |list| list.first().is_some_and(is_error_object))
        && is_error_value(value)
}

fn has_any(value: &Value, keys: &[&str]) -> bool {
    keys.iter().any(|key| value.get(key).is_some_and(|member| !member.is_null()))
}
