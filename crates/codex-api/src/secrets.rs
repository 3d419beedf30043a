//! The secrets of a request, so that what a service repeats of them is not shown on.

mod scrub;

use http::{
    HeaderMap, HeaderName, HeaderValue, Uri,
    header::{AUTHORIZATION, PROXY_AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL},
};
use http_transport::is_secret_header;
use turn_session::{TURN_STATE_HEADER, TurnState};

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

#[cfg(test)]
mod tests {
    use super::*;

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
