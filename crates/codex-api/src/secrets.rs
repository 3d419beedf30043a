//! What a service repeats of the caller's secrets: it is not shown on.

use std::error::Error as StdError;

use http::{
    HeaderMap, HeaderName, HeaderValue, Uri,
    header::{AUTHORIZATION, PROXY_AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL},
};
use http_transport::is_secret_header;
use response_events::{ApiError, Completed, Failure, Ledger, Opened, ResponseHeaders, TurnEvent, Usage};
use serde_json::Value;
use turn_session::{TURN_STATE_HEADER, TurnState};

const REDACTED: &str = "[redacted]";

/// Shorter ones would be found everywhere.
const SHORTEST: usize = 6;

/// Keys are longer, names of protocols seldom.
const SHORTEST_SUBPROTOCOL: usize = 16;

/// The secrets of one request, as far as they are known here.
pub(crate) struct Secrets {
    /// What went out as a credential in any attempt: a late answer may repeat an old one. And what came as a turn
    /// state.
    credentials: Vec<String>,
    state: TurnState,
}

impl Secrets {
    pub(crate) fn new(state: TurnState) -> Self {
        Self { credentials: Vec::new(), state }
    }

    /// Takes in the credentials of a request as it goes out, whoever put them there.
    pub(crate) fn learn(&mut self, uri: &Uri, headers: &HeaderMap) {
        for (name, value) in uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('=')) {
            // Named as headers are, and `key` alone.
            if is_secret_name(&format!("x-{}", name.replace('_', "-"))) {
                self.add(value);
                // A service quotes what it reads.
                self.add(&unescaped(value));
            }
        }
        headers.iter().for_each(|(name, value)| self.learn_header(name, value));
    }

    /// The same of one header, also ahead of the request: the URL may have the key in its path.
    pub(crate) fn learn_header(&mut self, name: &HeaderName, value: &HeaderValue) {
        let Some(text) = value.to_str().ok().filter(|_| is_secret_header(name, value)) else { return };
        if name == SEC_WEBSOCKET_PROTOCOL {
            return text.split(',').filter_map(|entry| of_subprotocol(entry.trim())).for_each(|key| self.add(key));
        }
        // Behind its scheme (RFC 9110, section 11.4) stands what a service would quote.
        let is_authorization = name == AUTHORIZATION || name == PROXY_AUTHORIZATION;
        self.add(text.split_once(' ').filter(|_| is_authorization).map_or(text, |(_, secret)| secret).trim());
    }

    fn add(&mut self, secret: &str) {
        if secret.len() >= SHORTEST && !self.credentials.iter().any(|known| known == secret) {
            self.credentials.push(secret.to_owned());
        }
    }

    /// Takes in the turn states of a head, whether or not the turn does.
    pub(crate) fn learn_state(&mut self, headers: &HeaderMap) {
        for state in headers.get_all(TURN_STATE_HEADER).iter().filter_map(|value| value.to_str().ok()) {
            if self.state.get() != Some(state) {
                self.add(state);
            }
        }
    }

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

    fn all(&self) -> impl Iterator<Item = &str> {
        let state = self.state.get().filter(|state| state.len() >= SHORTEST);
        self.credentials.iter().map(String::as_str).chain(state)
    }
}

/// The text of an escaped part of a query (RFC 3986, section 2.1).
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let digit =
            |at: usize| behind.get(at).filter(|_| *first == b'%').and_then(|byte| char::from(*byte).to_digit(16));
        let (byte, behind) = match (digit(0), digit(1)) {
            (Some(high), Some(low)) => ((high * 16 + low) as u8, &behind[2..]),
            _ => (*first, behind),
        };
        bytes.push(byte);
        rest = behind;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether a header of that name would be secret.
fn is_secret_name(name: &str) -> bool {
    HeaderName::try_from(name).is_ok_and(|name| is_secret_header(&name, &HeaderValue::from_static("")))
}

/// The secret in a subprotocol, as in `openai-insecure-api-key.KEY`. One without such a label may be a key as a whole,
/// if it is long; shorter ones are words.
fn of_subprotocol(entry: &str) -> Option<&str> {
    match entry.split_once('.') {
        Some((label, key)) if is_secret_name(label) => Some(key),
        _ => (entry.len() >= SHORTEST_SUBPROTOCOL).then_some(entry),
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
}

#[cfg(test)]
mod tests {
    use response_events::{Interpreter, InterpreterOptions, Wire};

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

    #[test]
    fn parameters_are_secret_by_their_names() {
        let learned = |query: &str| {
            let mut secrets = Secrets::new(TurnState::new());
            secrets.learn(&format!("http://host/v1?{query}").parse().unwrap(), &HeaderMap::new());
            secrets.credentials
        };
        for name in ["key", "api-key", "api_key", "apiKey", "token", "access_token", "client_secret"] {
            assert_eq!(learned(&format!("a=b&{name}=0123456789")), ["0123456789"], "{name}");
        }
        assert_eq!(learned("key=01%2B23%2f45%3D%3D"), ["01%2B23%2f45%3D%3D", "01+23/45=="]);
        assert_eq!(learned("key=0123%zz%4"), ["0123%zz%4"]);
        for query in ["api-version=2025-01-01", "region=europe-west", "key", "key=", "key=abc", "", "=0123456789"] {
            assert!(learned(query).is_empty(), "{query}");
        }
    }
}
