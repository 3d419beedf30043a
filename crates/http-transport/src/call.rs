//! One request on a connection, whichever version of HTTP that speaks.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::CONNECTION;
use http::{Response, StatusCode};

use crate::classify;
use crate::error::{Error, ErrorKind};
use crate::head::Head;
use crate::http1::Http1;
use crate::http2::Http2;
use crate::list;
use crate::phase::Phase;
use crate::target::Endpoint;
use crate::upgrade::Switch;

/// A request that was put on a connection: over HTTP/1.1 the connection itself, over HTTP/2 a stream of one.
pub(crate) enum Call {
    Http1(Box<Http1>),
    Http2(Box<Http2>),
}

impl Call {
    /// The response without its body, which stays here. Ready once. `phase` is for errors.
    pub(crate) fn poll_response(
        &mut self,
        cx: &mut Context<'_>,
        endpoint: &Endpoint,
        phase: Phase,
    ) -> Poll<Result<Response<()>, Error>> {
        match self {
            Self::Http1(http) => {
                let response = ready!(http.poll_response(cx));
                Poll::Ready(response.map_err(|cause| classify::head(endpoint, phase, http.progress(), cause)))
            }
            Self::Http2(http) => http.poll_response(cx, endpoint, phase),
        }
    }

    /// The next bytes of the body, or `None` at its clean end.
    pub(crate) fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
        endpoint: &Endpoint,
    ) -> Poll<Option<Result<Bytes, Error>>> {
        match self {
            Self::Http1(http) => {
                if let Some(coding) = http.take_foreign_coding() {
                    return Poll::Ready(Some(Err(classify::foreign_coding(endpoint, &coding))));
                }
                let data = ready!(http.poll_data(cx));
                Poll::Ready(data.map(|data| data.map_err(|cause| classify::body(endpoint, cause))))
            }
            Self::Http2(http) => http.poll_data(cx, endpoint),
        }
    }

    /// How much of the request is under way: bytes that the socket took (HTTP/1.1), or bytes of the body that the
    /// connection took (HTTP/2).
    pub(crate) fn written(&self) -> u64 {
        match self {
            Self::Http1(http) => http.progress().written(),
            Self::Http2(http) => http.written(),
        }
    }

    /// Whether the whole request was written (HTTP/1.1) or handed to the connection (HTTP/2).
    pub(crate) fn is_sent(&self) -> bool {
        match self {
            Self::Http1(http) => http.progress().is_sent(),
            Self::Http2(http) => http.is_sent(),
        }
    }

    /// Whether the server sent more interim answers than anyone needs.
    pub(crate) fn is_interim_flood(&self) -> bool {
        match self {
            Self::Http1(http) => http.is_interim_flood(),
            Self::Http2(http) => http.is_interim_flood(),
        }
    }

    /// Whether the connection may leave HTTP.
    pub(crate) fn switch(&self) -> Switch {
        match self {
            Self::Http1(http) => http.switch(),
            Self::Http2(_) => Switch::Excluded,
        }
    }

    /// Whether `error` says only that the server never saw the request, or that the connection had come to its end
    /// before it. Over HTTP/1.1 that is asked of connections that were used before.
    pub(crate) fn is_unseen(&self, error: &Error) -> bool {
        match self {
            Self::Http1(http) => match error.kind() {
                ErrorKind::Timeout => false,
                ErrorKind::Unanswered => http.progress().read() == 0,
                // What the server said to nobody (a 408, say) was not meant for this request.
                _ => http.progress().written() == 0,
            },
            Self::Http2(http) => http.is_unseen(error),
        }
    }

    /// Whether the answer says only that the connection was idle for too long, which crossed the request on a
    /// connection that was used before (RFC 9110, section 15.5.9): the server has not seen the request.
    pub(crate) fn is_late_timeout(&self, head: &Head) -> bool {
        matches!(self, Self::Http1(_))
            && head.status == StatusCode::REQUEST_TIMEOUT
            && list::members(&head.headers, CONNECTION).any(|option| option.eq_ignore_ascii_case(b"close"))
    }

    /// Keeps a shared connection from further requests, after `error` on this one.
    pub(crate) fn distrust(&self, error: &Error) {
        match self {
            // It is closed with this value.
            Self::Http1(_) => {}
            Self::Http2(http) => http.distrust(error),
        }
    }

    /// Keeps a shared connection from further requests.
    pub(crate) fn retire(&self) {
        match self {
            Self::Http1(_) => {}
            Self::Http2(http) => http.retire(),
        }
    }
}
