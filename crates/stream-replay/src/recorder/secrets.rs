//! What must not be written down.

use std::collections::BTreeSet;

/// What stands in the place of a secret.
pub(super) const REDACTED: &str = "[redacted]";

/// Shorter values turn up by chance, where they are no secret.
const SHORTEST: usize = 6;

/// Values that nobody called secret, but something around them, are looked for elsewhere from this length only.
const SHORTEST_BELOW: usize = 16;

/// Values that were seen as secrets, to be found again where no name says so.
#[derive(Debug, Default, Clone)]
pub(super) struct Secrets(BTreeSet<Vec<u8>>);

impl Secrets {
    /// Remembers the value of a header, a field or a parameter.
    pub(super) fn learn(&mut self, value: &[u8]) {
        // `Bearer KEY`: the key alone turns up elsewhere. `name=value; name=value` as well.
        let parts = value.split(|byte| matches!(byte, b' ' | b';' | b',' | b'"'));
        for part in parts {
            let part = part.trim_ascii();
            let after_name = part.iter().position(|byte| *byte == b'=').map(|at| &part[at + 1..]);
            for secret in [Some(part), after_name].into_iter().flatten() {
                if secret.len() >= SHORTEST && !is_common(secret) {
                    self.0.insert(secret.to_vec());
                }
            }
        }
    }

    /// Remembers a value below a secret name, if it looks like a key: words of a schema stand in such places too.
    pub(super) fn learn_below(&mut self, value: &[u8]) {
        if value.len() >= SHORTEST_BELOW && !value.iter().any(u8::is_ascii_whitespace) {
            self.learn(value);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }
}

/// A name as it is compared: `client_secret`, `Client-Secret` and `clientSecret` are one.
pub(super) fn plain_name(name: &[u8]) -> String {
    String::from_utf8_lossy(name).to_ascii_lowercase().replace(['_', '-'], "")
}

/// Words that stand beside secrets: schemes, and attributes of cookies (RFC 6265 §4.1.1).
fn is_common(word: &[u8]) -> bool {
    let word = String::from_utf8_lossy(word).to_ascii_lowercase();
    let name = word.split('=').next().unwrap_or_default();
    matches!(
        name,
        "bearer" | "digest" | "expires" | "max-age" | "domain" | "samesite" | "secure" | "httponly" | "strict"
    ) || matches!(name, "path" | "partitioned" | "monday" | "tuesday" | "wednesday" | "thursday" | "friday")
        || word == REDACTED
}
