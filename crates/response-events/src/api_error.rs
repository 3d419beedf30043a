//! The service's own error object, however it arrived.

use std::{borrow::Cow, error::Error, fmt};

use serde_json::{Map, Value};

use crate::{
    Classifier, ErrorClass,
    bare_error::{Place, bare_error},
    classify_code,
    error_layers::{is_error_value, layers},
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
    /// The message, verbatim; of a list of complaints their words; the JSON of every other object or list. Where it is
    /// the text of a document with an error, which a gateway passes on, that error's. Where the service gave none, a
    /// sentence that says so.
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
    /// `{"message": …}`, `{"detail": …}` and `{"errors": […]}` of gateways, and what an event of the API says in their
    /// place, also where up to eight lists, objects and texts are wrapped around the error. A byte order mark before it
    /// is skipped. Of a body that is cut or damaged, what was whole before counts. `None` when the body is no JSON
    /// object or has none of them.
    pub fn from_body(body: &[u8]) -> Option<Self> {
        let body = without_bom(body);
        // Half a character somewhere in it must not hide an error's code, nor must its end that is missing.
        let read = || whole_or_closed(&mended(body), |text| serde_json::from_str::<Value>(text).ok());
        let Some(value) = serde_json::from_slice(body).ok().or_else(read) else {
            return bare_error(body, Place::Nested);
        };
        let mut value = &value;
        // Some gateways wrap the object in a list.
        while let Some([only]) = value.as_array().map(Vec::as_slice) {
            value = only;
        }
        let has_words = value.get("message").is_some_and(is_words);
        // A word beside the message: the name of the error, or of the status.
        let is_word = |error: &Value| error.is_string() && has_words;
        let of_response = value.get("response").and_then(|response| response.get("error"));
        let list = value.get("errors").filter(|errors| errors.is_array());
        let mut places = [value.get("error"), of_response, list].into_iter().flatten();
        let mut found = if let Some(error) = places.find(|error| is_error_value(error) && !is_word(error)) {
            Self::from_value(error, value)
        } else {
            let is_error = value.get("object").and_then(Value::as_str) == Some("error");
            let is_told = |key: &str| value.get(key).and_then(message_text).is_some();
            if !(has_words || is_error && is_told("message") || is_told("detail")) {
                return None;
            }
            let mut found = Self::from_value(value, value);
            // Of an event in the flat shape it is that of the event.
            found.error_type.take_if(|error_type| error_type == "error");
            found.code =
                found.code.or_else(|| value.get("error")?.as_str().filter(|text| is_name(text)).map(str::to_owned));
            found
        };
        if found.message.is_empty() {
            "the service gave no error message".clone_into(&mut found.message);
        }
        Some(found)
    }

    /// What the service calls the error: its `code`; where it gave none, a `type` that is known as a code, such as
    /// `usage_limit_reached`. Types that end in `_error` are families of errors, and no codes.
    pub fn name(&self) -> Option<&str> {
        let is_code = |name: &&str| !name.ends_with("_error") && classify_code(name) != ErrorClass::Unknown;
        self.code.as_deref().or_else(|| self.error_type.as_deref().filter(is_code))
    }

    /// Reads an error value; what it lacks is looked up in what is wrapped around it, and in `envelope`, the object
    /// around all of it.
    pub(crate) fn from_value(error: &Value, envelope: &Value) -> Self {
        let own = layers(error);
        let all = || own.iter().map(Cow::as_ref).chain([envelope]);
        let field = |key: &str| all().find_map(|layer| layer.get(key).and_then(told));
        let message = own.iter().find_map(|layer| own_message(layer));
        let status = |key| all().find_map(|layer| layer.get(key).and_then(http_status));
        Self {
            code: field("code"),
            message: message.or_else(|| envelope.get("message").and_then(message_text)).unwrap_or_default(),
            error_type: own.iter().find_map(|layer| layer.get("type").and_then(scalar_text)),
            param: field("param"),
            status: status("status").or_else(|| status("status_code")),
            details: details(&own, envelope),
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

/// What may stand beside the error object as well as in it: headers, and what says when to come back.
const BESIDE: [&str; 5] = ["headers", "retry_after", "retry_after_ms", "resets_in_seconds", "resets_at"];

/// The members without a field of their own: the error's, those of what is wrapped around it, and what counts beside.
fn details(layers: &[Cow<'_, Value>], envelope: &Value) -> Map<String, Value> {
    let known = |key: &str| matches!(key, "code" | "message" | "type" | "param" | "error" | "response");
    let is_wrapper = |at: usize, key: &str| at > 0 && key == "detail";
    let beside = BESIDE.iter().filter_map(|key| envelope.as_object()?.get_key_value(*key));
    // The inner ones count more.
    let own = layers.iter().enumerate().rev().flat_map(|(at, layer)| {
        let members = layer.as_object().into_iter().flatten();
        members.filter(move |(key, _)| !known(key) && !is_wrapper(at, key))
    });
    let mut details = Value::Object(beside.chain(own).map(|(key, value)| (key.clone(), value.clone())).collect());
    redact_value(&mut details);
    match details {
        Value::Object(details) => details,
        _ => Map::new(),
    }
}

/// What an error says of itself.
fn own_message(error: &Value) -> Option<String> {
    let words = ["message", "detail"].iter().find_map(|key| error.get(key).and_then(message_text));
    words.or_else(|| [Some(error), error.get("error")].into_iter().flatten().find_map(Value::as_str).map(str::to_owned))
}

/// A message as text: some services have an object or a list there, which is then its JSON unless it has words.
fn message_text(value: &Value) -> Option<String> {
    let says_something = match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => return told(value),
    };
    let json = || {
        let mut value = value.clone();
        redact_value(&mut value);
        value.to_string()
    };
    says_something.then(|| complaints(value).unwrap_or_else(json))
}

/// What servers made with `FastAPI` find wrong with a request: `{"loc": ["body", "model"], "msg": "Field required"}`,
/// many of them in a list, which Mistral wraps in a `detail`; others list mere texts.
fn complaints(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(list) => Some(list.iter().map(complaints).collect::<Option<Vec<_>>>()?.join("; ")),
        Value::Object(members) => {
            let Some(words) = members.get("msg").and_then(Value::as_str) else {
                return members.get("detail").and_then(complaints);
            };
            let place: Vec<_> =
                members.get("loc").and_then(Value::as_array).into_iter().flatten().filter_map(scalar_text).collect();
            Some(if place.is_empty() { words.to_owned() } else { format!("{}: {words}", place.join(".")) })
        }
        _ => None,
    }
}

/// Whether it is a text, or texts in a list.
fn is_words(value: &Value) -> bool {
    value.is_string() || value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_string))
}

