//! What the engine has to know of a response head.

use http::HeaderMap;
use response_events::ResponseHeaders;

use crate::{
    TURN_STATE_HEADER,
    quote::{HEADER_QUOTE, shortened},
};

/// The beginning of an answer. Of its headers `Debug` shows the names: among the values are the turn state and cookies.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResponseHead {
    /// The HTTP status code.
    pub status: u16,
    /// The headers.
    pub headers: ResponseHeaders,
}

/// What kind of body a head announces. The beginning of the body knows better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    /// No body at all (RFC 9110, sections 15.3.5 and 15.3.6).
    Nothing,
    /// An event stream.
    Events,
    /// A JSON document.
    Json,
    /// A page for people.
    Page,
    /// None of these, or nothing.
    Other,
}

impl ResponseHead {
    /// A head with all its headers, the turn state among them.
    pub fn new(status: u16, headers: HeaderMap) -> Self {
        Self { status, headers: headers.into() }
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the exchange goes on behind it, as an answer or as a WebSocket.
    pub(crate) fn goes_on(&self) -> bool {
        self.is_success() || self.status == 101
    }

    /// Whether it names another place (RFC 9110, section 15.4). A 304 speaks of the one that was asked.
    pub(crate) fn is_redirect(&self) -> bool {
        (300..400).contains(&self.status) && self.status != 304 && self.headers.get("location").is_some()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().filter(|value| !value.is_empty())
    }

    /// All headers whose values are text.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
    }

    /// The turn states that it brings, valid or not.
    pub(crate) fn turn_states(&self) -> impl Iterator<Item = &[u8]> {
        self.headers.get_all(TURN_STATE_HEADER).iter().map(http::HeaderValue::as_bytes)
    }

    /// Takes the turn states out: a state is only for the turn to hand out.
    pub(crate) fn withhold_turn_states(&mut self) {
        self.headers.make_mut().remove(TURN_STATE_HEADER);
    }

    /// The service's id of the request, under the names that services give it.
    pub(crate) fn request_id(&self) -> Option<String> {
        ["x-request-id", "x-oai-request-id", "apim-request-id", "x-amzn-requestid"]
            .iter()
            .find_map(|name| self.header(name))
            .map(str::to_owned)
    }

    /// The encoding of the body, unless it is none; of several headers the first that names one.
    pub(crate) fn content_encoding(&self) -> Option<&str> {
        let is_none = |coding: &str| matches!(&*coding.trim().to_ascii_lowercase(), "" | "identity");
        let values = self.headers.get_all("content-encoding").iter().filter_map(|value| value.to_str().ok());
        values.map(str::trim).find(|value| !value.split(',').all(is_none))
    }

    /// The content type, as messages quote it.
    pub(crate) fn shown_content_type(&self) -> Option<String> {
        self.header("content-type").map(|kind| shortened(kind, HEADER_QUOTE).into_owned())
    }

    /// What the status says, and then the content type.
    pub(crate) fn body_kind(&self) -> BodyKind {
        if matches!(self.status, 204 | 205) {
            return BodyKind::Nothing;
        }
        let content_type = self.header("content-type").unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if essence == "text/event-stream" {
            BodyKind::Events
        } else if essence.ends_with("/json") || essence.ends_with("+json") {
            BodyKind::Json
        } else if essence.ends_with("/html") || essence.ends_with("xml") {
            BodyKind::Page
        } else {
            BodyKind::Other
        }
    }
}
