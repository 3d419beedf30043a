//! The body of a request over HTTP.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header::CONTENT_ENCODING};
use http_transport::{Coding, RequestCompression};

/// The body that all attempts of a request share. It is compressed when it is first sent, and no second time.
pub(crate) struct RequestBody {
    bytes: Bytes,
    /// What is still to be done.
    compression: RequestCompression,
    coding: Option<Coding>,
}

impl RequestBody {
    pub(crate) fn new(bytes: impl Into<Bytes>, compression: RequestCompression) -> Self {
        Self { bytes: bytes.into(), compression, coding: None }
    }

    /// The body for an attempt with these headers, which are told how it is encoded. A caller who names a coding has
    /// reasons that are not ours.
    pub(crate) fn send(&mut self, headers: &mut HeaderMap) -> Bytes {
        if headers.contains_key(CONTENT_ENCODING) {
            return self.bytes.clone();
        }
        if let Some((bytes, coding)) = std::mem::take(&mut self.compression).compress(&self.bytes) {
            self.bytes = bytes;
            self.coding = Some(coding);
        }
        if let Some(coding) = self.coding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.as_str()));
        }
        self.bytes.clone()
    }
}
