//! Recorded streams as text, the same however they are cut.

use std::{convert::Infallible, fmt};

use response_events::{TurnEvent, Wire};

use crate::{Chunking, RecordedStream, Transcriber};

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
    let mut stream = RecordedStream::new(wire);
    let mut text = Transcriber::new();
    let mut write = |event: &TurnEvent| -> Result<(), Infallible> {
        text.event(event);
        Ok(())
    };
    for piece in chunking.pieces(recording) {
        let Ok(()) = stream.feed(&piece, &mut write);
    }
    let Ok(end) = stream.finish(&mut write);
    text.end(end.failure.as_ref(), &end.ledger);
    text.into_string()
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
        let text = recorded_transcript(Wire::Chat, recording.as_bytes(), Chunking::ALL).unwrap();
        assert!(text.contains("the stream ended in the middle of an event"), "{text}");
        assert!(text.ends_with("== connection=closed bytes=40 events=1 unknown=0 malformed=0 dropped=0\n"), "{text}");
        assert_eq!(recorded_transcript(Wire::Chat, recording.as_bytes(), &[]).unwrap(), text);
    }

    /// The last two lines but the counts, for a recording without its last blank line, in all chunkings.
    #[track_caller]
    fn check_last(wire: Wire, recording: &str, expected: &str) {
        let text = recorded_transcript(wire, recording.as_bytes(), Chunking::ALL).unwrap();
        let end = &text[text.find("==").unwrap()..];
        assert!(end.starts_with(expected) && end.contains("\n== connection=closed"), "{text}");
    }

    #[test]
    fn a_last_event_without_its_blank_line_counts_if_it_says_how_the_answer_ended() {
        let failed = "data: {\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"invalid_prompt\",\"message\":\"No.\"}}}";
        for rest in ["", "\n", "\r\n"] {
            check_last(Wire::Responses, &format!("{failed}{rest}"), "== error api invalid_prompt \"No.\"");
            check_last(Wire::Chat, &format!("data: DONE{rest}"), "== end completed");
        }
        check_last(Wire::Responses, "data: {\"type\":\"response.created\"}", "== error truncated");
        check_last(Wire::Responses, "data: [DONE]\n", "== error truncated");
    }
}
