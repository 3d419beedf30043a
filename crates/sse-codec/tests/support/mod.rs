//! The one place of these tests that drives a decoder.

#![allow(dead_code)] // each test file uses its part

pub(crate) mod reference;

use std::fmt;

use sse_codec::{DecodeError, Decoder, End, Event, Item, Limits};

/// An event as `(type, data, last event id)`.
pub(crate) type Owned = (String, String, String);

/// Everything that is the same for every chunking of a stream.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Outcome {
    pub(crate) events: Vec<Owned>,
    pub(crate) last_event_id: String,
    pub(crate) retry: Option<u64>,
    pub(crate) comments: u64,
    pub(crate) cut: bool,
    pub(crate) skipped: u64,
    pub(crate) error: Option<DecodeError>,
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        for event in &self.events {
            writeln!(f, "  {event:?}")?;
        }
        write!(
            f,
            "  id {:?}, retry {:?}, {} comments, cut {}, {} skipped, error {:?}",
            self.last_event_id, self.retry, self.comments, self.cut, self.skipped, self.error
        )
    }
}

/// The ways into a decoder, which must agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Decode,
    Feed,
    Items,
    #[cfg(feature = "bytes")]
    Bytes,
    /// Reads one event of each chunk and leaves the rest to the next feed.
    DropEarly,
}

pub(crate) const WAYS: &[Way] = &[
    Way::Decode,
    Way::Feed,
    Way::Items,
    #[cfg(feature = "bytes")]
    Way::Bytes,
    Way::DropEarly,
];

fn owned(event: &Event<'_>) -> Owned {
    (event.event().into_owned(), event.data_str().into_owned(), event.last_event_id().to_owned())
}

pub(crate) fn run<'a>(way: Way, limits: Limits, chunks: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut decoder = Decoder::with_limits(limits);
    let mut outcome = Outcome::default();
    let mut retries = Vec::new();
    let mut comments = 0;
    for chunk in chunks {
        if let Err(error) = read(way, &mut decoder, chunk, &mut outcome.events, &mut retries, &mut comments) {
            outcome.error = Some(error);
            break;
        }
    }
    if way == Way::DropEarly && outcome.error.is_none() {
        outcome.error = read(Way::Feed, &mut decoder, b"", &mut outcome.events, &mut retries, &mut comments).err();
    }
    let counters = decoder.counters();
    assert_eq!(counters.events, outcome.events.len() as u64);
    decoder.last_event_id().clone_into(&mut outcome.last_event_id);
    outcome.retry = decoder.retry().map(|retry| retry.as_millis() as u64);
    outcome.comments = counters.comments;
    outcome.skipped = counters.skipped;
    if way == Way::Items && outcome.error.is_none() {
        assert_eq!(retries.last().copied(), outcome.retry, "the newest retry item");
        assert!(comments <= counters.comments, "comments counted");
    }
    let end = decoder.finish();
    assert!(!matches!(end, End::Clean) || counters.buffered == 0);
    outcome.cut = !end.is_clean();
    outcome
}

fn read(
    way: Way,
    decoder: &mut Decoder,
    chunk: &[u8],
    events: &mut Vec<Owned>,
    retries: &mut Vec<u64>,
    comments: &mut u64,
) -> Result<(), DecodeError> {
    match way {
        Way::Decode => {
            let mut from = 0;
            loop {
                let step = decoder.decode(&chunk[from..])?;
                from += step.consumed;
                match step.event {
                    Some(event) => events.push(owned(&event)),
                    None => break,
                }
            }
            assert_eq!(from, chunk.len(), "the whole chunk is consumed");
        }
        Way::Feed => {
            let mut feed = decoder.feed(chunk);
            while let Some(event) = feed.next()? {
                events.push(owned(&event));
            }
        }
        Way::Items => {
            let mut feed = decoder.feed(chunk);
            while let Some(item) = feed.next_item()? {
                match item {
                    Item::Event(event) => events.push(owned(&event)),
                    Item::Comment(_) => *comments += 1,
                    Item::Retry(retry) => retries.push(retry.as_millis() as u64),
                    _ => unreachable!("no other item"),
                }
            }
        }
        #[cfg(feature = "bytes")]
        Way::Bytes => {
            for event in decoder.feed_bytes(bytes::Bytes::copy_from_slice(chunk)) {
                events.push(owned(&event?.as_event()));
            }
        }
        Way::DropEarly => {
            if let Some(event) = decoder.feed(chunk).next()? {
                events.push(owned(&event));
            }
        }
    }
    Ok(())
}

/// The chunkings that each conformance case goes through.
pub(crate) fn chunkings(input: &[u8]) -> Vec<(String, Vec<&[u8]>)> {
    let mut all = vec![
        ("whole".to_owned(), vec![input]),
        ("bytewise".to_owned(), input.chunks(1).collect()),
        (
            "bytewise, empty chunks between".to_owned(),
            input.chunks(1).flat_map(|byte| [&[][..], byte, &[][..]]).collect(),
        ),
        ("by threes".to_owned(), input.chunks(3).collect()),
    ];
    for at in 0..=input.len() {
        all.push((format!("split at {at}"), vec![&input[..at], &input[at..]]));
        all.push((format!("split at {at}, empty between"), vec![&input[..at], &[], &input[at..], &[]]));
    }
    all
}
