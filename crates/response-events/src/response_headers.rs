//! What the service said before the answer.

use std::{fmt, ops::Deref, sync::Arc};

use http::HeaderMap;

/// The headers of a response, to be read as an [`http::HeaderMap`]. Clones share them.
///
/// `Debug` shows their names: among the values may be cookies.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ResponseHeaders(Arc<HeaderMap>);

impl ResponseHeaders {
    /// The headers, to be changed: in place where nobody shares them, and in a copy otherwise.
    pub fn make_mut(&mut self) -> &mut HeaderMap {
        Arc::make_mut(&mut self.0)
    }
}

impl From<HeaderMap> for ResponseHeaders {
    fn from(headers: HeaderMap) -> Self {
        Self(Arc::new(headers))
    }
}

impl Deref for ResponseHeaders {
    type Target = HeaderMap;

    fn deref(&self) -> &HeaderMap {
        &self.0
    }
}

impl fmt::Debug for ResponseHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}
