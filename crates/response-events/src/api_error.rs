//! The service's own error object, however it arrived.

use std::{error::Error, fmt};

use serde_json::{Map, Value};

use crate::{
    Classifier, ErrorClass,
    bare_error::{Place, bare_error},
    classify_code,
    half_characters::mended,
    raw_json::redact_value,
    unfinished_json::whole_or_closed,
};

/// An error that the service reported: in an HTTP body, in `response.failed`, in an `error` event, in a Chat chunk.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ApiError {
    /// `code`, numbers as text; `None` where the service gave none.
    pub code: Option<String>,
    /// The message, verbatim; its JSON where it is an object or a list. Where the service gave none, a sentence that
    /// says so.
    pub message: String,
    /// `type`.
    pub error_type: Option<String>,
    /// `param`: the request field that is at fault.
    pub param: Option<String>,
    /// The HTTP status that an event carried in its body (WebSocket errors, some gateways).
    pub status: Option<u16>,
    /// What else the error object has: `resets_at`, `plan_type`, `headers`, …; a turn-state value in it is replaced. Of
    /// what stands beside the object only `headers` and hints when to come back, such as `retry_after`.
    pub details: Map<String, Value>,
}

impl ApiError {
    /// An error of which only the message is known.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// Reads the error out of an HTTP error body: `{"error": {…}}`, `{"error": "text"}`, the bare object, and the
    /// `{"message": …}` and `{"detail": …}` of gateways, and what an event of the API says in their place. A byte order
    /// mark before it is skipped. Of a body that is cut or damaged, what was whole before counts. `None` when the body
    /// is no JSON object or has none of them.
    pub fn from_body(body: &[u8]) -> Option<Self> {
        let body = without_bom(body);
        // Half a character somewhere in it must not hide an error's code, nor must its end that is missing.
        let read = || whole_or_closed(&mended(body), |text| serde_json::from_str::<Value>(text).ok());
        let Some(value) = serde_json::from_slice(body).ok().or_else(read) else {
            return bare_error(body, Place::Nested);
        };
        // Some gateways wrap the object in a list.
        let value = match value {
            Value::Array(mut list) if list.len() == 1 => list.remove(0),
            other => other,
        };
        let places = [value.get("error"), value.get("response").and_then(|response| response.get("error"))];
        if let Some(error) = places.into_iter().flatten().find(|error| is_error_value(error)) {
            let mut found = Self::from_value(error, &value);
            if found.message.is_empty() {
                "the service gave no error message".clone_into(&mut found.message);
            }
            return Some(found);
        }
        let is_error = value.get("object").and_then(Value::as_str) == Some("error");
        let is_text = |key: &str| value.get(key).is_some_and(Value::is_string);
        let is_told = |key: &str| value.get(key).and_then(message_text).is_some();
        (is_text("message") || is_error && is_told("message") || is_told("detail")).then(|| {
            let mut found = Self::from_value(&value, &value);
            // Of an event in the flat shape it is that of the event.
            found.error_type.take_if(|error_type| error_type == "error");
            found
        })
    }

    /// What the service calls the error: its `code`; where it gave none, a `type` that is known as a code, such as
    /// `usage_limit_reached`. Types that end in `_error` are families of errors, and no codes.
    pub fn name(&self) -> Option<&str> {
        let is_code = |name: &&str| !name.ends_with("_error") && classify_code(name) != ErrorClass::Unknown;
        self.code.as_deref().or_else(|| self.error_type.as_deref().filter(is_code))
    }

    /// Reads an error value; what it lacks is looked up in `envelope`, the object around it.
    pub(crate) fn from_value(error: &Value, envelope: &Value) -> Self {
        let error = error.as_array().and_then(|list| list.first()).unwrap_or(error);
        let field =
            |key: &str| error.get(key).and_then(scalar_text).or_else(|| envelope.get(key).and_then(scalar_text));
        let own = |key: &str| error.get(key).and_then(scalar_text);
        let message = match error {
            Value::String(text) => Some(text.clone()),
            _ => ["message", "detail"]
                .iter()
                .find_map(|key| error.get(key).and_then(message_text))
                .or_else(|| envelope.get("message").and_then(message_text)),
        };
        let status = ["status", "status_code"].iter().find_map(|key| {
            let number = error.get(key).or_else(|| envelope.get(key))?.as_u64()?;
            u16::try_from(number).ok().filter(|status| (100..600).contains(status))
        });
        Self {
            code: field("code").filter(|code| !code.is_empty()),
            message: message.unwrap_or_default(),
            error_type: own("type"),
            param: field("param"),
            status,
            details: details(error, envelope),
        }
    }

    /// An error that was reported in a form that cannot be read: plain text is the message, broken JSON is none. Of an
    /// object that is only odd, code and message are read.
    pub(crate) fn undecodable(data: &[u8]) -> Self {
        if let Some(error) = bare_error(data, Place::Flat) {
            error
        } else if data.starts_with(b"{") {
            Self::new("the service reported a failure whose details could not be decoded")
        } else {
            Self::new(String::from_utf8_lossy(data))
        }
    }

    /// The class of the failure, by the tables as they are; see [`Classifier`] for tables of one's own.
    pub fn class(&self) -> ErrorClass {
        Classifier::default().classify(self)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.name() {
            Some(name) => write!(f, " ({name})"),
            None => Ok(()),
        }
    }
}

impl Error for ApiError {}

/// A document without the byte order mark that some services put before it (RFC 8259, section 8.1, lets readers skip
/// it).
pub(crate) fn without_bom(document: &[u8]) -> &[u8] {
    document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document)
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

