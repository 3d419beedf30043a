//! Turn states in streams that somebody else has read.

use codex_stream::{DecodeOptions, StreamDecoder};
use response_events::{Interpreter, InterpreterOptions, TurnEvent, Wire};

use crate::shown::{SECRET, check};

fn metadata() -> String {
    format!(r#"{{"type":"response.metadata","headers":{{"x-codex-turn-state":"{SECRET}"}}}}"#)
}

pub(crate) fn show() {
    interpreter();
    decoder();
}

fn interpreter() {
    let mut stream = Interpreter::new(Wire::Responses, InterpreterOptions::default());
    check("an empty interpreter", &stream);
    stream.handle_event(None, metadata().as_bytes());
    check("an interpreter with a state", &stream);
    check("its event", &stream.poll_event());
    assert_eq!(stream.take_turn_state().as_deref(), Some(SECRET));
    check("an interpreter whose state was taken", &stream);
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

#[test]
fn an_interpreter_shows_no_turn_state_whether_anybody_took_it_or_not() {
    interpreter();
}

#[test]
fn a_decoder_of_recordings_shows_nothing_of_what_it_holds() {
    decoder();
}
