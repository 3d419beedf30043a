//! The client under test, and what it should bring.

use codex_api::{
    Client, ClientBuilder, Error, HttpVersions, Request, ResponseHeaders, RetryPolicy, TurnEvent, TurnStream, Wire,
};
use stream_replay::{Gate, ReplayServer, Response};

use crate::peers::{Logged, Site};
use crate::support::{at_once, drain, impatient, playing};

/// An answer of one message on the Responses API, and its text.
pub(crate) const TEXT: &str = include_str!("../fixtures/responses/text.sse");
/// One of two tool calls.
pub(crate) const CALLS: &str = include_str!("../fixtures/responses/parallel_calls.sse");
/// One of the Chat API.
pub(crate) const CHAT: &str = include_str!("../fixtures/chat/text_with_usage.sse");

/// The version of HTTP between the client and the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    Http1,
    Http2,
}

impl Version {
    /// As it stands in the proxies' logs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http1 => "HTTP/1.1",
            Self::Http2 => "HTTP/2.0",
        }
    }

    /// The setting that leads to it: of both, the proxies pick HTTP/2.
    fn setting(self) -> HttpVersions {
        match self {
            Self::Http1 => HttpVersions::Http1,
            Self::Http2 => HttpVersions::Auto,
        }
    }
}

/// A proxy, and the version that the client speaks with it.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    pub(crate) site: Site,
    pub(crate) version: Version,
}

impl Lane {
    /// The client, by the name of one of the proxy's ports. It trusts the suite's authority.
    pub(crate) fn builder(&self, route: &str) -> ClientBuilder {
        let builder = impatient(&self.site.base_url(route)).ca_file(&self.site.authority().root);
        builder.http_versions(self.version.setting())
    }

    pub(crate) fn client(&self, route: &str) -> Client {
        self.builder(route).build().unwrap()
    }

    pub(crate) async fn upstream(&self, responses: impl IntoIterator<Item = Response>) -> ReplayServer {
        self.site.upstream(responses).await
    }

    /// The first `count` requests of this check in the proxy's log, all of them in the version of this lane.
    pub(crate) async fn logged(&self, count: usize) -> Vec<Logged> {
        let logged = self.site.logged(count).await;
        let other = logged.iter().find(|request| request.protocol != self.version.name());
        if let Some(other) = other {
            panic!("the client spoke {} with the proxy instead of {}", other.protocol, self.version.name());
        }
        logged
    }
}

/// The policy that tries `attempts` times, without waits.
pub(crate) fn attempts(attempts: u32) -> RetryPolicy {
    at_once().with_max_attempts(attempts)
}

pub(crate) fn request() -> Request {
    Request::new("m").user("Hi")
}

/// A request in a turn and a conversation of its own.
pub(crate) fn ask(client: &Client) -> TurnStream {
    client.session().begin_turn().stream(request())
}

/// The events that `body` brings without any proxy.
pub(crate) async fn without_proxy(wire: Wire, body: &'static str) -> Vec<TurnEvent> {
    let server = playing([Response::sse(body)]).await;
    let (events, error) = drain(ask(&impatient(&server.base_url()).wire(wire).build().unwrap())).await;
    assert!(error.is_none(), "{error:?}");
    last_attempt(&events)
}

/// The events of the last attempt, its request aside, and the headers, of which a proxy has its own.
pub(crate) fn last_attempt(events: &[TurnEvent]) -> Vec<TurnEvent> {
    let events = events.rsplit(|event| matches!(event, TurnEvent::Request(_))).next().unwrap_or_default();
    let without_headers = |event: &TurnEvent| match event {
        TurnEvent::Opened(opened) => {
            let mut opened = opened.clone();
            opened.headers = ResponseHeaders::default();
            TurnEvent::Opened(opened)
        }
        event => event.clone(),
    };
    events.iter().map(without_headers).collect()
}

/// Reads a stream to its end, and lets its server pass `gate` as soon as some of the text has come through.
pub(crate) async fn drain_releasing(mut stream: TurnStream, gate: &Gate) -> (Vec<TurnEvent>, Option<Error>) {
    let mut events = Vec::new();
    while !matches!(events.last(), Some(TurnEvent::TextDelta(_))) {
        match stream.try_next().await {
            Ok(Some(event)) => events.push(event),
            Ok(None) => return (events, None),
            Err(error) => return (events, Some(error)),
        }
    }
    gate.release();
    let (rest, error) = drain(stream).await;
    events.extend(rest);
    (events, error)
}
