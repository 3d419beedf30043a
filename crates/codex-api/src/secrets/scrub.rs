//! Where a secret can stand in what a service says.

use std::error::Error as StdError;

use http::HeaderValue;
use http_transport::is_secret_header;
use response_events::{ApiError, Completed, Failure, Ledger, Opened, ResponseHeaders, TurnEvent, Usage};
use serde_json::Value;

use super::Secrets;

const REDACTED: &str = "[redacted]";

impl Secrets {
    /// Some services quote the key that they refuse.
    pub(crate) fn scrub_failure(&self, mut failure: Failure) -> Failure {
        for secret in self.all() {
            scrub(&mut failure.message, secret);
            scrub_all([&mut failure.code, &mut failure.request_id], secret);
        }
        failure.api.iter_mut().for_each(|error| self.scrub_api(error));
        failure
    }

    /// The service's own error object.
    pub(crate) fn scrub_api(&self, error: &mut ApiError) {
        for secret in self.all() {
            scrub(&mut error.message, secret);
            scrub_all([&mut error.code, &mut error.error_type, &mut error.param], secret);
            error.details.values_mut().for_each(|value| scrub_value(value, secret));
        }
    }

    /// What is known of the response.
    pub(crate) fn scrub_ledger(&self, ledger: &mut Ledger) {
        for secret in self.all() {
            let said = [&mut ledger.response_id, &mut ledger.model, &mut ledger.status, &mut ledger.incomplete_reason];
            scrub_all(said.into_iter().chain([&mut ledger.terminal_event]), secret);
            scrub_all(ledger.choices.values_mut().map(|choice| &mut choice.finish_reason), secret);
            ledger.done_item_types.iter_mut().for_each(|name| scrub(name, secret));
            ledger.event_types.rename(|name| name.contains(secret).then(|| name.replace(secret, REDACTED)));
            scrub_usage(&mut ledger.usage, secret);
        }
        ledger.error.iter_mut().for_each(|error| self.scrub_api(error));
    }

    /// Whether an error, or one behind it, would show a secret to whom it is printed.
    pub(crate) fn are_in(&self, error: &(dyn StdError + 'static)) -> bool {
        let mut shown = format!("{error:?}");
        let mut next = Some(error);
        while let Some(error) = next {
            shown.push_str(&error.to_string());
            next = error.source();
        }
        self.all().any(|secret| shown.contains(secret))
    }

    /// Replaces secrets in a head. Cookies and the like are for the caller: they stay, and do not show themselves.
    pub(crate) fn scrub_opened(&self, opened: &mut Opened) {
        for secret in self.all() {
            scrub_all([&mut opened.request_id], secret);
            scrub_headers(&mut opened.headers, secret);
        }
        let headers = opened.headers.make_mut().iter_mut();
        headers.for_each(|(name, value)| value.set_sensitive(is_secret_header(name, value)));
    }

    /// Replaces secrets in what is passed on as it came; the answer's own text is the model's.
    pub(crate) fn scrub_event(&self, event: &mut TurnEvent) {
        // Most events are the model's, and come often.
        let is_passed_on = matches!(
            event,
            TurnEvent::Request(_)
                | TurnEvent::Opened(_)
                | TurnEvent::Created(_)
                | TurnEvent::RateLimits(_)
                | TurnEvent::Completed(_)
                | TurnEvent::Incomplete(_)
                | TurnEvent::Retry(_)
                | TurnEvent::Fallback(_)
                | TurnEvent::Malformed(_)
                | TurnEvent::Unknown(_)
                | TurnEvent::Other(_)
        );
        if !is_passed_on {
            return;
        }
        if let TurnEvent::Opened(opened) = event {
            return self.scrub_opened(opened);
        }
        for secret in self.all() {
            match event {
                TurnEvent::Request(request) => scrub(&mut request.url, secret),
                TurnEvent::Created(created) => {
                    scrub_all([&mut created.response_id, &mut created.model], secret);
                    created.raw.iter_mut().for_each(|raw| raw.replace(secret, REDACTED));
                }
                TurnEvent::RateLimits(limits) => {
                    scrub(&mut limits.limit_id, secret);
                    // Ids are written alike, whatever the service writes.
                    scrub(&mut limits.limit_id, &secret.to_lowercase().replace(['-', ' '], "_"));
                    scrub_all([&mut limits.limit_name, &mut limits.plan_type], secret);
                    scrub_all(limits.credits.iter_mut().map(|credits| &mut credits.balance), secret);
                }
                TurnEvent::Completed(response) => scrub_response(response, secret),
                TurnEvent::Incomplete(incomplete) => {
                    scrub(&mut incomplete.reason, secret);
                    scrub_response(&mut incomplete.response, secret);
                }
                TurnEvent::Retry(retry) => {
                    scrub(&mut retry.message, secret);
                    scrub_all([&mut retry.code, &mut retry.request_id], secret);
                }
                TurnEvent::Fallback(fallback) => scrub(&mut fallback.reason, secret),
                TurnEvent::Malformed(malformed) => {
                    scrub_all([&mut malformed.event], secret);
                    scrub(&mut malformed.error, secret);
                    scrub(&mut malformed.raw, secret);
                }
                TurnEvent::Unknown(other) | TurnEvent::Other(other) => {
                    scrub(&mut other.event, secret);
                    other.raw.replace(secret, REDACTED);
                }
                _ => {}
            }
        }
    }
}

fn scrub_response(response: &mut Completed, secret: &str) {
    scrub_all([&mut response.response_id, &mut response.model, &mut response.finish_reason], secret);
    scrub_usage(&mut response.usage, secret);
    response.raw.iter_mut().for_each(|raw| raw.replace(secret, REDACTED));
}

fn scrub_usage(usage: &mut Option<Usage>, secret: &str) {
    if let Some(mut value) = usage.as_ref().map(Usage::as_json).filter(|json| is_in(json, secret)).cloned() {
        scrub_value(&mut value, secret);
        *usage = Usage::from_json(value);
    }
}

fn scrub_all<'a>(texts: impl IntoIterator<Item = &'a mut Option<String>>, secret: &str) {
    texts.into_iter().flatten().for_each(|text| scrub(text, secret));
}

