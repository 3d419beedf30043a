//! Headers of a caller's own.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use http_transport::is_secret_header;

use crate::Error;

/// Headers of which `Debug` shows the names alone: any of them may hold a secret.
#[derive(Clone, Default)]
pub(crate) struct OwnHeaders(pub(crate) HeaderMap);

impl fmt::Debug for OwnHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// A header as a caller writes it. `Debug` shows no value of a name that says it is secret.
pub(crate) fn parse(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let wrong = || Error::config(format!("{name:?} cannot be a header with that value"));
    let name = HeaderName::try_from(name).map_err(|cause| wrong().with_source(cause))?;
    let mut value = HeaderValue::try_from(value).map_err(|_| wrong())?;
    value.set_sensitive(is_secret_header(&name, &value));
    Ok((name, value))
}
