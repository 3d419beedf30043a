//! What is refused, and that memory stays bounded whatever the server sends.

use sse_codec::{DecodeError, Decoder, Limits, Overflow};

/// The limits of an event and of a field: small ones under Miri, which takes a thousand times as long for a byte.
const LIMIT: usize = if cfg!(miri) { 16 << 10 } else { 1 << 20 };
const FIELD: usize = if cfg!(miri) { 4 << 10 } else { 64 << 10 };
/// What may be in memory besides the event: spare capacity, and the smaller fields.
const SLACK: usize = 64 << 10;

fn limits() -> Limits {
    Limits::new().max_event_bytes(LIMIT).max_line_bytes(LIMIT).max_field_bytes(FIELD)
}

/// Feeds `start`, then `unit` until the decoder fails. Answers the error and the most memory held on the way.
fn endless(limits: Limits, start: &str, unit: &str, size: usize) -> (Option<DecodeError>, usize) {
    let mut decoder = Decoder::with_limits(limits);
    let chunk = unit.as_bytes().repeat(size.div_ceil(unit.len()));
    let mut most = 0;
    let mut error = decoder.feed(start.as_bytes()).next().err();
    for _ in 0..(12 * LIMIT / chunk.len()) {
        if error.is_some() {
            break;
        }
        error = decoder.feed(&chunk).next().err();
        most = most.max(decoder.capacity());
    }
    if let Some(error) = error {
        assert_eq!(decoder.feed(b"data: a\n\n").next(), Err(error), "an error is final");
        assert!(decoder.capacity() <= SLACK, "an error frees the buffers");
    }
    (error, most)
}

#[test]
#[cfg_attr(miri, ignore = "feeds millions of bytes")]
fn endless_streams_end_in_a_typed_error_within_bounded_memory() {
    for (what, start, unit, expected) in [
        ("data line", "data: ", "x", Some("event")),
        ("data lines", "", "data: x\n", Some("event")),
        ("empty data lines", "", "data:\n", Some("event")),
        ("bare data lines", "", "data\n", Some("event")),
        ("empty data lines with cr", "", "data:\r", Some("event")),
        ("comment", ": ", "x", Some("line")),
        ("unknown field", "foo: ", "x", Some("line")),
        ("unknown name", "x", "x", Some("line")),
        ("id", "id: ", "7", Some("field")),
        ("event", "event: ", "e", Some("field")),
        ("retry", "retry: ", "0", Some("field")),
        ("id lines", "", "id: 12345678\n", None),
        ("event lines", "", "event: delta\n", None),
        ("comments", "data: a\n", ": c\n", None),
        ("blank lines", "", "\n", None),
    ] {
        for size in [1_000, 65_536] {
            let (error, most) = endless(limits(), start, unit, size);
            let kind = error.map(|error| match error {
                DecodeError::EventTooLarge { limit, .. } if limit == LIMIT => "event",
                DecodeError::LineTooLarge { limit, .. } if limit == LIMIT => "line",
                DecodeError::FieldTooLarge { limit, .. } if limit == FIELD => "field",
                other => panic!("{what}: {other:?}"),
            });
            assert_eq!(kind, expected, "{what}, chunks of {size}");
            assert!(most <= LIMIT + SLACK, "{what}, chunks of {size}: {most} bytes held");
        }
    }
}

/// An event of exactly `data_len` bytes of data and then a small one.
fn two_events(data_len: usize) -> Vec<u8> {
    let mut stream = b"id: big\ndata: ".to_vec();
    stream.resize(stream.len() + data_len, b'x');
    stream.extend_from_slice(b"\n\ndata: small\n\n");
    stream
}

/// What a stream in chunks of `size` gives: lengths of the data, or the error.
fn lengths(limits: Limits, stream: &[u8], size: usize) -> (Vec<usize>, Option<DecodeError>, Decoder) {
    let mut decoder = Decoder::with_limits(limits);
    let mut lengths = Vec::new();
    for chunk in stream.chunks(size) {
        let mut feed = decoder.feed(chunk);
        loop {
            match feed.next() {
                Ok(Some(event)) => lengths.push(event.data().len()),
                Ok(None) => break,
                Err(error) => {
                    drop(feed);
                    return (lengths, Some(error), decoder);
                }
            }
        }
    }
    (lengths, None, decoder)
}

