//! Memory and work stay in proportion to what came.

use std::future::poll_fn;
use std::time::Instant;

use allocation_counter::{AllocationInfo, measure};
use ws_codec::io::Connection;
use ws_codec::{Config, Limits, Protocol};

use crate::support::*;

/// What it takes to read these bytes from a stream, and how many messages there were.
fn cost(bytes: &[u8], config: Config) -> (AllocationInfo, usize) {
    let mut messages = 0;
    let info = measure(|| {
        let stream = tokio::io::join(bytes, tokio::io::sink());
        let mut connection = Connection::new(stream, client(), config, Instant::now());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let now = Instant::now();
        while let Some(Ok(_)) = runtime.block_on(poll_fn(|cx| connection.poll_message(cx, now))) {
            messages += 1;
        }
    });
    (info, messages)
}

#[test]
fn small_messages_are_not_allocated_one_by_one() {
    let bytes = fin(TEXT, [b'x'; 233]).repeat(100_000);
    let (info, messages) = cost(&bytes, Config::new());
    assert_eq!(messages, 100_000);
    assert!(info.count_total < 1000, "{info:?}");
    assert!(info.bytes_max < 1 << 20, "{info:?}");
}

#[test]
fn a_message_at_the_limit_takes_at_most_twice_its_size() {
    let size = 8 << 20;
    let whole = fin(TEXT, "x".repeat(size));
    let part = "x".repeat(size / 64);
    let fragments = [more(TEXT, &part), more(CONTINUATION, &part).repeat(62), fin(CONTINUATION, &part)].concat();
    for bytes in [whole, fragments] {
        let (info, messages) = cost(&bytes, Config::new().limits(Limits::new().max_message_bytes(size)));
        assert_eq!(messages, 1);
        assert!(info.bytes_max <= (2 * size + (1 << 20)) as u64, "{info:?}");
        // What was allocated in all: growing by doubling, not by steps.
        assert!(info.bytes_total <= (5 * size) as u64, "{info:?}");
    }
}

#[test]
fn a_header_takes_no_memory_for_what_it_only_announces() {
    let tebibyte = [0x81, 127, 0, 0, 1, 0, 0, 0, 0, 0];
    let largest = [&[0x81, 127, 0, 0, 0, 0, 2, 0, 0, 0][..], b"only this"].concat();
    for bytes in [&tebibyte[..], &largest[..]] {
        let (info, messages) = cost(bytes, Config::new());
        assert_eq!(messages, 0);
        assert!(info.bytes_max < 64 << 10, "{info:?}");
    }
}

#[test]
fn sizes_and_counts_are_limited_across_fragments() {
    let limits = Limits::new().max_message_bytes(1000).max_frame_bytes(600).max_fragments(3);
    let config = open().limits(limits);
    let check = |bytes: Vec<u8>, expected: &str| {
        let outcome = show_at_all_chunkings(config, &bytes, Eof::NotYet);
        let code = parse(&outcome.sent).iter().find_map(Sent::code);
        let end = outcome.error.map_or("none".into(), |error| error.to_string());
        assert_eq!(format!("{} messages, {end}, {code:?}", outcome.messages.len()), expected);
    };
    let part = |size: usize| "x".repeat(size);
    check([more(TEXT, part(500)), fin(CONTINUATION, part(500))].concat(), "1 messages, none, None");
    check(
        [more(TEXT, part(500)), fin(CONTINUATION, part(501))].concat(),
        "0 messages, a message of 1001 bytes is larger than the limit of 1000 bytes, Some(1009)",
    );
    check(fin(TEXT, part(601)), "0 messages, a message of 601 bytes is larger than the limit of 600 bytes, Some(1009)");
    check([more(TEXT, ""), more(CONTINUATION, ""), fin(CONTINUATION, "")].concat(), "1 messages, none, None");
    check(
        [more(TEXT, ""), more(CONTINUATION, "").repeat(3)].concat(),
        "0 messages, a message has more than 3 fragments, Some(1008)",
    );
    // Pings are no fragments.
    check([more(TEXT, "a"), fin(PING, "").repeat(9), fin(CONTINUATION, "")].concat(), "1 messages, none, None");
}

#[test]
fn a_million_fragments_are_refused_and_not_put_together() {
    let bytes = [more(TEXT, ""), more(CONTINUATION, "").repeat(1_000_000)].concat();
    let (outcome, _) = show(client(), Config::new(), [&bytes[..]], Eof::NotYet);
    assert_eq!(outcome.error.unwrap().close_code().as_u16(), 1008);
}

#[test]
fn limits_are_always_finite() {
    let limits = Limits::new().max_message_bytes(usize::MAX).max_outgoing_bytes(usize::MAX);
    assert_eq!(limits.get_max_message_bytes(), 256 << 20);
    assert_eq!(limits.get_max_outgoing_bytes(), 256 << 20);
}

#[test]
fn a_small_text_does_not_hold_the_payload_of_a_large_message() {
    // A slice keeps its read buffer alive: at most what one read brings.
    let now = Instant::now();
    let mut protocol = Protocol::new(client(), Config::new(), now);
    let bytes = fin(TEXT, "small");
    protocol.handle_bytes(&bytes, now);
    let info = measure(|| {
        let message = protocol.poll_message(now);
        assert!(message.is_some());
    });
    assert!(info.bytes_total < 1024, "{info:?}");
}
