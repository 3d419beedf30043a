//! Dates of RFC 9110, section 5.6.7: the preferred form, RFC 850's and that of `asctime`.

use std::time::{Duration, SystemTime};

/// The date, since the beginning of 1970; `None` for what is no date or lies before.
pub(super) fn parse(text: &str) -> Option<Duration> {
    httpdate::parse_http_date(text.trim()).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()
}