/// What may stand beside the error object as well as in it: headers, and what says when to come back.
const BESIDE: [&str; 5] = ["headers", "retry_after", "retry_after_ms", "resets_in_seconds", "resets_at"];

/// The members without a field of their own.
fn details(error: &Value, envelope: &Value) -> Map<String, Value> {
    let known = |key: &str| matches!(key, "code" | "message" | "type" | "param" | "error" | "response");
    let own = error.as_object().into_iter().flatten().filter(|(key, _)| !known(key));
    let beside = BESIDE.iter().filter(|key| error.get(key).is_none());
    let beside = beside.filter_map(|key| envelope.as_object()?.get_key_value(*key));
    let mut details = Value::Object(beside.chain(own).map(|(key, value)| (key.clone(), value.clone())).collect());
    redact_value(&mut details);
    match details {
        Value::Object(details) => details,
        _ => Map::new(),
    }
}

/// A message as text: some services have an object or a list there, which is then its JSON: Mistral and
/// servers made with `FastAPI`.
fn message_text(value: &Value) -> Option<String> {
    let says_something = match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => return scalar_text(value),
    };
    says_something.then(|| {
        let mut value = value.clone();
        redact_value(&mut value);
        value.to_string()
    })
}

fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: Option<(Option<&str>, &str, ErrorClass)>) {
        let error = ApiError::from_body(body.as_bytes());
        let seen = error.as_ref().map(|error| (error.code.as_deref(), error.message.as_str(), error.class()));
        assert_eq!(seen, expected, "{body}");
    }

    #[test]
    fn error_bodies_of_every_shape_are_read() {
        check(
            r#"{"error":{"code":"invalid_prompt","message":"No.","type":"x","param":null}}"#,
            Some((Some("invalid_prompt"), "No.", ErrorClass::InvalidRequest)),
        );
        check(r#"{"error":{"code":400,"message":"No."}}"#, Some((Some("400"), "No.", ErrorClass::InvalidRequest)));
        check(r#"{"error":"No."}"#, Some((None, "No.", ErrorClass::Unknown)));
        check(r#"{"message":"No.","code":"slow_down"}"#, Some((Some("slow_down"), "No.", ErrorClass::Overloaded)));
        check(r#"{"detail":"Not Found"}"#, Some((None, "Not Found", ErrorClass::Unknown)));
        check(
            r#"[{"error":{"code":null,"type":"insufficient_quota","message":"Pay."}}]"#,
            Some((None, "Pay.", ErrorClass::Quota)),
        );
        check(r#"{"error":{"code":"x"}}"#, Some((Some("x"), "the service gave no error message", ErrorClass::Unknown)));
        check(
            "\u{feff}{\"error\":{\"code\":\"invalid_prompt\",\"message\":\"No.\"}}",
            Some((Some("invalid_prompt"), "No.", ErrorClass::InvalidRequest)),
        );
        check(
            r#"{"type":"response.failed","response":{"id":"r","error":{"code":"invalid_prompt","message":"No."}}}"#,
            Some((Some("invalid_prompt"), "No.", ErrorClass::InvalidRequest)),
        );
        check(r#"{"type":"response.failed","response":{"id":"r","error":null}}"#, None);
        check(
            r#"{"type":"error","code":"slow_down","message":"No."}"#,
            Some((Some("slow_down"), "No.", ErrorClass::Overloaded)),
        );
        check(r#"{"error":null}"#, None);
        check("<html>", None);
        // Objects and lists in place of words.
        check(
            r#"{"object":"error","message":{"detail":[{"msg":"No."}]},"type":"invalid_request_error","code":null}"#,
            Some((None, r#"{"detail":[{"msg":"No."}]}"#, ErrorClass::InvalidRequest)),
        );
        check(
            r#"{"detail":[{"loc":["body"],"msg":"No."}]}"#,
            Some((None, r#"[{"loc":["body"],"msg":"No."}]"#, ErrorClass::Unknown)),
        );
        check(
            r#"{"error":{"code":"slow_down","message":{"a":{"x-codex-turn-state":"s3cret"}}}}"#,
            Some((Some("slow_down"), r#"{"a":{"x-codex-turn-state":"[redacted]"}}"#, ErrorClass::Overloaded)),
        );
        check(
            r#"{"error":[{"code":"slow_down","message":"No."},{"code":"x"}]}"#,
            Some((Some("slow_down"), "No.", ErrorClass::Overloaded)),
        );
        for nothing in
            [r#"{"error":[]}"#, r#"{"error":[{}]}"#, r#"{"detail":[]}"#, r#"{"message":{"role":"assistant"}}"#]
        {
            check(nothing, None);
        }
    }

    #[test]
    fn hints_beside_an_error_are_among_its_details() {
        let details = |body: &str| Value::Object(ApiError::from_body(body.as_bytes()).unwrap().details).to_string();
        assert_eq!(
            details(r#"{"error":{"message":"m"},"retry_after":4,"resets_at":5,"id":"x"}"#),
            r#"{"resets_at":5,"retry_after":4}"#
        );
        assert_eq!(details(r#"{"error":"m","retry_after_ms":4000}"#), r#"{"retry_after_ms":4000}"#);
        let own = r#"{"error":{"message":"m","resets_in_seconds":1},"resets_in_seconds":2,"headers":{"a":"b"}}"#;
        assert_eq!(details(own), r#"{"headers":{"a":"b"},"resets_in_seconds":1}"#);
    }
}
