//! Errors that a service tells in the reason of a WebSocket close.

use crate::{ApiError, Classifier};

impl ApiError {
    /// Reads the error out of the reason of a WebSocket close (RFC 6455, section 7.1.6): an error object, or text that
    /// names a code. Only codes that `classifier` knows make a reason an error of the API; a word of ordinary language
    /// among them has to be the whole reason. Of text, the message is all of it.
    pub fn from_close_reason(reason: &str, classifier: &Classifier) -> Option<Self> {
        if let Some(error) = Self::from_body(reason.as_bytes()).filter(|error| classifier.knows(error)) {
            return Some(error);
        }
        let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let words = reason.split(|letter| !is_word(letter)).filter(|word| word.contains('_'));
        let mut names = std::iter::once(reason.trim())
            .chain(words)
            .map(|code| Self { code: Some(code.to_owned()), ..Self::new(reason) });
        names.find(|error| classifier.knows(error))
    }
}

#[cfg(test)]
mod tests {
    use crate::{ApiError, Classifier, ErrorClass};

    #[track_caller]
    fn check(reason: &str, expected: Option<(&str, &str)>) {
        let classifier = Classifier::new().with_code("house_rules", ErrorClass::Policy);
        let error = ApiError::from_close_reason(reason, &classifier);
        let seen = error.as_ref().map(|error| (error.code.as_deref().unwrap_or_default(), error.message.as_str()));
        assert_eq!(seen, expected, "{reason}");
    }

    #[test]
    fn reasons_that_name_a_known_code_are_errors_of_the_api() {
        check("invalid_prompt", Some(("invalid_prompt", "invalid_prompt")));
        check("No: invalid_prompt.", Some(("invalid_prompt", "No: invalid_prompt.")));
        check("house_rules", Some(("house_rules", "house_rules")));
        check("timeout", Some(("timeout", "timeout")));
        check(r#"{"error":{"code":"slow_down","message":"Later."}}"#, Some(("slow_down", "Later.")));
        check(r#"{"error":{"code":"slow_dow"#, None);
        for reason in
            ["", "policy of the house", "keepalive ping timeout", "never_heard_of", r#"{"error":{"code":"x"}}"#]
        {
            check(reason, None);
        }
    }
}
