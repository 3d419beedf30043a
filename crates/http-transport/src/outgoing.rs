//! A request made ready for the wire.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use http_body::{Body, Frame, SizeHint};

use crate::error::{Error, ErrorKind};
use crate::phase::Phase;
use crate::progress::Progress;
use crate::proxy::Route;
use crate::request::Request;
use crate::target::Target;

/// The body of a request: one frame, or none.
pub(crate) struct RequestBody {
    data: Option<Bytes>,
    progress: Arc<Progress>,
}

impl RequestBody {
    pub(crate) fn new(data: Bytes, progress: Arc<Progress>) -> Self {
        if data.is_empty() {
            progress.body_taken();
        }
        let data = Some(data).filter(|data| !data.is_empty());
        Self { data, progress }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        this.progress.body_taken();
        Poll::Ready(this.data.take().map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.as_ref().map_or(0, |data| data.len() as u64))
    }
}

/// Puts the caller's request into the form of RFC 9112: origin form (or absolute form, for a proxy), `host`, the
/// framing headers from the body.
pub(crate) fn prepare(request: Request, target: &Target, route: &Route) -> Result<http::Request<Bytes>, Error> {
    if request.method == Method::CONNECT {
        let message = "cannot send a CONNECT request: its answer is a tunnel";
        return Err(Error::new(ErrorKind::Config, Phase::Dns, message));
    }
    let length = request.body.len();
    // RFC 9110, section 8.6: a method that expects a body says that there is none, others stay silent.
    let announce = length > 0 || matches!(request.method, Method::POST | Method::PUT | Method::PATCH);

    let mut outgoing = http::Request::new(request.body);
    *outgoing.method_mut() = request.method;
    *outgoing.uri_mut() = match route {
        Route::Forward(_) => target.absolute_form(),
        Route::Direct | Route::Tunnel(_) => None,
    }
    .unwrap_or_else(|| target.origin_form.clone());
    let headers = outgoing.headers_mut();
    *headers = request.headers;
    headers.entry(header::HOST).or_insert_with(|| target.host_header.clone());
    if let Route::Forward(proxy) = route {
        if let Some(value) = proxy.authorization() {
            headers.entry(header::PROXY_AUTHORIZATION).or_insert(value);
        }
    }
    headers.remove(header::EXPECT);
    headers.remove(header::TRANSFER_ENCODING);
    headers.remove(header::CONTENT_LENGTH);
    if announce {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(outgoing)
}