/// Whether a secret stands in a value, at any depth.
fn is_in(value: &Value, secret: &str) -> bool {
    match value {
        Value::String(text) => text.contains(secret),
        Value::Array(values) => values.iter().any(|value| is_in(value, secret)),
        Value::Object(map) => map.values().any(|value| is_in(value, secret)),
        _ => false,
    }
}

fn scrub_headers(headers: &mut ResponseHeaders, secret: &str) {
    for value in headers.make_mut().values_mut() {
        let text = String::from_utf8_lossy(value.as_bytes());
        if text.contains(secret) {
            // Of the same characters as before, it is a value as before.
            *value =
                HeaderValue::try_from(text.replace(secret, REDACTED)).unwrap_or(HeaderValue::from_static(REDACTED));
        }
    }
}

/// What stands in an error object beside its message, at any depth.
fn scrub_value(value: &mut Value, secret: &str) {
    match value {
        Value::String(text) => scrub(text, secret),
        Value::Array(values) => values.iter_mut().for_each(|value| scrub_value(value, secret)),
        Value::Object(map) => map.values_mut().for_each(|value| scrub_value(value, secret)),
        _ => {}
    }
}

fn scrub(text: &mut String, secret: &str) {
    if text.contains(secret) {
        *text = text.replace(secret, REDACTED);
    }
    scrub_cut(text, secret);
}

/// Takes out the beginning of a secret in which a quote was cut.
fn scrub_cut(text: &mut String, secret: &str) {
    /// Shorter ones tell nothing (`sk-`).
    const LEAST: usize = 4;
    let cuts: Vec<usize> = text.match_indices('…').map(|(at, _)| at).collect();
    // From behind, so that the cuts before it stay where they are.
    for cut in cuts.into_iter().rev() {
        let mut beginnings = (LEAST..secret.len()).rev().filter_map(|length| secret.get(..length));
        if let Some(left) = beginnings.find(|left| text[..cut].ends_with(left)) {
            text.replace_range(cut - left.len()..cut, REDACTED);
        }
    }
}

#[cfg(test)]
mod tests {
    use response_events::{Interpreter, InterpreterOptions, Wire};

    use http::{Uri, header::AUTHORIZATION};
    use turn_session::TurnState;

    use super::*;

    /// The event of a payload, with the key in every text of it, scrubbed.
    #[track_caller]
    fn check(payload: &str, put: fn(&mut TurnEvent)) {
        let mut stream = Interpreter::new(Wire::Responses, InterpreterOptions::default());
        stream.handle_event(None, payload.as_bytes());
        let mut event = stream.poll_event().unwrap();
        put(&mut event);
        let mut secrets = Secrets::new(TurnState::new());
        secrets.learn(
            &Uri::default(),
            &[(AUTHORIZATION, HeaderValue::from_static("Bearer sk-0123"))].into_iter().collect(),
        );
        secrets.scrub_event(&mut event);
        let shown = format!("{event:?} {}", serde_json::to_string(&event).unwrap());
        assert!(!shown.replace('_', "-").contains("sk-0123") && shown.contains(REDACTED), "{shown}");
    }

    #[test]
    fn a_secret_in_which_a_quote_was_cut_is_scrubbed_as_far_as_it_goes() {
        for (text, expected) in [
            ("no sk-0123 here", "no [redacted] here"),
            ("quoted: sk-012…", "quoted: [redacted]…"),
            ("quoted: sk-0…, and sk-0123: sk-01…", "quoted: [redacted]…, and [redacted]: [redacted]…"),
            ("ends in sk-01", "ends in sk-01"),
            ("sk-012 alone, sk-…", "sk-012 alone, sk-…"),
            ("sk-01ü…", "sk-01ü…"),
            ("", ""),
        ] {
            let mut scrubbed = text.to_owned();
            scrub(&mut scrubbed, "sk-0123");
            assert_eq!(scrubbed, expected, "{text}");
        }
    }

    #[test]
    fn every_text_of_an_event_that_is_passed_on_is_scrubbed() {
        check("x", |event| {
            let TurnEvent::Malformed(malformed) = event else { panic!("{event:?}") };
            malformed.event = Some("sk-0123.event".to_owned());
            // As serde_json says it.
            malformed.error = "invalid type: string \"sk-0123\", expected a map".to_owned();
            malformed.raw = "sk-0123".to_owned();
        });
        check(r#"{"type":"sk-0123.event","text":"sk-0123"}"#, |_| {});
        check(r#"{"type":"response.created","response":{"text":"sk-0123"}}"#, |_| {});
        check(r#"{"type":"response.in_progress","text":"sk-0123"}"#, |_| {});
        for name in ["limit_name", "metered_limit_name"] {
            let limits = format!(r#"{{"type":"codex.rate_limits","{name}":"sk-0123","rate_limits":{{}}}}"#);
            check(&limits, |event| assert!(matches!(event, TurnEvent::RateLimits(_))));
        }
    }
}
