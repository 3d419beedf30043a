//! Reading a refusal to its end, within limits.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::body_reader::{BodyLimits, BodyReader};
use crate::classify;
use crate::error::{Error, ErrorKind};
use crate::head::Head;
use crate::http1::Http1;
use crate::phase::Phase;
use crate::target::Endpoint;

use super::answer::ProxyAnswer;
use super::url::Proxy;

/// Longest piece of a reason phrase that a message quotes, in characters.
const REASON: usize = 100;

/// A proxy's no, and the text that is still to come.
pub(crate) struct Refusal {
    proxy: Arc<Proxy>,
    endpoint: Arc<Endpoint>,
    phase: Phase,
    head: Head,
    reason: String,
    http: Box<Http1>,
    text: BodyReader,
}

impl Refusal {
    pub(crate) fn new(
        proxy: Arc<Proxy>,
        endpoint: Arc<Endpoint>,
        phase: Phase,
        (head, reason): (Head, String),
        http: Box<Http1>,
    ) -> Self {
        let limits = BodyLimits::default();
        let mut room = limits.bytes;
        // Whether more follows is of no interest.
        let text = BodyReader::new(limits).enough_when(move |piece| {
            room -= piece.len();
            room == 0
        });
        Self { proxy, endpoint, phase, head, reason, http, text }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    /// The error, once the text is there, or long enough, or late: the status says enough, whatever became of the text.
    /// Needs a tokio runtime.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        let Self { text, http, endpoint, .. } = self;
        let poll_data = |cx: &mut Context<'_>| {
            let data = ready!(http.poll_data(cx));
            Poll::Ready(data.map(|data| data.map_err(|cause| classify::body(endpoint, cause))))
        };
        let text = ready!(text.poll(cx, poll_data));
        Poll::Ready(self.with_text(&text.bytes))
    }

    /// The error with what there is of the text.
    pub(crate) fn error(&self) -> Error {
        self.with_text(self.text.bytes())
    }

    fn with_text(&self, text: &[u8]) -> Error {
        let text = String::from_utf8_lossy(text);
        let masked = |text: &str| match &self.proxy.credentials {
            Some(credentials) => credentials.masked(text),
            None => text.to_owned(),
        };
        let mut head = self.head.clone();
        for value in head.headers.values_mut() {
            let said = String::from_utf8_lossy(value.as_bytes());
            let shown = masked(&said);
            if shown != said {
                *value = HeaderValue::try_from(shown).unwrap_or(HeaderValue::from_static(""));
            }
        }
        let answer = ProxyAnswer { head, reason: masked(&self.reason), text: masked(&text) };
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
        // A message is a sentence, and a phrase may have any length.
        let reason = match answer.reason.char_indices().nth(REASON) {
            Some((at, _)) => format!("{}…", &answer.reason[..at]),
            None => answer.reason.clone(),
        };
        let status = format!("{} {reason}", answer.head.status.as_u16());
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
