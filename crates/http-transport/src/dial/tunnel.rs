//! The tunnel stage: `CONNECT` (RFC 9110, section 9.3.6).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};

use crate::classify;
use crate::error::{Error, ErrorKind};
use crate::head::Head;
use crate::http1::Http1;
use crate::phase::Phase;
use crate::progress::Progress;
use crate::proxy::{Proxy, Refusal};
use crate::target::Endpoint;

use super::BoxStream;

/// A request for a tunnel under way, or a refusal that is being read.
pub(super) struct Tunnel {
    proxy: Arc<Proxy>,
    endpoint: Arc<Endpoint>,
    state: State,
}

enum State {
    Starting(Pin<Box<dyn Future<Output = hyper::Result<Http1>> + Send>>),
    Waiting(Box<Http1>),
    Refused(Box<Refusal>),
    Ended,
}

impl Tunnel {
    pub(super) fn start(stream: BoxStream, proxy: Arc<Proxy>, endpoint: Arc<Endpoint>) -> Result<Self, Error> {
        let request = request(&proxy, &endpoint).map_err(|cause| {
            let message = format!("{endpoint} cannot be asked for at a proxy");
            Error::new(ErrorKind::Config, Phase::Proxy, message).with_source(cause)
        })?;
        let state = State::Starting(Box::pin(Http1::start(stream, request)));
        Ok(Self { proxy, endpoint, state })
    }

    /// The refusal, as soon as its head is there.
    pub(super) fn refusal(&self) -> Option<&Refusal> {
        match &self.state {
            State::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<BoxStream, Error>> {
        loop {
            match &mut self.state {
                State::Starting(start) => {
                    let http = ready!(start.as_mut().poll(cx));
                    let http =
                        http.map_err(|cause| classify::tunnel(&self.proxy.endpoint, &Progress::default(), cause))?;
                    self.state = State::Waiting(Box::new(http));
                }
                State::Waiting(http) => {
                    let answer = http.poll_response(cx);
                    if http.is_interim_flood() {
                        let message = format!("{} sends interim answers without end", self.proxy.endpoint);
                        return Poll::Ready(Err(Error::new(ErrorKind::Proxy, Phase::Proxy, message)));
                    }
                    let response = ready!(answer)
                        .map_err(|cause| classify::tunnel(&self.proxy.endpoint, http.progress(), cause))?;
                    if let State::Waiting(http) = std::mem::replace(&mut self.state, State::Ended) {
                        if response.status().is_success() {
                            return Poll::Ready(self.opened(*http));
                        }
                        let head = (Head::from(&response), reason(&response));
                        let (proxy, endpoint) = (Arc::clone(&self.proxy), Arc::clone(&self.endpoint));
                        let refusal = Refusal::new(proxy, endpoint, Phase::Proxy, head, http);
                        self.state = State::Refused(Box::new(refusal));
                    }
                }
                State::Refused(refusal) => return Poll::Ready(Err(ready!(refusal.poll(cx)))),
                // Not polled again after its end.
                State::Ended => return Poll::Pending,
            }
        }
    }

    fn opened(&self, http: Http1) -> Result<BoxStream, Error> {
        let (proxy, endpoint) = (&self.proxy.endpoint, &self.endpoint);
        match http.into_stream() {
            Some((stream, leftover)) if leftover.is_empty() => Ok(stream),
            // Whatever is behind the tunnel waits for us to begin: this is the page of a portal, or worse.
            Some(_) => {
                let message = format!("{proxy} sent something else than a tunnel to {endpoint}");
                Err(Error::new(ErrorKind::Proxy, Phase::Proxy, message))
            }
            None => {
                let message = format!("{proxy} closed the tunnel to {endpoint} at once");
                Err(Error::new(ErrorKind::Proxy, Phase::Proxy, message).passing())
            }
        }
    }
}

fn request(proxy: &Proxy, endpoint: &Endpoint) -> Result<Request<Bytes>, http::Error> {
    let authority = endpoint.authority();
    let host = HeaderValue::from_str(&authority)?;
    let mut request =
        Request::builder().method(Method::CONNECT).uri(authority).header(header::HOST, host).body(Bytes::new())?;
    if let Some(value) = proxy.authorization() {
        request.headers_mut().insert(header::PROXY_AUTHORIZATION, value);
    }
    Ok(request)
}

/// The reason phrase as it was sent; hyper keeps only those that are not the usual ones.
fn reason(response: &http::Response<()>) -> String {
    match response.extensions().get::<hyper::ext::ReasonPhrase>() {
        Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
        None => response.status().canonical_reason().unwrap_or_default().to_owned(),
    }
}
