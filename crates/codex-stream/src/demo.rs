//! The demonstration that needs no account: a bundled recording, played through the whole client.

use std::{io, time::Duration};

use bytes::Bytes;
use codex_stream::TextStyle;
use response_events::Wire;
use stream_replay::{Pace, ReplayServer, Response};

const RESPONSES: &[u8] = include_bytes!("../demo/responses.sse");
const CHAT: &[u8] = include_bytes!("../demo/chat.sse");

/// Between two events, where somebody watches.
const PAUSE: Duration = Duration::from_millis(30);

/// Starts a server that answers every request with the recording for this wire.
pub(crate) async fn start(wire: Wire, style: TextStyle) -> io::Result<ReplayServer> {
    let recording = match wire {
        Wire::Chat => CHAT,
        _ => RESPONSES,
    };
    let pace = match style {
        TextStyle::Pipe | TextStyle::PipeWhenFinal => Pace::Max,
        TextStyle::Plain | TextStyle::Colour => Pace::Pause(PAUSE),
    };
    let response = Response::sse(recording).chunks(events(recording)).pace(pace);
    ReplayServer::builder().respond(response).start().await
}

/// The recording, cut behind each blank line.
fn events(recording: &'static [u8]) -> Vec<Bytes> {
    let mut events = Vec::new();
    let mut rest = recording;
    while let Some(at) = rest.windows(2).position(|pair| pair == b"\n\n") {
        let (event, behind) = rest.split_at(at + 2);
        events.push(Bytes::from_static(event));
        rest = behind;
    }
    events.push(Bytes::from_static(rest));
    events
}

#[cfg(test)]
mod tests {
    use codex_stream::{DecodeOptions, summarize};

    use super::*;

    #[test]
    fn the_recordings_are_whole_and_cut_event_by_event() {
        for (wire, recording) in [(Wire::Responses, RESPONSES), (Wire::Chat, CHAT)] {
            let cut = events(recording);
            assert_eq!(cut.concat(), recording);
            assert!(cut.len() > 20);
            let summary = summarize(recording, 0, DecodeOptions::new(wire));
            assert_eq!((summary.outcome, summary.ledger.unknown, summary.ledger.malformed), ("completed", 0, 0));
            assert!(summary.delta_text.starts_with("Hello!"));
            assert!(!summary.reasoning_summary.is_empty() || !summary.reasoning_text.is_empty());
            assert!(summary.ledger.usage.is_some());
        }
    }
}