#[test]
fn the_limit_is_exact_in_every_chunking() {
    for (limit, size) in
        [1000, 20_000].into_iter().flat_map(|limit| [1, 7, 1000, 5000, 19_000].map(|size| (limit, size)))
    {
        let limits = Limits::new().max_event_bytes(limit);
        let (fits, none, _) = lengths(limits, &two_events(limit - 1), size);
        assert_eq!((fits, none), (vec![limit - 1, 5], None), "chunks of {size}");
        let (over, error, _) = lengths(limits, &two_events(limit), size);
        assert!(over.is_empty());
        assert!(
            matches!(error, Some(DecodeError::EventTooLarge { limit: at, .. }) if at == limit),
            "{size}: {error:?}"
        );
    }
}

#[test]
fn a_line_limit_shorter_than_a_field_name_is_exact_too() {
    let limits = Limits::new().max_line_bytes(2);
    for (line, error) in [("dx", false), ("dax", true), ("dat\n", true), ("da\n", false), (":cc", true)] {
        for size in [1, 2, 10] {
            let (_, found, _) = lengths(limits, line.as_bytes(), size);
            assert_eq!(found.is_some(), error, "{line:?}, chunks of {size}");
        }
    }
}

#[test]
fn a_chunk_of_many_events_is_not_charged_as_one() {
    let stream = b"data: 0123456789\n\n".repeat(1000);
    let (read, error, _) = lengths(Limits::new().max_event_bytes(11), &stream, stream.len());
    assert_eq!((read.len(), error), (1000, None));
}

#[test]
fn a_skipped_event_is_counted_and_the_next_one_read() {
    let limits = Limits::new().max_event_bytes(1000).on_overflow(Overflow::SkipEvent);
    for size in [1, 7, 1000, 5000] {
        let (read, error, decoder) = lengths(limits, &two_events(1000), size);
        assert_eq!((read, error), (vec![5], None), "chunks of {size}");
        assert_eq!(decoder.counters().skipped, 1);
        assert_eq!(decoder.last_event_id(), "", "the id of a skipped event is not taken over");
        assert_eq!(decoder.counters().buffered, 0);
    }
}

#[test]
fn skipping_keeps_no_memory_and_still_hears_retry() {
    let limits = limits().on_overflow(Overflow::SkipEvent);
    let (error, most) = endless(limits, "data: ", "x", 65_536);
    assert_eq!(error, None);
    assert!(most <= LIMIT + SLACK);

    let mut decoder = Decoder::with_limits(Limits::new().max_event_bytes(4).on_overflow(Overflow::SkipEvent));
    assert!(decoder.feed(b"data: 12345\nretry: 9\ndata: 1\nevent: e\nid: 3\n").next().unwrap().is_none());
    assert_eq!(decoder.retry().map(|retry| retry.as_millis()), Some(9));
    assert!(!decoder.finish().is_clean());
}

#[test]
fn capacity_is_given_back_after_a_large_event() {
    let (read, _, decoder) = lengths(limits(), &two_events(LIMIT - 1), 1400);
    assert_eq!(read, [LIMIT - 1, 5]);
    assert!(decoder.capacity() <= SLACK, "{} bytes kept", decoder.capacity());
}

#[test]
fn feeds_left_unread_fill_no_more_than_the_limit() {
    let mut decoder = Decoder::with_limits(Limits::new().max_event_bytes(10_000));
    let chunk = b"data: a\n\n".repeat(500);
    let error = (0..100).find_map(|_| decoder.feed(&chunk).next().err());
    assert!(matches!(error, Some(DecodeError::UnreadTooLarge { limit: 10_000, .. })), "{error:?}");
}

#[test]
fn errors_name_their_limit() {
    let mut decoder = Decoder::with_limits(Limits::new().max_event_bytes(2));
    let error = decoder.feed(b"data: abc\n").next().unwrap_err();
    assert_eq!(error.limit(), 2);
    assert_eq!(error.to_string(), "event is larger than the limit of 2 bytes");
}
