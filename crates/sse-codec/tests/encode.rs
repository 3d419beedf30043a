//! Writing events, and reading back what was written.

use std::time::Duration;

use proptest::prelude::*;
use sse_codec::{Decoder, EncodeError, Frame, Item, KEEP_ALIVE};

fn encoded(frame: Frame<'_>) -> String {
    let mut out = b"before|".to_vec();
    frame.encode(&mut out).unwrap();
    assert_eq!(out.len(), "before|".len() + frame.encoded_len());
    String::from_utf8(out).unwrap().split_off("before|".len())
}

#[test]
fn frames_are_written_line_by_line() {
    let all = Frame::new().comment("c\nd").event("e").id("1").retry(Duration::from_micros(2_500)).data("a");
    for (frame, expected) in [
        (Frame::new(), ""),
        (Frame::new().data("a"), "data: a\n\n"),
        (Frame::new().data(""), "data: \n\n"),
        (Frame::new().data("a\nb\rc\r\nd"), "data: a\ndata: b\ndata: c\ndata: d\n\n"),
        (Frame::new().data("\n\r\r\n"), "data: \ndata: \ndata: \ndata: \n\n"),
        (Frame::new().data(" a"), "data:  a\n\n"),
        (Frame::new().event("").data("a"), "data: a\n\n"),
        (Frame::new().id(""), "id: \n\n"),
        (Frame::new().comment("hi"), ": hi\n\n"),
        (Frame::new().retry(Duration::ZERO), "retry: 0\n\n"),
        (Frame::new().retry(Duration::MAX), "retry: 18446744073709551615\n\n"),
        (all, ": c\n: d\nevent: e\nid: 1\nretry: 2\ndata: a\n\n"),
    ] {
        assert_eq!(encoded(frame), expected, "{frame:?}");
    }
}

#[test]
fn what_would_forge_fields_is_refused_and_writes_nothing() {
    for (frame, error) in [
        (Frame::new().event("a\nb"), EncodeError::LineBreakInEvent),
        (Frame::new().event("a\r"), EncodeError::LineBreakInEvent),
        (Frame::new().id("\n"), EncodeError::LineBreakInId),
        (Frame::new().id("a\rdata: x"), EncodeError::LineBreakInId),
        (Frame::new().id("a\0"), EncodeError::NulInId),
    ] {
        let mut out = b"kept".to_vec();
        assert_eq!(frame.data("x").encode(&mut out), Err(error));
        assert_eq!(out, b"kept");
    }
}

#[test]
fn keep_alive_counts_as_a_comment_and_as_no_event() {
    let mut decoder = Decoder::new();
    assert!(decoder.feed(KEEP_ALIVE).next().unwrap().is_none());
    assert_eq!((decoder.counters().comments, decoder.counters().events), (1, 0));
    assert!(decoder.finish().is_clean());
}

#[test]
fn comments_and_reconnection_times_read_back_as_items() {
    let text = encoded(Frame::new().comment("one\r\ntwo").retry(Duration::from_millis(7)));
    let mut decoder = Decoder::new();
    let mut items = Vec::new();
    let mut feed = decoder.feed(text.as_bytes());
    while let Some(item) = feed.next_item().unwrap() {
        items.push(match item {
            Item::Comment(text) => String::from_utf8(text.to_vec()).unwrap(),
            Item::Retry(retry) => format!("{retry:?}"),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(items, ["one", "two", "7ms"]);
}

#[cfg(feature = "bytes")]
#[test]
fn a_short_buffer_is_refused_and_stays_empty() {
    let mut room = [0_u8; 8];
    let mut out = &mut room[..];
    let error = Frame::new().data("a").encode_buf(&mut out).unwrap_err();
    assert!(matches!(error, EncodeError::BufferFull { needed: 9, .. }));
    assert_eq!(out.len(), 8);
    let mut out = bytes::BytesMut::new();
    Frame::new().data("a").encode_buf(&mut out).unwrap();
    assert_eq!(out, "data: a\n\n");
}

fn one_line() -> impl Strategy<Value = String> {
    "[^\r\n\0]{0,20}"
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_encoded_event_decodes_to_itself(
        event in one_line(),
        id in one_line(),
        data in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..60),
    ) {
        let mut wire = Vec::new();
        Frame::new().event(&event).id(&id).data(&data).encode(&mut wire).unwrap();
        let mut decoder = Decoder::new();
        let mut feed = decoder.feed(&wire);
        let decoded = feed.next().unwrap().expect("one event");
        let expected = if event.is_empty() { "message" } else { &event };
        prop_assert_eq!(decoded.event(), expected);
        prop_assert_eq!(decoded.last_event_id(), &id);
        let normalised = String::from_utf8_lossy(&data).replace("\r\n", "\n").replace('\r', "\n");
        prop_assert_eq!(decoded.data_str(), normalised);

        let mut again = Vec::new();
        Frame::from(decoded).encode(&mut again).unwrap();
        let mut other = Decoder::new();
        let mut other_feed = other.feed(&again);
        prop_assert_eq!(other_feed.next().unwrap(), Some(decoded));
        drop(other_feed);
        prop_assert!(feed.next().unwrap().is_none());
    }
}
