//! The decoder of event streams.

use sse_codec::{Decoder, Limits, Overflow};

use super::input::Input;
use support::{Outcome, WAYS, Way, reference, run};

/// The driver and the plain decoder of the crate's own tests.
#[allow(unexpected_cfgs)] // it asks for a feature of the crate that it is at home in
#[path = "../../../crates/sse-codec/tests/support/mod.rs"]
mod support;

/// Any bytes, cut anywhere and by any way in, give what the plain decoder makes of the whole. Limits hold, and do not
/// depend on the cuts either.
pub fn sse_decoder(data: &[u8]) {
    let input = Input::of(data);
    // The plain decoder knows no limits, and the smallest default is 64 KiB.
    if input.body.len() < 64 << 10 {
        check_meaning(input);
    }
    check_limits(input);
}

fn check_meaning(input: Input<'_>) {
    let expected = reference::decode(input.body);
    for &way in WAYS {
        for chunks in input.chunkings(4) {
            let count = chunks.len();
            assert_eq!(run(way, Limits::new(), chunks), expected, "{way:?} in {count} chunks");
        }
    }
}

fn check_limits(input: Input<'_>) {
    let overflow = if input.number(0) % 2 == 0 { Overflow::Fail } else { Overflow::SkipEvent };
    let limits = Limits::new()
        .max_event_bytes(input.number(1))
        .max_line_bytes(input.number(2))
        .max_field_bytes(input.number(3))
        .on_overflow(overflow);
    // Rests of early drops count against the limit of an event, and comments have one only when they are read.
    for &way in WAYS.iter().filter(|way| !matches!(way, Way::DropEarly | Way::Items)) {
        let [whole, others @ ..] = input.chunkings(4).map(|chunks| comparable(run(way, limits, chunks)));
        for other in others {
            assert_eq!(other, whole, "{way:?} with limits");
        }
        let largest = whole.events.iter().map(|(_, data, _)| data.chars().count()).max().unwrap_or_default();
        assert!(largest <= input.number(1), "an event of {largest} characters");
    }
    check_memory(input, limits);
}

/// After an error it depends on the chunk what was read beyond the last event.
fn comparable(mut outcome: Outcome) -> Outcome {
    if outcome.error.is_some() {
        (outcome.comments, outcome.retry) = (0, None);
    }
    outcome
}

/// What is held of an unfinished event is within the limits together.
fn check_memory(input: Input<'_>, limits: Limits) {
    let most = limits.get_max_event_bytes() + 3 * limits.get_max_field_bytes() + "retry: ".len();
    let mut decoder = Decoder::with_limits(limits);
    for byte in input.body.chunks(1) {
        let mut feed = decoder.feed(byte);
        while let Ok(Some(_)) = feed.next() {}
        drop(feed);
        let held = decoder.counters().buffered;
        assert!(held <= most, "{held} bytes are held, {most} are allowed");
    }
}
