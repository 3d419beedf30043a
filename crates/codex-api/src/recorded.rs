//! Recorded streams as text, the same however they are cut.

use std::fmt;

use response_events::{Failure, FailureKind, Interpreter, InterpreterOptions, Outcome, Phase, TurnEvent, Wire};
use sse_codec::{Decoder, End};

use crate::{Chunking, Transcriber};

/// The transcript of a recorded event stream, after all the chunkings have been seen to give the same one.
///
/// `recording` is the body of an answer: what a service sent, to the byte. Where it ends, the connection is taken to
/// close. No chunking at all counts as [`Chunking::Whole`]. Snapshot what this gives: one text stands for all the ways
/// in which the same bytes may arrive.
///
/// # Errors
///
/// Says which line is not the same at which chunking. That is a mistake in this library, please report it.
pub fn recorded_transcript(wire: Wire, recording: &[u8], chunkings: &[Chunking]) -> Result<String, ChunkingMismatch> {
    let (first, others) = chunkings.split_first().unwrap_or((&Chunking::Whole, &[]));
    let expected = decode(wire, recording, *first);
    for other in others {
        let seen = decode(wire, recording, *other);
        if seen != expected {
            return Err(ChunkingMismatch::new((*first, &expected), (*other, &seen)));
        }
    }
    Ok(expected)
}

fn decode(wire: Wire, recording: &[u8], chunking: Chunking) -> String {
    let mut stream = Decoding {
        decoder: Decoder::new(),
        interpreter: Interpreter::new(wire, InterpreterOptions::default()),
        text: Transcriber::new(),
        settled: false,
        refusal: None,
        output_delivered: false,
    };
    for piece in chunking.pieces(recording) {
        stream.feed(&piece);
    }
    stream.finish()
}

struct Decoding {
    decoder: Decoder,
    interpreter: Interpreter,
    text: Transcriber,
    /// Whether the terminal event was written.
    settled: bool,
    /// An event above the limit; nothing behind it is read.
    refusal: Option<Failure>,
    output_delivered: bool,
}

impl Decoding {
    fn feed(&mut self, mut piece: &[u8]) {
        while self.refusal.is_none() {
            let decoded = match self.decoder.decode(piece) {
                Ok(decoded) => decoded,
                Err(error) => {
                    self.refusal = Some(crate::failures::of_decoder(error).0);
                    return;
                }
            };
            let Some(event) = decoded.event else { return };
            self.interpreter.handle_event(event.event_field().as_deref(), event.data());
            piece = &piece[decoded.consumed..];
            self.write_events();
        }
    }

    fn finish(mut self) -> String {
        let cut_inside = matches!(self.decoder.finish(), End::Truncated { had_data: true, .. });
        let refusal = self.refusal.take();
        match refusal {
            Some(_) => self.interpreter.handle_given_up(),
            None => self.interpreter.handle_end(),
        }
        self.write_events();
        let ledger = self.interpreter.ledger();
        // An event above the limit that comes after the end fails nobody.
        let failure = self.interpreter.outcome().and_then(Outcome::failure).map(|failure| match refusal {
            Some(refusal) if failure.kind == FailureKind::Truncated => refusal,
            _ => failure,
        });
        let failure = failure.map(|mut failure| {
            if failure.kind == FailureKind::Truncated && cut_inside {
                "the stream ended in the middle of an event".clone_into(&mut failure.message);
            }
            failure.phase = if ledger.events == 0 { Phase::FirstEvent } else { Phase::Streaming };
            failure.output_delivered = self.output_delivered;
            failure
        });
        self.text.end(failure.as_ref(), ledger);
        self.text.into_string()
    }

    fn write_events(&mut self) {
        while let Some(event) = self.interpreter.poll_event() {
            self.output_delivered |= event.is_output();
            self.text.event(&event);
        }
        let terminal = match self.interpreter.outcome() {
            Some(Outcome::Completed(response)) => TurnEvent::Completed(response.clone()),
            Some(Outcome::Incomplete(end)) => TurnEvent::Incomplete(end.clone()),
            _ => return,
        };
        if !self.settled {
            self.settled = true;
            self.text.event(&terminal);
        }
    }
}

/// Two chunkings of one recording that give different transcripts.
#[derive(Clone, PartialEq, Eq)]
pub struct ChunkingMismatch {
    chunkings: (Chunking, Chunking),
    /// The number of the first line that differs, from 1.
    line: usize,
    lines: (String, String),
}

impl ChunkingMismatch {
    fn new(first: (Chunking, &str), second: (Chunking, &str)) -> Self {
        let same = first.1.lines().zip(second.1.lines()).take_while(|(first, second)| first == second).count();
        let line = |text: &str| text.lines().nth(same).unwrap_or_default().to_owned();
        Self { chunkings: (first.0, second.0), line: same + 1, lines: (line(first.1), line(second.1)) }
    }
}

impl fmt::Display for ChunkingMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chunkings: (first, second), line, lines: (expected, seen) } = self;
        write!(f, "line {line} of the transcript is {expected:?} at chunking {first} and {seen:?} at {second}")
    }
}

impl fmt::Debug for ChunkingMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ChunkingMismatch {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mismatch_names_the_first_line_that_differs() {
        let mismatch = ChunkingMismatch::new((Chunking::Whole, "a\nb\nc"), (Chunking::OneByte, "a\nx\nc"));
        let message = "line 2 of the transcript is \"b\" at chunking whole and \"x\" at 1-byte";
        assert_eq!((mismatch.to_string().as_str(), format!("{mismatch:?}").as_str()), (message, message));
        let shorter = ChunkingMismatch::new((Chunking::Whole, "a\nb"), (Chunking::Crlf, "a"));
        assert_eq!((shorter.line, shorter.lines.1.as_str()), (2, ""));
    }

    #[test]
    fn an_event_in_pieces_and_a_cut_are_told_alike() {
        let recording = "data: {\"choices\":[{\"delta\":{\"content\":\"é\"}}]}\r\n\r\ndata: {\"x";
        let text = recorded_transcript(Wire::Chat, recording.as_bytes(), &Chunking::ALL).unwrap();
        assert!(text.contains("the stream ended in the middle of an event"), "{text}");
        assert!(text.ends_with("== connection=closed bytes=40 events=1 unknown=0 malformed=0 dropped=0\n"), "{text}");
        assert_eq!(recorded_transcript(Wire::Chat, recording.as_bytes(), &[]).unwrap(), text);
    }
}
