//! How much is copied and allocated: counted, not timed.

use sse_codec::Decoder;

/// `count` events as an API sends them, about 200 bytes each.
fn deltas(count: usize, line_end: &str) -> Vec<u8> {
    let mut stream = String::new();
    for number in 0..count {
        let words = "word ".repeat(24);
        stream.extend(["event: response.output_text.delta", line_end]);
        stream.extend(["data: {\"sequence_number\":", &number.to_string(), ","]);
        stream.extend(["\"delta\":\"", &words, "\"}", line_end, line_end]);
    }
    stream.into_bytes()
}

fn count(decoder: &mut Decoder, stream: &[u8], size: usize) -> usize {
    let mut events = 0;
    for chunk in stream.chunks(size) {
        let mut feed = decoder.feed(chunk);
        while let Some(event) = feed.next().unwrap() {
            assert!(!event.data().is_empty() && !event.event().is_empty());
            events += 1;
        }
    }
    events
}

#[test]
fn borrowed_events_allocate_nothing_in_steady_state() {
    for line_end in ["\n", "\r\n", "\r"] {
        let stream = deltas(1000, line_end);
        for size in [1, 64, 1400, 65_536] {
            let mut decoder = Decoder::new();
            count(&mut decoder, &stream[..stream.len() / 2], size);
            decoder.reset();
            let info = allocation_counter::measure(|| {
                assert_eq!(count(&mut decoder, &stream, size), 1000);
            });
            assert_eq!(info.count_total, 0, "chunks of {size}");
        }
    }
}

#[test]
fn several_lines_and_ids_allocate_nothing_in_steady_state() {
    let lines = "data: some words\n".repeat(10);
    let stream: String =
        (100..600).flat_map(|id: u32| ["id: ".to_owned(), id.to_string(), format!("\n{lines}\n")]).collect();
    let mut decoder = Decoder::new();
    count(&mut decoder, stream.as_bytes(), 1400);
    decoder.reset();
    let info = allocation_counter::measure(|| {
        assert_eq!(count(&mut decoder, stream.as_bytes(), 1400), 500);
    });
    assert_eq!(info.count_total, 0);
}

#[test]
fn events_whole_in_their_chunk_are_not_copied() {
    let stream = deltas(1000, "\n");
    let mut decoder = Decoder::new();
    count(&mut decoder, &stream, stream.len());
    assert_eq!(decoder.counters().copied, 0);
}

#[test]
fn a_long_event_is_copied_once_however_it_is_cut() {
    for len in [1 << 14, 1 << 17, 1 << 20, 1 << 22] {
        let mut stream = b"event: large\ndata: ".to_vec();
        stream.resize(stream.len() + len, b'x');
        stream.extend_from_slice(b"\n\n");
        for size in [1, 64, 1400, 65_536] {
            let mut decoder = Decoder::new();
            let info = allocation_counter::measure(|| {
                assert_eq!(count(&mut decoder, &stream, size), 1);
            });
            let copied = decoder.counters().copied;
            assert!(copied <= stream.len() as u64, "{len} bytes, chunks of {size}: {copied} copied");
            assert!(info.count_total <= 24, "{len} bytes, chunks of {size}: {} allocations", info.count_total);
            assert!(info.bytes_total <= 5 * len as u64, "{len} bytes, chunks of {size}: {}", info.bytes_total);
        }
    }
}

#[test]
fn many_data_lines_are_copied_once() {
    for lines in [1_000_u64, 100_000] {
        let mut stream = b"data: 1234567\n".repeat(lines as usize);
        stream.push(b'\n');
        for size in [7, 1400, stream.len()] {
            let mut decoder = Decoder::new();
            assert_eq!(count(&mut decoder, &stream, size), 1);
            assert!(decoder.counters().copied <= lines * 8, "{lines} lines, chunks of {size}");
        }
    }
}

#[cfg(feature = "bytes")]
mod owned {
    use bytes::Bytes;
    use sse_codec::{Decoder, OwnedEvent};

