//! The adapters give what the decoder gives, end after an error, and tell how the stream ended.

#![cfg(all(feature = "http-body", feature = "tokio-util"))]

use std::{
    convert::Infallible,
    error::Error,
    io,
    pin::pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt, TryStreamExt, stream, task::noop_waker_ref};
use http_body_util::{Full, StreamBody};
use sse_codec::{
    CodecError, DecodeError, Decoder, End, EventBody, EventStream, Frame, Limits, OwnedEvent, SseCodec, StreamError,
};
use tokio_util::codec::{Decoder as _, FramedRead, FramedWrite};

const STREAM: &[u8] = b"\xEF\xBB\xBFevent: e\r\nid: 1\r\ndata: a\r\n\r\n: c\r\ndata: b\r\ndata: c\r\n\r\ndata: cut";

fn text(event: &OwnedEvent) -> String {
    format!("{} {:?} {}", event.event(), event.data_str(), event.last_event_id())
}

const EVENTS: [&str; 2] = [r#"e "a" 1"#, r#"message "b\nc" 1"#];

fn chunks(size: usize) -> Vec<Result<Bytes, io::Error>> {
    STREAM.chunks(size).map(|chunk| Ok(Bytes::from_static(chunk))).collect()
}

const CUT: Option<End> = Some(End::Truncated { had_data: true, buffered: 3 });

fn tiny() -> Decoder {
    Decoder::with_limits(Limits::new().max_event_bytes(2))
}

#[test]
fn an_owned_event_is_debugged_as_the_borrowed_one() {
    let event = Decoder::new().decode_bytes(&mut Bytes::from_static(STREAM)).unwrap().unwrap();
    assert_eq!(format!("{event:?}"), r#"Event { event: "e", data: "a", last_event_id: "1" }"#);
}

#[tokio::test]
async fn a_stream_of_chunks_becomes_a_stream_of_events() {
    for size in [1, 2, 5, 1000] {
        let mut events = EventStream::new(stream::iter(chunks(size)));
        let mut seen = Vec::new();
        while let Some(event) = events.try_next().await.unwrap() {
            seen.push(text(&event));
        }
        assert_eq!(seen, EVENTS, "chunks of {size}");
        assert_eq!(events.end(), CUT);
        assert_eq!(events.decoder().counters().comments, 1);
        assert!(events.next().await.is_none());
    }
}

#[tokio::test]
async fn chunks_of_other_types_are_taken() {
    let chunks = [Ok::<_, Infallible>(vec![b'd', b'a']), Ok(b"ta: a\n\n".to_vec())];
    let events: Vec<_> = EventStream::new(stream::iter(chunks)).try_collect().await.unwrap();
    assert_eq!(events[0].data(), "a");
}

#[tokio::test]
async fn a_body_becomes_a_stream_of_events_and_trailers_are_passed_over() {
    for size in [1, 2, 5, 1000] {
        let data = chunks(size).into_iter().map(|chunk| chunk.map(http_body::Frame::data));
        let trailers = http_body::Frame::trailers(http::HeaderMap::new());
        let frames = data.chain([Ok(trailers)]);
        let mut events = EventBody::new(StreamBody::new(stream::iter(frames)));
        let mut seen = Vec::new();
        while let Some(event) = events.try_next().await.unwrap() {
            seen.push(text(&event));
        }
        assert_eq!(seen, EVENTS, "chunks of {size}");
        assert_eq!(events.end(), CUT);
        assert_eq!(events.decoder().last_event_id(), "1");
    }
}

#[tokio::test]
async fn framed_reading_gives_the_events_and_takes_every_byte() {
    for size in [1, 2, 5, 1000] {
        let mut framed = FramedRead::with_capacity(STREAM, SseCodec::new(), size);
        let mut seen = Vec::new();
        while let Some(event) = framed.try_next().await.unwrap() {
            seen.push(text(&event));
        }
        assert_eq!(seen, EVENTS, "capacity {size}");
        assert_eq!(framed.decoder().end(), CUT);
        assert!(framed.read_buffer().is_empty());
    }
}

#[test]
fn a_codec_leaves_no_unfinished_line_in_the_buffer() {
    let mut codec = SseCodec::new();
    let mut buffer = BytesMut::from("data: a\n\ndata: b\n\nevent: x");
    let event = codec.decode(&mut buffer).unwrap().unwrap();
    assert_eq!((event.data(), &buffer[..]), (&Bytes::from("a"), &b"data: b\n\nevent: x"[..]));
    assert_eq!(codec.decode(&mut buffer).unwrap().unwrap().data(), "b");
    assert_eq!(codec.decode(&mut buffer).unwrap(), None);
    assert!(buffer.is_empty(), "so that no byte is scanned twice");
    assert_eq!(codec.decoder().counters().bytes, 26);
}

#[tokio::test]
async fn framed_writing_reads_back() {
    let mut framed = FramedWrite::new(Vec::new(), SseCodec::new());
    framed.send(Frame::new().event("e").id("1").data("a\nb")).await.unwrap();
    let forged = framed.send(Frame::new().id("1\ndata: x")).await.unwrap_err();
    assert!(matches!(forged, CodecError::Encode(_)), "{forged:?}");
    let wire = framed.get_ref().clone();
    let event = SseCodec::new().decode(&mut BytesMut::from(&wire[..])).unwrap().unwrap();
    assert_eq!(text(&event), r#"e "a\nb" 1"#);

    let mut again = FramedWrite::new(Vec::new(), SseCodec::new());
    again.send(event).await.unwrap();
    assert_eq!(again.get_ref(), &wire);
}

#[tokio::test]
async fn every_adapter_ends_after_a_decoding_error() {
    let limit = |error: &DecodeError| assert_eq!(error.limit(), 2);
    let wire = &b"data: a\n\ndata: long\n\ndata: b\n\n"[..];
    let chunk = || stream::iter([Ok::<_, io::Error>(wire), Ok(wire)]);

    let mut events = EventStream::with_decoder(chunk(), tiny());
    assert!(events.next().await.unwrap().is_ok());
    match events.next().await.unwrap().unwrap_err() {
        StreamError::Decode(error) => limit(&error),
        other => panic!("{other:?}"),
    }
    assert!(events.next().await.is_none());
    assert_eq!(events.end(), None);

    let mut events = EventBody::with_decoder(Full::new(Bytes::from_static(wire)), tiny());
    assert!(events.next().await.unwrap().is_ok());
    assert!(matches!(events.next().await.unwrap(), Err(StreamError::Decode(_))));
    assert!(events.next().await.is_none());

    let mut framed = FramedRead::new(wire, SseCodec::with_decoder(tiny()));
    assert!(framed.next().await.unwrap().is_ok());
    match framed.next().await.unwrap().unwrap_err() {
        CodecError::Decode(error) => limit(&error),
        other => panic!("{other:?}"),
    }
    for _ in 0..3 {
        assert!(framed.next().await.is_none());
    }
}

#[tokio::test]
async fn a_failing_source_ends_the_stream_with_its_error() {
    let chunks = [Ok(&b"data: a\n\nda"[..]), Err(io::Error::from(io::ErrorKind::ConnectionReset)), Ok(b"ta: b\n\n")];
    let mut events = EventStream::new(stream::iter(chunks));
    assert!(events.next().await.unwrap().is_ok());
    let error = events.next().await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "source of the event stream failed");
    let source = error.source().unwrap().downcast_ref::<io::Error>().unwrap();
    assert_eq!(source.kind(), io::ErrorKind::ConnectionReset);
    assert!(events.next().await.is_none());
    assert_eq!(events.end(), None);
}

#[test]
fn an_event_is_given_before_more_is_asked_for() {
    let source = stream::iter([Ok::<_, Infallible>(&b"data: a\n\r"[..])]).chain(stream::pending());
    let mut events = pin!(EventStream::new(source));
    let mut cx = Context::from_waker(noop_waker_ref());
    assert!(matches!(events.as_mut().poll_next_unpin(&mut cx), Poll::Ready(Some(Ok(_)))));
    assert!(events.as_mut().poll_next_unpin(&mut cx).is_pending());
    assert_eq!(events.end(), None);
}
