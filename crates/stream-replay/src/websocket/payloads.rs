//! The data of an event stream, without the stream.

use sse_codec::{Decoder, Limits};

/// The data of every event, in order, without the sentinels that end a stream of events: a
/// connection of messages has no use for them. An event that no blank line ends is none.
pub(crate) fn payloads(body: &[u8]) -> Vec<String> {
    let mut payloads = Vec::new();
    let mut decoder = Decoder::with_limits(Limits::new().max_event_bytes(usize::MAX));
    let mut feed = decoder.feed(body);
    while let Ok(Some(event)) = feed.next() {
        if !matches!(event.data().trim_ascii(), b"[DONE]" | b"DONE") {
            payloads.push(event.data_str().into_owned());
        }
    }
    payloads
}
