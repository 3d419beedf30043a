//! Error codes and what they mean for a second try, as data.

use std::fmt;

use serde::Serialize;

use self::ErrorClass as C;

/// What an API error code says about trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorClass {
    /// The request itself is at fault: the same request fails again.
    InvalidRequest,
    /// The input is longer than the model's context.
    ContextLength,
    /// Money or quota is used up.
    Quota,
    /// A plan's usage limit is reached until a stated time.
    UsageLimit,
    /// The service refuses the content.
    Policy,
    /// Credentials are missing, wrong, or not allowed to do this.
    Auth,
    /// The request alone is larger than the rate limit allows, so that no wait can help.
    OverLimit,
    /// Too many requests or tokens for now.
    RateLimit,
    /// The service has more work than it can do.
    Overloaded,
    /// The service failed on its side.
    Server,
    /// The chained response is not known (any more): the full input has to be sent.
    PreviousResponseNotFound,
    /// The socket is too old: a new one has to be opened.
    ConnectionLimit,
    /// Somebody cancelled the response.
    Cancelled,
    /// A code that this table does not know.
    Unknown,
}

impl ErrorClass {
    /// The name as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::ContextLength => "context_length",
            Self::Quota => "quota",
            Self::UsageLimit => "usage_limit",
            Self::Policy => "policy",
            Self::Auth => "auth",
            Self::OverLimit => "over_limit",
            Self::RateLimit => "rate_limit",
            Self::Overloaded => "overloaded",
            Self::Server => "server",
            Self::PreviousResponseNotFound => "previous_response_not_found",
            Self::ConnectionLimit => "connection_limit",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the same request, sent again, can succeed. [`Unknown`](Self::Unknown) codes count as retryable: the
    /// policy bounds them more tightly.
    pub fn is_retryable(self) -> bool {
        match self {
            Self::RateLimit
            | Self::Overloaded
            | Self::Server
            | Self::PreviousResponseNotFound
            | Self::ConnectionLimit
            | Self::Unknown => true,
            Self::InvalidRequest
            | Self::ContextLength
            | Self::Quota
            | Self::UsageLimit
            | Self::Policy
            | Self::Auth
            | Self::OverLimit
            | Self::Cancelled => false,
        }
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Exact codes (of `error.code`, else of `error.type`) and their class.
/// Sources: the API's error types, its error-code guide, and what hosted services were seen to send.
const CODES: &[(&str, ErrorClass)] = &[
    ("authentication_error", C::Auth),
    ("billing_hard_limit_reached", C::Quota),
    ("billing_not_active", C::Quota),
    ("bio_policy", C::Policy),
    ("cancelled", C::Cancelled),
    ("content_filter", C::Policy),
    ("content_policy_violation", C::Policy),
    ("context_length_exceeded", C::ContextLength),
    ("credit_balance_exhausted", C::Quota),
    ("cyber_policy", C::Policy),
    ("data_residency_mismatch", C::InvalidRequest),
    ("empty_image_file", C::InvalidRequest),
    ("engine_overloaded", C::Overloaded),
    ("failed_to_download_image", C::InvalidRequest),
    ("flex_unavailable", C::InvalidRequest),
    ("image_content_policy_violation", C::Policy),
    ("image_file_not_found", C::InvalidRequest),
    ("image_file_too_large", C::InvalidRequest),
    ("image_parse_error", C::InvalidRequest),
    ("image_too_large", C::InvalidRequest),
    ("image_too_small", C::InvalidRequest),
    ("insufficient_permissions", C::Auth),
    ("insufficient_quota", C::Quota),
    ("internal_error", C::Server),
    ("internal_server_error", C::Server),
    ("invalid_api_key", C::Auth),
    ("invalid_base64_image", C::InvalidRequest),
    ("invalid_function_parameters", C::InvalidRequest),
    ("invalid_image", C::InvalidRequest),
    ("invalid_image_format", C::InvalidRequest),
    ("invalid_image_mode", C::InvalidRequest),
    ("invalid_image_url", C::InvalidRequest),
    ("invalid_input", C::InvalidRequest),
    ("invalid_prompt", C::InvalidRequest),
    ("invalid_request", C::InvalidRequest),
    ("invalid_request_error", C::InvalidRequest),
    ("invalid_type", C::InvalidRequest),
    ("invalid_value", C::InvalidRequest),
    ("misalignment_policy_violation", C::Policy),
    ("missing_required_parameter", C::InvalidRequest),
    ("model_not_found", C::InvalidRequest),
    ("model_overloaded", C::Overloaded),
    ("not_found_error", C::InvalidRequest),
    ("overloaded_error", C::Overloaded),
    ("permission_denied", C::Auth),
    ("permission_error", C::Auth),
    ("previous_response_not_found", C::PreviousResponseNotFound),
    ("rate_limit_error", C::RateLimit),
    ("rate_limit_exceeded", C::RateLimit),
    ("response_cancelled", C::Cancelled),
    ("safety", C::Policy),
    ("server_error", C::Server),
    ("server_is_overloaded", C::Overloaded),
    ("slow_down", C::Overloaded),
    ("spend_limit_reached", C::Quota),
    ("string_above_max_length", C::InvalidRequest),
    ("timeout", C::Server),
    ("tool_use_failed", C::InvalidRequest),
    ("unknown_parameter", C::InvalidRequest),
    ("unsupported_country_region_territory", C::Auth),
    ("unsupported_image_media_type", C::InvalidRequest),
    ("unsupported_parameter", C::InvalidRequest),
    ("unsupported_value", C::InvalidRequest),
    ("upstream_error", C::Server),
    ("usage_limit_reached", C::UsageLimit),
    ("usage_not_included", C::Quota),
    ("vector_store_timeout", C::Server),
    ("websocket_connection_limit_reached", C::ConnectionLimit),
];

/// The class of a code. Codes are matched exactly; an unlisted one is [`ErrorClass::Unknown`], unless it is about an
/// image of the input (`image_…`, `invalid_image…`): the same image fails again.
pub fn classify_code(code: &str) -> ErrorClass {
    match CODES.binary_search_by_key(&code, |(known, _)| known) {
        Ok(at) => CODES[at].1,
        Err(_) if code.starts_with("image_") || code.starts_with("invalid_image") => ErrorClass::InvalidRequest,
        Err(_) => ErrorClass::Unknown,
    }
}

/// HTTP statuses and their class, for errors whose code says nothing; a range ends with its second status.
const STATUSES: &[(u16, u16, ErrorClass)] = &[
    (400, 400, C::InvalidRequest),
    (401, 401, C::Auth),
    (402, 402, C::Quota),
    (403, 403, C::Auth),
    (404, 407, C::InvalidRequest),
    (408, 409, C::Server),
    (410, 420, C::InvalidRequest),
    // A misdirected request, and one that was too early: both want another connection.
    (421, 421, C::Server),
    (422, 424, C::InvalidRequest),
    (425, 425, C::Server),
    (426, 428, C::InvalidRequest),
    (429, 429, C::RateLimit),
    (430, 499, C::InvalidRequest),
    (500, 500, C::Server),
    (501, 501, C::InvalidRequest),
    (502, 502, C::Server),
    (503, 503, C::Overloaded),
    (504, 504, C::Server),
    (505, 505, C::InvalidRequest),
    (506, 510, C::Server),
    // A captive portal wants a person.
    (511, 511, C::InvalidRequest),
    (512, 524, C::Server),
    // The edge cannot trust its origin's certificate: rarely for a moment only.
    (525, 526, C::Unknown),
    (527, 528, C::Server),
    (529, 529, C::Overloaded),
    (530, 599, C::Server),
];

/// The class of an HTTP status. One that is no error is [`ErrorClass::Unknown`].
pub fn classify_status(status: u16) -> ErrorClass {
    let row = STATUSES.iter().find(|(first, last, _)| (*first..=*last).contains(&status));
    row.map_or(ErrorClass::Unknown, |(_, _, class)| *class)
}

/// Every row of the status table: first and last status, and their class.
pub fn known_statuses() -> impl Iterator<Item = (u16, u16, ErrorClass)> {
    STATUSES.iter().copied()
}

/// Every known code with its class, in alphabetical order.
pub fn known_codes() -> impl Iterator<Item = (&'static str, ErrorClass)> {
    CODES.iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_without_repeats() {
        assert!(CODES.is_sorted_by(|(a, _), (b, _)| a < b));
    }

    #[test]
    fn a_class_is_called_the_same_in_json_and_in_words() {
        for (_, class) in known_codes() {
            assert_eq!(serde_json::to_value(class).unwrap(), class.to_string());
        }
        for class in [C::OverLimit, C::Unknown] {
            assert_eq!(serde_json::to_value(class).unwrap(), class.to_string());
        }
    }

    #[test]
    fn every_error_status_has_one_row() {
        let rows: Vec<u16> = STATUSES.iter().flat_map(|(first, last, _)| *first..=*last).collect();
        assert_eq!(rows, (400..=599).collect::<Vec<_>>());
    }

    #[test]
    fn codes_that_cannot_succeed_again_are_not_retryable() {
        for code in [
            "invalid_prompt",
            "context_length_exceeded",
            "insufficient_quota",
            "bio_policy",
            "invalid_api_key",
            "authentication_error",
            "not_found_error",
            "permission_error",
            "flex_unavailable",
            "image_of_a_new_kind",
            "invalid_image_of_a_new_kind",
        ] {
            assert!(!classify_code(code).is_retryable(), "{code}");
        }
        for code in ["server_error", "rate_limit_exceeded", "slow_down", "never_heard_of"] {
            assert!(classify_code(code).is_retryable(), "{code}");
        }
    }
}
