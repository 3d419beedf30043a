//! Faults as rows of a table: what a server does, what comes of it, and what else holds. The names of the rows begin
//! with the numbers in `docs/faults.md`.

use codex_api::{FailureKind, Request, TurnEvent, Wire};
use stream_replay::{FaultScript, Response};

use super::{Tap, assert_portable, impatient, playing, soon};

/// The steps that begin an event stream.
pub(crate) const SSE: &str = "head 200 \"content-type: text/event-stream\" \"transfer-encoding: chunked\"\n";
pub(crate) const CREATED: &str = "{\"type\":\"response.created\",\"response\":{\"id\":\"r\"}}";
pub(crate) const TEXT: &str = "{\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"Hé\"}";
pub(crate) const COMPLETED: &str = "{\"type\":\"response.completed\",\"response\":{\"id\":\"r\"}}";
pub(crate) const FLAGGED: &str = "{\"type\":\"response.failed\",\"response\":{\"id\":\"r\",\"error\":{\"code\":\"invalid_prompt\",\"message\":\"No.\"}}}";

/// How a request ends.
#[derive(Debug)]
pub(crate) enum Ends {
    /// With an answer: its text, and how many events were not understood.
    Answer { text: &'static str, unknown: u64, malformed: u64 },
    /// Incomplete, for this reason.
    Incomplete(&'static str),
    /// With an error.
    Fails {
        kind: FailureKind,
        code: Option<&'static str>,
        retryable: bool,
        /// Which are the attempts, too.
        requests: usize,
        /// A part of the message.
        message: &'static str,
    },
}

/// What else holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// The service ended the connection itself.
    Ended,
    /// The service goes on, or holds the connection: the client is done all the same, and lets go of it.
    LetsGo,
}

/// A fault: what is sent in answer to every request, and what comes of it.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) wire: Wire,
    pub(crate) script: String,
    pub(crate) ends: Ends,
    pub(crate) bound: Bound,
}

pub(crate) fn answer(text: &'static str) -> Ends {
    Ends::Answer { text, unknown: 0, malformed: 0 }
}

/// Nothing helps.
pub(crate) fn never(kind: FailureKind, message: &'static str) -> Ends {
    Ends::Fails { kind, code: None, retryable: false, requests: 1, message }
}

/// One more try may help.
pub(crate) fn once(kind: FailureKind, message: &'static str) -> Ends {
    Ends::Fails { kind, code: None, retryable: true, requests: 2, message }
}

/// It is tried as often as attempts are allowed.
pub(crate) fn always(kind: FailureKind, message: &'static str) -> Ends {
    Ends::Fails { kind, code: None, retryable: true, requests: 9, message }
}

/// A step that sends these bytes.
pub(crate) fn send(bytes: impl AsRef<[u8]>) -> String {
    let nothing = bytes.as_ref().is_empty();
    if nothing { String::new() } else { step("send", bytes) }
}

pub(crate) fn step(name: &str, bytes: impl AsRef<[u8]>) -> String {
    let text = bytes.as_ref().escape_ascii().to_string();
    format!("{name} \"{}\"\n", text.replace("\\'", "'"))
}

/// A step that sends these payloads, an event and a chunk each.
pub(crate) fn events<'a>(payloads: impl IntoIterator<Item = &'a str>) -> String {
    payloads.into_iter().map(|payload| step("chunk", format!("data: {payload}\n\n"))).collect()
}

/// An event stream with these payloads, and how it goes on.
pub(crate) fn stream<'a>(payloads: impl IntoIterator<Item = &'a str>, then: &str) -> String {
    format!("{SSE}{}{then}", events(payloads))
}

/// These bytes one by one, each read before the next is sent.
pub(crate) fn drop_by_drop(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| send([*byte]) + "gate\n").collect()
}

pub(crate) async fn check(row: Row) {
    let Row { name, wire, script, ends, bound } = row;
    let script = FaultScript::parse(&script).unwrap_or_else(|error| panic!("{name}: {error}"));
    let server = playing([Response::fault(script.clone())]).await;
    let client = impatient(&server.base_url()).wire(wire).build().unwrap();
    let mut stream = client.session().begin_turn().stream(Request::new("m").user("Hi"));
    let mut tap = Tap::new(script.gate());
    let mut text = String::new();
    let mut last = None;
    let error = loop {
        match soon(tap.try_next(&mut stream)).await {
            Ok(Some(TurnEvent::Request(_))) => text.clear(),
            Ok(Some(TurnEvent::TextDelta(delta))) => text.push_str(&delta.text),
            Ok(Some(event)) => {
                assert!(!last.as_ref().is_some_and(TurnEvent::is_terminal), "{name}: {event:?} behind the end");
                last = Some(event);
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    assert!(matches!(stream.try_next().await, Ok(None)), "{name}: a stream ends once");
    let expected = format!("{name}: {error:?}, {last:?}");
    match ends {
        Ends::Answer { text: whole, unknown, malformed } => {
            assert!(error.is_none() && matches!(last, Some(TurnEvent::Completed(_))), "{expected}");
            assert_eq!((text.as_str(), server.requests().len()), (whole, 1), "{expected}");
            let ledger = stream.ledger();
            assert_eq!((ledger.unknown, ledger.malformed), (unknown, malformed), "{expected}");
        }
        Ends::Incomplete(reason) => {
            let Some(TurnEvent::Incomplete(incomplete)) = last else { panic!("{expected}") };
            assert_eq!((incomplete.reason.as_str(), error.is_none()), (reason, true), "{name}");
        }
        Ends::Fails { kind, code, retryable, requests, message } => {
            let Some(error) = error else { panic!("{expected}") };
            assert!(!last.is_some_and(|last| last.is_terminal()), "{expected}");
            assert_eq!((error.kind(), error.code(), error.is_retryable()), (kind, code, retryable), "{expected}");
            assert_eq!((error.attempts() as usize, server.requests().len()), (requests, requests), "{expected}");
            assert!(error.message().contains(message), "{expected}");
            assert_portable(&error);
            assert!(error.message().chars().count() < 500, "{name}: a message is a sentence");
        }
    }
    if bound == Bound::LetsGo {
        // The stream, which is done, is still there.
        soon(server.wait_for_disconnects(server.requests().len())).await;
    }
}

pub(crate) async fn check_all(rows: impl IntoIterator<Item = (&'static str, String, Ends, Bound)>) {
    for (name, script, ends, bound) in rows {
        check(Row { name, wire: Wire::Responses, script, ends, bound }).await;
    }
}
