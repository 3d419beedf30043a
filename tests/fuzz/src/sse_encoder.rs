//! The encoder of event streams.

use std::time::Duration;

use sse_codec::{Decoder, Frame, Item};

use super::input::Input;

/// What one frame says, read back. Comments and data have LF as their only line end.
#[derive(Debug, Default, PartialEq)]
struct Said {
    comments: Vec<Vec<u8>>,
    retry: Option<Duration>,
    /// Event, id and data.
    events: Vec<(String, String, Vec<u8>)>,
}

/// A frame with the parts `event|id|comment|data` is refused when it would forge a field, and decodes to itself
/// otherwise, cut anywhere.
pub fn sse_encoder(data: &[u8]) {
    let input = Input::of(data);
    let mut parts = input.body.splitn(4, |byte| *byte == b'|');
    let mut text = || String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let (event, id, comment) = (text(), text(), text());
    let data = parts.next().unwrap_or_default();
    let retry = Duration::from_millis(input.number(0) as u64 * 1_000);
    let frame = Frame::new().event(&event).id(&id).comment(&comment).retry(retry).data(data);

    let mut wire = b"kept".to_vec();
    let encoded = frame.encode(&mut wire);
    let forges = event.contains(['\r', '\n']) || id.contains(['\r', '\n', '\0']);
    assert_eq!(encoded.is_err(), forges);
    let wire = wire.strip_prefix(b"kept").expect("what was there before stays");
    assert_eq!(wire.len(), if forges { 0 } else { frame.encoded_len() });
    if forges {
        return;
    }

    let expected = Said {
        comments: lines(comment.as_bytes()),
        retry: Some(retry),
        events: vec![(event, id, lines(data).join(&b'\n'))],
    };
    for chunks in input.with_body(wire).chunkings(1) {
        assert_eq!(read(&chunks), expected);
    }
}

/// The lines of a text, whichever ends they have.
fn lines(text: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = vec![Vec::new()];
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'\n' if at > 0 && text[at - 1] == b'\r' => {}
            b'\n' | b'\r' => lines.push(Vec::new()),
            byte => lines.last_mut().expect("one at least").push(*byte),
        }
    }
    lines
}

fn read(chunks: &[&[u8]]) -> Said {
    let mut decoder = Decoder::new();
    let mut said = Said::default();
    for chunk in chunks {
        let mut feed = decoder.feed(chunk);
        while let Some(item) = feed.next_item().expect("it is within the limits") {
            match item {
                Item::Comment(text) => said.comments.push(text.to_vec()),
                Item::Retry(retry) => said.retry = Some(retry),
                Item::Event(event) => {
                    check_again(Frame::from(event), event);
                    let name = event.event_field().unwrap_or_default().into_owned();
                    said.events.push((name, event.last_event_id().to_owned(), event.data().to_vec()));
                }
                other => panic!("{other:?} was not written"),
            }
        }
    }
    assert!(decoder.finish().is_clean(), "a frame ends its event");
    said
}

/// An event that was read can be written again, and is the same.
fn check_again(frame: Frame<'_>, event: sse_codec::Event<'_>) {
    let mut wire = Vec::new();
    frame.encode(&mut wire).expect("what was read can be written");
    let mut decoder = Decoder::new();
    let mut feed = decoder.feed(&wire);
    assert_eq!(feed.next(), Ok(Some(event)));
}
