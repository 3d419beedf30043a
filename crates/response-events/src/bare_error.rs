//! An error of which nothing but its name and its message is read.

use serde::Deserialize;

use crate::{
    ApiError,
    half_characters::mended,
    json::{Text, object_or_default},
    unfinished_json::whole_or_closed,
};

/// The object that an error is, or one that holds it. What else is there is passed over unread: it may hold numbers and
/// depths that no reader takes.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Bare<'a> {
    #[serde(borrow)]
    code: Text<'a>,
    #[serde(borrow)]
    message: Text<'a>,
    #[serde(borrow, rename = "type")]
    error_type: Text<'a>,
    #[serde(borrow)]
    param: Text<'a>,
    #[serde(borrow, deserialize_with = "boxed_object")]
    error: Option<Box<Bare<'a>>>,
    #[serde(borrow, deserialize_with = "boxed_object")]
    response: Option<Box<Bare<'a>>>,
}

fn boxed_object<'de: 'a, 'a, D>(deserializer: D) -> Result<Option<Box<Bare<'a>>>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    object_or_default(deserializer).map(|bare| Some(Box::new(bare)))
}

impl Bare<'_> {
    fn says_something(&self) -> bool {
        self.code.non_empty().or(self.message.non_empty()).is_some()
    }

    fn into_error_at(mut self, place: Place) -> Option<ApiError> {
        let within = self.response.take().and_then(|response| response.error);
        let nested = [within, self.error.take()].into_iter().flatten().find(|error| error.says_something());
        match (nested, place) {
            (Some(error), _) => Some(error.into_error()),
            (None, Place::Flat) if self.says_something() => {
                // That of the event.
                self.error_type = Text(None);
                Some(self.into_error())
            }
            _ => None,
        }
    }

    fn into_error(self) -> ApiError {
        let message = self.message.into_string().filter(|message| !message.is_empty());
        let mut error =
            ApiError::new(message.unwrap_or_else(|| "the service gave no reason for the failure".to_owned()));
        error.code = self.code.into_string().filter(|code| !code.is_empty());
        error.error_type = self.error_type.into_string();
        error.param = self.param.into_string();
        error
    }
}

/// The error in a document or event that cannot be read as a whole: in its `response`, in its `error`, or, with
/// [`Place::Flat`], in itself; of one that is cut or damaged, in what was whole before. `None` where it is no JSON, or
/// has neither code nor message.
pub(crate) fn bare_error(data: &[u8], place: Place) -> Option<ApiError> {
    whole_or_closed(&mended(data), |text| {
        let whole: Bare<'_> = serde_json::from_str(text).ok()?;
        Some(whole.into_error_at(place))
    })?
}

/// Where an error may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a member.
    Nested,
    /// Also beside the type of an event.
    Flat,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(data: &str, place: Place, expected: Option<(&str, &str)>) {
        let error = bare_error(data.as_bytes(), place);
        let told = error.as_ref().map(|error| (error.code.as_deref().unwrap_or_default(), error.message.as_str()));
        assert_eq!(told, expected, "{data}");
    }

    #[test]
    fn name_and_message_are_found_beside_what_cannot_be_read() {
        let nested = r#"{"error":{"code":"c","message":"m","x":1e999}}"#;
        check(nested, Place::Nested, Some(("c", "m")));
        check(&format!(r#"{{"response":{nested},"usage":-1e999}}"#), Place::Nested, Some(("c", "m")));
        check(r#"{"response":{"error":null},"error":{"message":"m"},"x":1e999}"#, Place::Nested, Some(("", "m")));
        let no_reason = "the service gave no reason for the failure";
        check(r#"{"error":{"code":"c","message":7}}"#, Place::Nested, Some(("c", no_reason)));
        let flat = r#"{"type":"error","code":"c","message":"m","x":1e999}"#;
        check(flat, Place::Flat, Some(("c", "m")));
        check(flat, Place::Nested, None);
        for nothing in [r#"{"error":{}}"#, r#"{"error":[]}"#, r#"{"error":"e"}"#, "{}", "[]", "{", "text", ""] {
            check(nothing, Place::Flat, None);
        }
    }
}
