//! Turn states in streams that somebody else has read.

use codex_api::{AnswerContent, RecordedHead, RecordedStream, StreamEnd};
use codex_stream::{DecodeOptions, StreamDecoder};
use response_events::{Interpreter, InterpreterOptions, Item, Outcome, TransportKind, TurnEvent, Wire};

use crate::shown::{SECRET, check};

fn metadata() -> String {
    format!(r#"{{"type":"response.metadata","headers":{{"x-codex-turn-state":"{SECRET}"}}}}"#)
}

pub(crate) fn show() {
    interpreter();
    decoder();
    recorded();
    answers();
    check("no item", &Item::from_json(SECRET.into()).unwrap_err());
}

fn interpreter() {
    let mut stream = Interpreter::new(Wire::Responses, InterpreterOptions::default());
    check("an empty interpreter", &stream);
    stream.handle_event(None, metadata().as_bytes());
    check("an interpreter with a state", &stream);
    check("its event", &stream.poll_event());
    assert_eq!(stream.take_turn_state().as_deref(), Some(SECRET));
    check("an interpreter whose state was taken", &stream);
    responses();
}

/// Responses that quote the head of their answer.
fn responses() {
    let mut stream = Interpreter::new(Wire::Responses, InterpreterOptions::default());
    for event_type in ["response.created", "response.completed"] {
        let headers = format!(r#"{{"x-codex-turn-state":"{SECRET}"}}"#);
        let event = format!(r#"{{"type":"{event_type}","response":{{"headers":{headers}}}}}"#);
        stream.handle_event(None, event.as_bytes());
    }
    let Some(TurnEvent::Created(created)) = stream.poll_event() else { panic!("no beginning") };
    assert!(created.raw.is_some());
    check("a beginning", &created);
    let Some(Outcome::Completed(completed)) = stream.outcome() else { panic!("no end") };
    assert!(completed.raw.is_some());
    check("an end", completed);
}

fn decoder() {
    for recording in [format!("data: {}\n\n", metadata()), format!("data: {}", metadata())] {
        for at in [recording.len(), recording.len() / 2] {
            let mut stream = StreamDecoder::new(DecodeOptions::new(Wire::Responses));
            let mut seen = |event: &TurnEvent| {
                check("an event", event);
                Ok(())
            };
            stream.feed(&recording.as_bytes()[..at], &mut seen).unwrap();
            check("a decoder", &stream);
            stream.feed(&recording.as_bytes()[at..], &mut seen).unwrap();
            check("a decoder", &stream);
            check("what it came to", &stream.finish(&mut seen).unwrap());
        }
    }
}

fn recorded() {
    let mut stream = RecordedStream::new(Wire::Responses);
    let recording = format!("data: {0}\n\ndata: {0}", metadata());
    stream.feed(recording.as_bytes(), |_| Ok::<(), ()>(())).unwrap();
    check("a recorded stream", &stream);
    let end: StreamEnd = stream.finish(|_| Ok::<(), ()>(())).unwrap();
    check("its end", &end);
}

fn answers() {
    let headers = [("x-codex-turn-state".to_owned(), SECRET.as_bytes().to_vec())];
    let url = format!("http://host/v1/responses?key={SECRET}");
    let document = format!(r#"{{"output":[],"metadata":"{SECRET}"}}"#);
    for (status, body) in [(200, document.as_str()), (200, SECRET), (400, SECRET)] {
        let (wire, transport) = (Wire::Responses, TransportKind::Sse);
        let head = RecordedHead { wire, transport, url: &url, status, headers: &headers };
        check("a recorded head", &head);
        let answer = head.judge(body.as_bytes());
        check("a recorded answer", &answer);
        let content: AnswerContent = answer.content;
        check("its content", &content);
    }
}

#[test]
fn an_interpreter_shows_no_turn_state_whether_anybody_took_it_or_not() {
    interpreter();
}

#[test]
fn a_decoder_of_recordings_shows_nothing_of_what_it_holds() {
    decoder();
    recorded();
    answers();
}
