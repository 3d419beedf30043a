//! Headers of a caller's own.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use http_transport::is_secret_header;
use turn_session::TURN_STATE_HEADER;

use crate::Error;

/// Headers of which `Debug` shows the names alone: any of them may hold a secret.
#[derive(Clone, Default)]
pub(crate) struct OwnHeaders(pub(crate) HeaderMap);

impl fmt::Debug for OwnHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// A header as a caller writes it; the turn state cannot be one. `Debug` shows no value of a name that says it is
/// secret.
pub(crate) fn parse(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let wrong = || Error::config(format!("{name:?} cannot be a header with that value"));
    let name = HeaderName::try_from(name).map_err(|cause| wrong().with_source(cause))?;
    // It belongs to one turn, and a header that a caller sets goes with all of them.
    if name == TURN_STATE_HEADER {
        let message =
            format!("{TURN_STATE_HEADER} cannot be set: a turn learns it, and `Session::resume_turn` goes on with one");
        return Err(Error::config(message));
    }
    let mut value = HeaderValue::try_from(value).map_err(|_| wrong())?;
    value.set_sensitive(is_secret_header(&name, &value));
    Ok((name, value))
}
