//! Variables of the environment, by a look-up that can be replaced.

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

/// Where a transport looks up the variables that name proxies and certificates: once, when it is built.
///
/// Which ones: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, or else the same in lower case,
/// `REQUEST_METHOD` (see [`ProxySettings::Environment`](crate::ProxySettings)), `CODEX_CA_CERTIFICATE` and
/// `SSL_CERT_FILE`. An empty value is as good as none.
#[derive(Clone)]
pub struct Environment(Arc<LookUp>);

type LookUp = dyn Fn(&str) -> Option<OsString> + Send + Sync;

impl Environment {
    /// That of the process.
    pub fn process() -> Self {
        Self::from_fn(|name| std::env::var_os(name))
    }

    /// One without variables.
    pub fn empty() -> Self {
        Self::from_fn(|_| None)
    }

    /// One that asks `look_up`.
    pub fn from_fn(look_up: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static) -> Self {
        Self(Arc::new(look_up))
    }

    /// The value as it is, empty or not.
    pub(crate) fn raw(&self, name: &str) -> Option<OsString> {
        (self.0)(name)
    }

    /// The value, unless it is empty.
    pub(crate) fn value(&self, name: &str) -> Option<OsString> {
        self.raw(name).filter(|value| !value.is_empty())
    }

    /// The first of `names` that has a value, with its value.
    pub(crate) fn first(&self, names: &[&'static str]) -> Option<(&'static str, OsString)> {
        names.iter().find_map(|name| Some((*name, self.value(name)?)))
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self::process()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}
