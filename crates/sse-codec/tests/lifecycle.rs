//! Feeds dropped early, ends, restarts, and what the decoder tells about itself.

use std::time::Duration;

use sse_codec::{Decoder, End, Event, Item, Limits, Overflow};

fn data(event: Option<Event<'_>>) -> Option<&str> {
    event.map(|event| event.try_str().unwrap())
}

#[test]
fn a_feed_dropped_early_loses_nothing() {
    let mut decoder = Decoder::new();
    assert_eq!(data(decoder.feed(b"data: 1\n\ndata: 2\n\ndata: 3\n\nda").next().unwrap()), Some("1"));
    assert_eq!(decoder.counters().buffered, "data: 2\n\ndata: 3\n\nda".len());
    let mut feed = decoder.feed(b"ta: 4\n\n");
    for expected in ["2", "3", "4"] {
        assert_eq!(data(feed.next().unwrap()), Some(expected));
    }
    assert_eq!(feed.next().unwrap(), None);
    drop(feed);
    assert!(decoder.finish().is_clean());
}

#[test]
fn events_are_debugged_as_text() {
    let mut decoder = Decoder::new();
    let mut feed = decoder.feed(b"id: 7\ndata: {\"a\":1}\ndata: \xFF\n\n: ping\nevent: e\ndata\n\n");
    let event = feed.next().unwrap().unwrap();
    let expected = format!(r#"Event {{ event: "message", data: {:?}, last_event_id: "7" }}"#, "{\"a\":1}\n\u{fffd}");
    assert_eq!(format!("{event:?}"), expected);
    assert_eq!(format!("{:?}", feed.next_item().unwrap().unwrap()), r#"Comment("ping")"#);
    let item = feed.next_item().unwrap().unwrap();
    assert_eq!(format!("{item:?}"), r#"Event { event: "e", data: "", last_event_id: "7" }"#);
}

#[test]
fn a_feed_never_read_is_read_by_the_next_one() {
    let mut decoder = Decoder::new();
    drop(decoder.feed(b"data: 1\n\n"));
    drop(decoder.feed(b"data: 2\n\n"));
    assert_eq!(data(decoder.feed(b"").next().unwrap()), Some("1"));
    assert_eq!(data(decoder.feed(b"").next().unwrap()), Some("2"));
    assert_eq!(decoder.feed(b"").next().unwrap(), None);
    assert_eq!(decoder.counters().bytes, 18);
}

#[test]
fn a_discarded_rest_is_gone() {
    let mut decoder = Decoder::new();
    let mut feed = decoder.feed(b"data: [DONE]\n\ndata: late\n\n");
    assert_eq!(data(feed.next().unwrap()), Some("[DONE]"));
    assert_eq!(feed.remaining(), b"data: late\n\n");
    feed.discard();
    assert_eq!(decoder.feed(b"").next().unwrap(), None);
}

#[test]
fn a_cr_ends_the_event_at_once() {
    let mut decoder = Decoder::new();
    assert_eq!(data(decoder.feed(b"data: a\r\n\r").next().unwrap()), Some("a"));
    assert_eq!(data(decoder.feed(b"\ndata: b\r\r").next().unwrap()), Some("b"));
}

#[test]
fn the_end_tells_what_was_cut() {
    for (stream, end) in [
        ("", End::Clean),
        ("data: a\n\n", End::Clean),
        ("data: a\r\n\r", End::Clean),
        ("data: abc\n", End::Truncated { had_data: true, buffered: 3 }),
        ("data: abc", End::Truncated { had_data: true, buffered: 3 }),
        ("event: e\nid: 1\n", End::Truncated { had_data: false, buffered: 2 }),
        ("event: e\ndata: abc\ndat", End::Truncated { had_data: true, buffered: 7 }),
        (": keep-al", End::Truncated { had_data: false, buffered: 0 }),
    ] {
        let mut decoder = Decoder::new();
        let mut feed = decoder.feed(stream.as_bytes());
        while feed.next().unwrap().is_some() {}
        drop(feed);
        assert_eq!(decoder.finish(), end, "{stream:?}");
        assert_eq!(decoder.finish(), End::Clean, "nothing is left after the end");
    }
}

#[test]
fn an_event_left_unread_at_the_end_is_reported() {
    let mut decoder = Decoder::new();
    drop(decoder.feed(b"data: a\n\n"));
    assert_eq!(decoder.finish(), End::Truncated { had_data: true, buffered: 9 });
}

#[test]
fn the_data_of_an_unfinished_block_is_shown_outside_of_its_lines_of_data() {
    // What is pending after each byte of the stream: the same however the bytes before it came.
    for (stream, pending) in [
        ("data: a\n", Some("a")),
        ("data: a\r", Some("a")),
        ("data: a\r\n", Some("a")),
        ("data\n", Some("")),
        ("event: e\nid: 1\ndata: a\ndata:b\n", Some("a\nb")),
        ("data: a\n: comment\nother: x\n", Some("a")),
        ("data: z\n\ndata: a\n", Some("a")),
        ("\u{feff}data: a\n", Some("a")),
        ("", None),
        ("data: a", None),
        ("data", None),
        ("data: a\ndata: b", None),
        ("data: a\ndata:", None),
        ("data: a\ndata", None),
        ("data: a\nd", None),
        // A line of something else leaves the data as they are, however it goes on.
        ("data: a\nid", Some("a")),
        ("data: a\nid: 1", Some("a")),
        ("data: a\n:", Some("a")),
        ("data: a\r\n: comm", Some("a")),
        ("data: a\rdate", Some("a")),
        ("data: a\n\n: comm", None),
        ("data: z\n\nid: 1", None),
        ("event: e\n", None),
        (": comment\n", None),
        ("data: a\n\n", None),
        ("data: a\r\n\r", None),
        ("data: z\n\nevent: e\n", None),
    ] {
        for size in 1..=stream.len().max(1) {
            let mut decoder = Decoder::new();
            for mut chunk in stream.as_bytes().chunks(size) {
                while !chunk.is_empty() {
                    let consumed = decoder.decode(chunk).unwrap().consumed;
                    chunk = &chunk[consumed..];
                }
            }
            assert_eq!(decoder.pending_data(), pending.map(str::as_bytes), "{stream:?} in pieces of {size}");
            decoder.reset();
            assert_eq!(decoder.pending_data(), None);
        }
    }
    // An event that was handed out is not pending, nor is what a dropped feed has left.
    let mut decoder = Decoder::new();
    assert!(decoder.decode(b"data: a\n").unwrap().event.is_none());
    assert!(decoder.decode(b"data: b\n\n").unwrap().event.is_some());
    assert_eq!(decoder.pending_data(), None);
    assert!(decoder.decode(b"data: a\n").unwrap().event.is_none());
    drop(decoder.feed(b"data: b\n"));
    assert_eq!(decoder.pending_data(), None);
    // Nor is what passed a limit.
    let skipping = Limits::new().max_event_bytes(2).on_overflow(Overflow::SkipEvent);
    let mut decoder = Decoder::with_limits(skipping);
    assert!(decoder.decode(b"data: abc\n").unwrap().event.is_none());
    assert_eq!(decoder.pending_data(), None);
}

#[test]
fn data_is_partial_inside_its_line_and_nowhere_else() {
    for (stream, partial) in [
        ("data: [DONE]", Some("[DONE]")),
        ("data:", Some("")),
        ("data: a", Some("a")),
        ("data: a\ndata: b", Some("a\nb")),
        ("data: a\ndata", Some("a")),
        ("data: a\r\nd", Some("a")),
        ("data: a\ndate", None),
        ("dat", None),
        ("data: a\n", None),
        ("data: a\n: comm", None),
        ("data: a\nid: 1", None),
        ("data: a\n\ndata: b", Some("b")),
        ("data: a\n\n", None),
    ] {
        for size in 1..=stream.len() {
            let mut decoder = Decoder::new();
            for mut chunk in stream.as_bytes().chunks(size) {
                while !chunk.is_empty() {
                    let consumed = decoder.decode(chunk).unwrap().consumed;
                    chunk = &chunk[consumed..];
                }
            }
            assert_eq!(decoder.partial_data(), partial.map(str::as_bytes), "{stream:?} in pieces of {size}");
        }
    }
}

#[test]
fn flush_dispatches_what_the_end_cut_off() {
    for stream in ["data: [DONE]", "data: [DONE]\n", "data: [DONE]\r", "data: [DONE]\r\n"] {
        let mut decoder = Decoder::new();
        assert_eq!(decoder.feed(stream.as_bytes()).next().unwrap(), None);
        assert_eq!(data(decoder.flush().unwrap()), Some("[DONE]"), "{stream:?}");
        assert_eq!(data(decoder.flush().unwrap()), None);
        assert_eq!(decoder.counters().bytes, stream.len() as u64, "line ends that never came are not counted");
        assert!(decoder.finish().is_clean());
    }
    let mut decoder = Decoder::new();
    drop(decoder.feed(b"data: 1\n\ndata: 2"));
    assert_eq!(data(decoder.flush().unwrap()), Some("1"));
    assert_eq!(data(decoder.flush().unwrap()), Some("2"));
    assert_eq!(data(decoder.flush().unwrap()), None);
}

#[test]
fn a_reset_keeps_the_id_and_forgets_the_event() {
    let mut decoder = Decoder::new().with_last_event_id("6");
    assert_eq!(decoder.last_event_id(), "6");
    assert_eq!(decoder.feed(b"id: 7\n\nretry: 30\nevent: e\ndata: lost\r").next().unwrap(), None);
    decoder.reset();
    assert_eq!((decoder.last_event_id(), decoder.retry()), ("7", Some(Duration::from_millis(30))));
    // A byte order mark may lead again.
    let mut feed = decoder.feed(b"\xEF\xBB\xBFdata: new\n\n");
    let event = feed.next().unwrap().unwrap();
    assert_eq!((event.data(), event.event_field(), event.last_event_id()), (&b"new"[..], None, "7"));
}

#[test]
fn a_reset_ends_a_failure() {
    let limits = sse_codec::Limits::new().max_event_bytes(3);
    let mut decoder = Decoder::with_limits(limits);
    assert!(decoder.feed(b"data: abcd\n\n").next().is_err());
    assert!(matches!(decoder.finish(), End::Truncated { had_data: true, .. }));
    assert_eq!(data(decoder.feed(b"data: a\n\n").next().unwrap()), Some("a"));
}

#[test]
fn counters_tell_activity_from_progress() {
    let mut decoder = Decoder::new();
    let before = decoder.counters();
    assert_eq!(decoder.feed(b": ping\n\n").next().unwrap(), None);
    let alive = decoder.counters();
    assert!(alive.bytes > before.bytes && alive.comments == 1 && alive.events == before.events);
    assert_eq!(decoder.feed(b"data: half").next().unwrap(), None);
    assert_eq!(decoder.counters().buffered, 4);
    assert!(decoder.feed(b"\n\n").next().unwrap().is_some());
    assert_eq!((decoder.counters().events, decoder.counters().bytes), (1, 20));
    assert_eq!(decoder.counters().buffered, 0);
}

#[test]
fn retry_is_known_before_the_event_that_follows_it() {
    let mut decoder = Decoder::new();
    assert_eq!(decoder.feed(b"data: a\nretry: 5\n").next().unwrap(), None);
    assert_eq!(decoder.retry(), Some(Duration::from_millis(5)));
}

#[test]
fn items_show_comments_cut_anywhere() {
    let stream = b"data: a\n: one\nretry: 5\n:two\nevent: e\n\n:\n";
    for at in 0..=stream.len() {
        let mut decoder = Decoder::new();
        let mut items = Vec::new();
        for chunk in [&stream[..at], &stream[at..]] {
            let mut feed = decoder.feed(chunk);
            while let Some(item) = feed.next_item().unwrap() {
                items.push(match item {
                    Item::Event(event) => format!("{} {}", event.event(), event.data_str()),
                    Item::Comment(text) => format!("comment {}", String::from_utf8_lossy(text)),
                    Item::Retry(retry) => format!("retry {retry:?}"),
                    other => panic!("{other:?}"),
                });
            }
        }
        assert_eq!(items, ["comment one", "retry 5ms", "comment two", "e a", "comment "], "split at {at}");
    }
}

#[test]
fn text_is_checked_when_it_is_asked_for() {
    let mut decoder = Decoder::new();
    let mut long = b"data: ".to_vec();
    long.resize(500, b'x');
    long.extend_from_slice(b"\xFF\n\n");
    let mut feed = decoder.feed(&long);
    let event = feed.next().unwrap().unwrap();
    assert_eq!(event.data().last(), Some(&0xFF));
    assert_eq!(event.try_str().unwrap_err().valid_up_to(), 494);
    assert!(event.data_str().ends_with("x\u{fffd}"));
}
