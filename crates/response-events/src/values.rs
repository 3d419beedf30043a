//! The JSON values of one payload: mostly one, and several where a server forgot what separates events.

use std::ops::ControlFlow;

use serde::de::IgnoredAny;

use crate::interpreter::Output;

/// JSON values that one payload may hold. All that they mean is held until the caller comes for it, and can be many
/// times as large as they are.
const MAX_VALUES: usize = 256;

/// Why there is no value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It is no JSON object, or not one that can be read: what is wrong with it.
    Undecodable(String),
    /// It stands behind as many values as a payload may hold.
    TooMany,
}

impl Unread {
    pub(crate) const TOO_MANY: &str = "too many JSON values in one event";
}

/// Reads the values of a payload and hands out each with its bytes, until `handle` breaks off. Each is accounted for by
/// itself.
pub(crate) fn for_each_value<'d, T>(
    data: &'d [u8],
    out: &mut Output,
    read: impl Fn(&'d [u8]) -> Result<T, String>,
    mut handle: impl FnMut(&'d [u8], Result<T, Unread>, &mut Output) -> ControlFlow<()>,
) {
    // Only an object is an event; a derived reader would take a list for one, too.
    let read = |data: &'d [u8]| if data[0] == b'{' { read(data) } else { Err("not a JSON object".to_owned()) };
    let mut data = data;
    for _ in 0..MAX_VALUES {
        let error = match read(data) {
            Ok(value) => {
                _ = handle(data, Ok(value), out);
                return;
            }
            Err(error) => error,
        };
        let Some((first, rest)) = split_first_value(data) else {
            _ = handle(data, Err(Unread::Undecodable(error)), out);
            return;
        };
        if handle(first, read(first).map_err(Unread::Undecodable), out).is_break() {
            return;
        }
        out.next_value();
        data = rest;
    }
    _ = handle(data, Err(Unread::TooMany), out);
}

/// Splits a payload behind its first JSON value, where something follows it.
#[cold]
fn split_first_value(payload: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut values = serde_json::Deserializer::from_slice(payload).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    let (first, rest) = payload.split_at(values.byte_offset());
    let rest = rest.trim_ascii();
    (!rest.is_empty()).then_some((first, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of a payload by their bytes, those that cannot be read as `!`, up to one that is `{"end":1}`.
    fn check(payload: &str, expected: &[&str]) {
        let mut seen = Vec::new();
        let mut out = Output::for_tests();
        let read = |data: &[u8]| serde_json::from_slice::<serde_json::Value>(data).map_err(|error| error.to_string());
        for_each_value(payload.as_bytes(), &mut out, read, |data, value, _| {
            let text = String::from_utf8_lossy(data).into_owned();
            let is_end = value.as_ref().is_ok_and(|value| value.get("end").is_some());
            seen.push(match value {
                Ok(_) => text,
                Err(Unread::TooMany) => "too many".to_owned(),
                Err(Unread::Undecodable(_)) => format!("!{text}"),
            });
            if is_end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(seen, expected, "{payload}");
    }

    #[test]
    fn a_payload_is_one_value_or_several() {
        check("{}", &["{}"]);
        check(r#"{"a":{}} {"b":1}{}"#, &[r#"{"a":{}}"#, r#"{"b":1}"#, "{}"]);
        check("[1]{}7", &["![1]", "{}", "!7"]);
        check("{}{", &["{}", "!{"]);
        check("{} x {}", &["{}", "!x {}"]);
        check(r#"{"end":1}{}"#, &[r#"{"end":1}"#]);
    }

    #[test]
    fn what_stands_behind_too_many_values_is_not_read() {
        let mut expected = vec!["{}"; MAX_VALUES];
        check(&"{}".repeat(MAX_VALUES), &expected);
        expected.push("too many");
        check(&"{}".repeat(MAX_VALUES + 3), &expected);
    }
}
