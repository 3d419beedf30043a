//! Reading a refusal to its end, within limits.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, StatusCode, header};

use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::head::Head;
use crate::http1::Http1;
use crate::phase::Phase;
use crate::target::Endpoint;

use super::answer::ProxyAnswer;
use super::url::Proxy;

const TEXT_LIMIT: usize = 64 * 1024;
const TEXT_TIME: Duration = Duration::from_secs(5);

/// A proxy's no, and the text that is still to come.
pub(crate) struct Refusal {
    proxy: Arc<Proxy>,
    endpoint: Arc<Endpoint>,
    phase: Phase,
    head: Head,
    reason: String,
    http: Box<Http1>,
    bytes: Vec<u8>,
    deadline: Deadline,
}

impl Refusal {
    /// Needs a tokio runtime.
    pub(crate) fn new(
        proxy: Arc<Proxy>,
        endpoint: Arc<Endpoint>,
        phase: Phase,
        (head, reason): (Head, String),
        http: Box<Http1>,
    ) -> Self {
        let deadline = Deadline::after(Some(TEXT_TIME));
        Self { proxy, endpoint, phase, head, reason, http, bytes: Vec::new(), deadline }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    /// The error, once the text is there, or long enough, or late.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        loop {
            match self.http.poll_data(cx) {
                Poll::Ready(Some(Ok(data))) => {
                    let room = TEXT_LIMIT - self.bytes.len();
                    self.bytes.extend_from_slice(&data[..data.len().min(room)]);
                    if data.len() >= room {
                        break;
                    }
                }
                Poll::Pending if self.deadline.poll_expired(cx).is_pending() => return Poll::Pending,
                // The status says enough, whatever became of the text.
                Poll::Ready(Some(Err(_)) | None) | Poll::Pending => break,
            }
        }
        Poll::Ready(self.error())
    }

    /// The error with what there is of the text.
    pub(crate) fn error(&self) -> Error {
        let text = String::from_utf8_lossy(&self.bytes);
        let masked = |text: &str| match &self.proxy.credentials {
            Some(credentials) => credentials.masked(text),
            None => text.to_owned(),
        };
        let answer = ProxyAnswer { head: self.head.clone(), reason: masked(&self.reason), text: masked(&text) };
        let said = answer.said();
        let error = Error::new(ErrorKind::Proxy, self.phase, self.message(&answer));
        let error = error.with_proxy_answer(answer);
        match said {
            Some(said) => error.with_source(said),
            None => error,
        }
    }

    fn message(&self, answer: &ProxyAnswer) -> String {
        let proxy = &self.proxy.endpoint;
        let status = format!("{} {}", answer.head.status.as_u16(), answer.reason);
        let status = status.trim_end();
        if answer.head.status != StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return format!("{proxy} refused to connect to {} ({status})", self.endpoint);
        }
        let schemes = schemes(&answer.head.headers);
        let offers = if schemes.is_empty() { String::new() } else { format!(", by {}", schemes.join(" or ")) };
        match self.proxy.credentials {
            Some(_) => format!("{proxy} did not accept the credentials ({status}{offers})"),
            None => format!("{proxy} asks for credentials ({status}{offers})"),
        }
    }
}

/// The names of the schemes (RFC 9110, section 11.7.1), without their parameters.
fn schemes(headers: &HeaderMap) -> Vec<&str> {
    let values = headers.get_all(header::PROXY_AUTHENTICATE).into_iter();
    let mut schemes: Vec<_> = values.filter_map(|value| value.to_str().ok()?.split([' ', ',']).next()).collect();
    schemes.truncate(5);
    schemes.retain(|scheme| !scheme.is_empty() && scheme.len() <= 20);
    schemes
}