/// Whether a text is the name of an error, and no words.
fn is_name(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.');
    !text.is_empty() && text.chars().all(is_part)
}

/// An HTTP status, also one that is written as a text or with a point.
fn http_status(value: &Value) -> Option<u16> {
    let text = scalar_text(value)?;
    let status = text.strip_suffix(".0").unwrap_or(&text).parse().ok()?;
    (100..600).contains(&status).then_some(status)
}

/// A word or number that is there.
fn told(value: &Value) -> Option<String> {
    scalar_text(value).filter(|text| !text.is_empty())
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
            Some((None, "No.", ErrorClass::InvalidRequest)),
        );
        check(
            r#"{"detail":[{"loc":["body","messages",0,"role"],"msg":"No.","input":"x"},{"loc":[],"msg":"Nor this."}]}"#,
            Some((None, "body.messages.0.role: No.; Nor this.", ErrorClass::Unknown)),
        );
        check(
            r#"{"statusCode":400,"message":["a is missing","b is wrong"],"error":"Bad Request"}"#,
            Some((None, "a is missing; b is wrong", ErrorClass::Unknown)),
        );
        check(r#"{"detail":[{"msg":"No."},7]}"#, Some((None, r#"[{"msg":"No."},7]"#, ErrorClass::Unknown)));
        // Names beside words, and lists of errors.
        check(r#"{"message":"No.","error":"Bad Request"}"#, Some((None, "No.", ErrorClass::Unknown)));
        check(
            r#"{"message":"No.","error":"invalid_prompt"}"#,
            Some((Some("invalid_prompt"), "No.", ErrorClass::InvalidRequest)),
        );
        check(
            r#"{"success":false,"errors":[{"code":10000,"message":"No."}],"result":null}"#,
            Some((Some("10000"), "No.", ErrorClass::Unknown)),
        );
        check(r#"{"errors":["No."]}"#, Some((None, "No.", ErrorClass::Unknown)));
        check(r#"{"errors":{"model":["No."]}}"#, None);
        check(r#"{"errors":[]}"#, None);
        check(
            r#"{"error":{"code":"slow_down","message":{"a":{"x-codex-turn-state":"s3cret"}}}}"#,
            Some((Some("slow_down"), r#"{"a":{"x-codex-turn-state":"[redacted]"}}"#, ErrorClass::Overloaded)),
        );
        check(
            r#"{"error":[{"code":"slow_down","message":"No."},{"code":"x"}]}"#,
            Some((Some("slow_down"), "No.", ErrorClass::Overloaded)),
        );
        // Lists and objects around it, and around each other.
        for wrapped in [
            r#"{"error":[[{"code":"slow_down","message":"No."}]]}"#,
            r#"{"detail":{"error":{"code":"slow_down","message":"No."}}}"#,
            r#"{"detail":{"code":"slow_down","message":"No."}}"#,
            r#"{"detail":[{"code":"slow_down","message":"No."}]}"#,
            r#"{"error":{"error":{"code":"slow_down","message":"No."}}}"#,
            r#"{"error":{"code":"slow_down","error":{"message":"No."}}}"#,
            r#"{"error":{"code":"x","message":"m","error":{"code":"slow_down","message":"No."}}}"#,
            r#"{"error":{"code":"slow_down","error":"No."}}"#,
            r#"{"error":{"code":"slow_down","error":{"code":"","message":""},"message":"No."}}"#,
            r#"{"error":{"response":{"error":{"code":"slow_down","message":"No."}}}}"#,
            r#"{"error":{"detail":{"error":[{"code":"slow_down","message":"No."}]}}}"#,
            r#"[[{"error":{"code":"slow_down","message":"No."}}]]"#,
            r#"{"error":{"message":{"error":{"code":"slow_down","message":"No."}}}}"#,
            // As a text.
            r#"{"error":"{\"error\":{\"code\":\"slow_down\",\"message\":\"No.\"}}"}"#,
            r#"{"error":{"code":"400","message":" {\"error\":[{\"code\":\"slow_down\",\"message\":\"No.\"}]}\n"}}"#,
            r#"{"detail":"{\"error\":\"No.\",\"code\":\"slow_down\"}"}"#,
            r#"{"message":"{\"error\":{\"message\":\"No.\"}}","code":"slow_down"}"#,
            r#"{"error":{"message":"{\"error\":\"{\\\"error\\\":{\\\"code\\\":\\\"slow_down\\\",\\\"message\\\":\\\"No.\\\"}}\"}"}}"#,
        ] {
            check(wrapped, Some((Some("slow_down"), "No.", ErrorClass::Overloaded)));
        }
        // What is no error in it.
        for beside in
            [r#""detail":{"code":"x","message":"m"}"#, r#""error":["x"]"#, r#""error":"x""#, r#""error":[[]]"#]
        {
            check(
                &format!(r#"{{"error":{{"code":"slow_down","message":"No.",{beside}}}}}"#),
                Some((Some("slow_down"), "No.", ErrorClass::Overloaded)),
            );
        }
        // Other documents are words.
        for text in
            [r#"{\"code\":\"x\"}"#, r#"{\"error\":null}"#, r#"Say {\"error\":{\"code\":\"x\"}}"#, r#"[\"error\"]"#]
        {
            let told = text.replace('\\', "");
            check(&format!(r#"{{"error":{{"message":"{text}"}}}}"#), Some((None, &told, ErrorClass::Unknown)));
        }
        check(
            r#"{"error":{"type":"insufficient_quota","message":"Pay.","error":{"trace":1}}}"#,
            Some((None, "Pay.", ErrorClass::Quota)),
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
        let wrapped = r#"{"error":{"retry_after":3,"x":1,"error":{"message":"m","y":2}},"retry_after":4}"#;
        assert_eq!(details(wrapped), r#"{"retry_after":3,"x":1,"y":2}"#);
        assert_eq!(details(r#"{"detail":{"error":{"message":"m","y":2}},"x":1}"#), r#"{"x":1,"y":2}"#);
    }

    #[test]
    fn a_status_is_found_in_every_form() {
        for (members, expected) in [
            (r#""status":400"#, Some(400)),
            (r#""status":"400""#, Some(400)),
            (r#""status":400.0"#, Some(400)),
            (r#""status":null,"status_code":400"#, Some(400)),
            (r#""status":"INVALID_ARGUMENT","status_code":400"#, Some(400)),
            (r#""status":7"#, None),
            (r#""status":-400"#, None),
            (r#""status":[400]"#, None),
            (r#""status":65936"#, None),
        ] {
            for body in [
                format!(r#"{{"error":{{"message":"m",{members}}}}}"#),
                format!(r#"{{"error":{{"message":"m","status":"failed"}},{members}}}"#),
            ] {
                assert_eq!(ApiError::from_body(body.as_bytes()).unwrap().status, expected, "{body}");
            }
        }
    }

    #[test]
    fn wrappers_are_looked_into_up_to_a_depth() {
        for depth in [1, 9, 10, 100] {
            let body = format!("{}{{\"code\":\"c\"}}{}", r#"{"error":"#.repeat(depth), "}".repeat(depth));
            let code = ApiError::from_body(body.as_bytes()).and_then(|error| error.code);
            assert_eq!(code.is_some(), depth <= 9, "{depth}");
        }
    }
}
