//! The peak of the heap under streams without end, as the allocator sees it.
//!
//! A program of its own with one test: the peak is that of the process, and only ever rises. This allocator knows that
//! the system's can lengthen a piece of memory in its place; one that counts that as two pieces would see both at once.

use std::alloc::System;

use cap::Cap;
use sse_codec::{Decoder, Limits};

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

const LIMIT: usize = 1 << 20;
/// What may be in memory besides the event and the chunk: spare capacity, and the smaller fields.
const SLACK: usize = 64 << 10;

/// Feeds `start`, then `chunk` many times; answers whether the decoder failed.
fn fails(start: &str, chunk: &[u8]) -> bool {
    let limits = Limits::new().max_event_bytes(LIMIT).max_line_bytes(LIMIT);
    let mut decoder = Decoder::with_limits(limits);
    let mut failed = decoder.feed(start.as_bytes()).next().is_err();
    for _ in 0..8 * LIMIT / chunk.len() {
        failed = failed || decoder.feed(chunk).next().is_err();
    }
    failed
}

#[test]
fn the_peak_is_the_limit_one_chunk_and_a_little() {
    let base = HEAP.allocated();
    for size in [1_400, 65_536] {
        for (what, start, unit, expected) in [
            ("comment", ": ", "x", true),
            ("comments", "", ": x\n", false),
            ("unknown name", "x", "x", true),
            ("id", "id: ", "7", true),
            ("ids", "", "id: 12345678\n\n", false),
            ("event", "event: ", "e", true),
            ("retry", "retry: ", "0", true),
            ("empty data lines", "", "data:\n", true),
            ("short data lines", "", "data: 1234567\n", true),
            ("data line", "data: ", "x", true),
        ] {
            let chunk = unit.repeat(size / unit.len());
            assert_eq!(fails(start, chunk.as_bytes()), expected, "{what}, chunks of {size}");
            let peak = HEAP.max_allocated() - base;
            assert!(peak <= LIMIT + size + SLACK, "{what}, chunks of {size}: {peak} bytes");
        }
        assert!(HEAP.max_allocated() - base >= LIMIT, "the limit was put to the test");
    }
}
