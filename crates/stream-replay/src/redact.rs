//! Header values that must not reach a log or a failing test's output.

use std::fmt;

use crate::secret_name::is_secret_name;

const REDACTED: &str = "<redacted>";

/// Shows headers as a map, secrets left out.
pub(crate) struct Headers<'a, V>(pub(crate) &'a [(String, V)]);

impl<V: AsRef<[u8]>> fmt::Debug for Headers<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.0.iter().map(|(name, value)| {
                let shown =
                    if is_secret_name(name) { REDACTED.into() } else { String::from_utf8_lossy(value.as_ref()) };
                (name, shown)
            }))
            .finish()
    }
}

/// A request target without its query, which some services take keys in.
pub(crate) fn target(target: &str) -> String {
    match target.split_once('?') {
        Some((path, _)) => format!("{path}?{REDACTED}"),
        None => target.to_owned(),
    }
}