    use super::deltas;

    fn read(decoder: &mut Decoder, chunks: &[Bytes], events: &mut Vec<OwnedEvent>) {
        for chunk in chunks {
            events.extend(decoder.feed_bytes(chunk.clone()).map(Result::unwrap));
        }
    }

    fn chunks(stream: &[u8], size: usize) -> Vec<Bytes> {
        stream.chunks(size).map(Bytes::copy_from_slice).collect()
    }

    #[test]
    fn events_whole_in_their_chunk_are_slices_of_it() {
        let chunk = Bytes::from(deltas(100, "\n"));
        let held = chunk.as_ptr() as usize..chunk.as_ptr() as usize + chunk.len();
        let mut events = Vec::new();
        read(&mut Decoder::new(), std::slice::from_ref(&chunk), &mut events);
        assert_eq!(events.len(), 100);
        for event in &events {
            assert!(held.contains(&(event.data().as_ptr() as usize)));
            let detached = event.clone().into_detached();
            assert_eq!(&detached, event);
            assert!(!held.contains(&(detached.data().as_ptr() as usize)));
        }
    }

    #[test]
    fn a_chunk_that_is_read_is_let_go() {
        let chunk = Bytes::from(deltas(2, "\n"));
        let mut reading = chunk.clone();
        let mut decoder = Decoder::new();
        while decoder.decode_bytes(&mut reading).unwrap().is_some() {}
        assert!(chunk.is_unique(), "`reading` does not hold it any more");
    }

    #[test]
    fn owned_events_allocate_only_when_they_span_chunks() {
        let stream = deltas(1000, "\n");
        for (size, most) in [(65_536, 4), (1400, 200)] {
            let chunks = chunks(&stream, size);
            let mut decoder = Decoder::new();
            let mut events = Vec::with_capacity(2000);
            // Now the chunks are shared; `Bytes` allocates for that once.
            read(&mut decoder, &chunks, &mut events);
            events.clear();
            let info = allocation_counter::measure(|| read(&mut decoder, &chunks, &mut events));
            assert_eq!(events.len(), 1000);
            assert!(info.count_total <= most, "chunks of {size}: {}", info.count_total);
        }
    }

    #[test]
    fn an_event_with_a_chunk_of_its_own_allocates_nothing() {
        let chunks: Vec<Bytes> = (0..1000).map(|_| Bytes::from(deltas(1, "\n"))).collect();
        let mut decoder = Decoder::new();
        let mut events = Vec::with_capacity(2000);
        read(&mut decoder, &chunks, &mut events);
        events.clear();
        let info = allocation_counter::measure(|| read(&mut decoder, &chunks, &mut events));
        assert_eq!((events.len(), info.count_total), (1000, 0));
    }

    #[test]
    fn a_large_joined_event_is_handed_over_and_not_copied() {
        let mut stream = b"data: ".to_vec();
        stream.resize(1 << 20, b'x');
        stream.extend_from_slice(b"\n\n");
        let chunks = chunks(&stream, 1400);
        let mut decoder = Decoder::new();
        let mut events = Vec::new();
        for mut chunk in chunks {
            if let Some(event) = decoder.decode_bytes(&mut chunk).unwrap() {
                assert!(decoder.capacity() < 64 << 10, "the buffer went with the event");
                events.push(event);
            }
        }
        assert_eq!(events[0].data().len(), (1 << 20) - 6);
        assert!(decoder.counters().copied < 1 << 20);
    }

    #[test]
    fn the_id_is_shared_between_events() {
        let stream = format!("id: 1\ndata: a\n\n{}", "data: b\n\n".repeat(100));
        let mut decoder = Decoder::new();
        let events: Vec<_> = decoder.feed_bytes(Bytes::from(stream)).map(Result::unwrap).collect();
        assert_eq!(events.len(), 101);
        let first = events[0].last_event_id().as_ptr();
        assert!(events.iter().all(|event| event.last_event_id() == "1" && event.last_event_id().as_ptr() == first));
    }
}
