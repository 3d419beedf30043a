//! From an error to its class, with the caller's own rows before the tables.

use std::collections::BTreeMap;

use crate::{ApiError, ErrorClass, class::classify_status, classify_code};

/// The tables of codes and statuses, with rows of the caller in front.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Classifier {
    codes: BTreeMap<String, ErrorClass>,
    statuses: BTreeMap<u16, ErrorClass>,
}

impl Classifier {
    /// The tables as they are.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a code (`error.code`, or `error.type` where there is none) another class.
    pub fn with_code(mut self, code: impl Into<String>, class: ErrorClass) -> Self {
        self.codes.insert(code.into(), class);
        self
    }

    /// Gives an HTTP status another class. It counts where the code says nothing.
    pub fn with_status(mut self, status: u16, class: ErrorClass) -> Self {
        self.statuses.insert(status, class);
        self
    }

    /// The class of an error: by `code`, else by `type`, else by the HTTP status that it carries. A
    /// `rate_limit_exceeded` whose message says that the request alone exceeds the limit is
    /// [`ErrorClass::OverLimit`], since no wait can help.
    pub fn classify(&self, error: &ApiError) -> ErrorClass {
        let by_status = || {
            // Gateways put the HTTP status in `code`.
            let status = error.status.or_else(|| error.code.as_deref()?.parse().ok())?;
            Some(self.classify_status(status))
        };
        let class = self.by_name(error).or_else(by_status).unwrap_or(ErrorClass::Unknown);
        if class == ErrorClass::RateLimit && requested_exceeds_limit(&error.message) {
            ErrorClass::OverLimit
        } else {
            class
        }
    }

    /// Whether the tables know neither code nor type of an error, so that its status decides.
    pub fn is_by_status(&self, error: &ApiError) -> bool {
        self.by_name(error).is_none() && self.classify(error) != ErrorClass::Unknown
    }

    /// Whether there is a row for the code or the type of an error.
    pub(crate) fn knows(&self, error: &ApiError) -> bool {
        self.by_name(error).is_some()
    }

    /// The class of an HTTP status.
    pub fn classify_status(&self, status: u16) -> ErrorClass {
        self.statuses.get(&status).copied().unwrap_or_else(|| classify_status(status))
    }

    fn by_name(&self, error: &ApiError) -> Option<ErrorClass> {
        let names = [error.code.as_deref(), error.error_type.as_deref()];
        names.into_iter().flatten().map(|name| self.classify_code(name)).find(|class| *class != ErrorClass::Unknown)
    }

    fn classify_code(&self, code: &str) -> ErrorClass {
        self.codes.get(code).copied().unwrap_or_else(|| classify_code(code))
    }
}

/// The service states both numbers: "… Limit 1, Requested 30 …".
fn requested_exceeds_limit(message: &str) -> bool {
    let number_after = |word: &str| -> Option<u64> {
        let rest = &message[message.find(word)? + word.len()..];
        let digits: String =
            rest.chars().take_while(|c| c.is_ascii_digit() || *c == ',').filter(|c| *c != ',').collect();
        digits.parse().ok()
    };
    matches!((number_after("Limit "), number_after("Requested ")), (Some(limit), Some(requested)) if requested > limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_caller_come_first() {
        let classifier =
            Classifier::new().with_code("server_error", ErrorClass::Policy).with_status(404, ErrorClass::Server);
        let coded = ApiError { code: Some("server_error".into()), ..ApiError::new("x") };
        assert_eq!(classifier.classify(&coded), ErrorClass::Policy);
        let bare = ApiError { status: Some(404), ..ApiError::new("x") };
        assert_eq!((bare.class(), classifier.classify(&bare)), (ErrorClass::InvalidRequest, ErrorClass::Server));
    }

    #[test]
    fn a_request_over_the_limit_is_not_a_matter_of_waiting() {
        let too_large = "Request too large on tokens per min (TPM): Limit 30,000, Requested 30,001. Visit …";
        let wait =
            "Rate limit reached on tokens per min (TPM): Limit 30000, Used 29999, Requested 30. Try again in 1.2s";
        for (message, class) in [(too_large, ErrorClass::OverLimit), (wait, ErrorClass::RateLimit)] {
            let error = ApiError { code: Some("rate_limit_exceeded".into()), ..ApiError::new(message) };
            assert_eq!(error.class(), class, "{message}");
        }
    }
}
