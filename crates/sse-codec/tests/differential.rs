//! Any bytes, in any chunking, by any way in, against the plain reference decoder.

mod support;

use proptest::prelude::*;
use sse_codec::{Limits, Overflow};
use support::{WAYS, reference, run};

/// Bytes that often form fields, and often just miss.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let fixed: Vec<&'static [u8]> = vec![
        b"\n",
        b"\n",
        b"\n\n",
        b"\r",
        b"\r\n",
        b"\r\n\r\n",
        b":",
        b": ",
        b" ",
        b"\0",
        b"\t",
        b"data",
        b"data:",
        b"data: ",
        b"event",
        b"event: ",
        b"id",
        b"id: ",
        b"id: 7\n",
        b"retry: ",
        b"retry: 25\n",
        b"retry:9x",
        b"dat",
        b"eve",
        b"i",
        b"\xEF\xBB\xBF",
        b"\xEF\xBB",
        b"\xEF",
        b"\xF0\x9F",
        b"\x98\x80",
        b"\xFF",
        b"unknown: x\n",
        b"data: hello\n\n",
        b"event: delta\ndata: {}\n\n",
        b": keep-alive\n\n",
    ];
    let piece = prop_oneof![
        8 => proptest::sample::select(fixed).prop_map(<[u8]>::to_vec),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
        1 => "[a-z:\u{e9}\u{20ac}]{0,40}".prop_map(String::into_bytes),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Cuts `input` at pseudo-random places; empty chunks included.
fn cut<'a>(input: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
    at.extend([0, input.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &input[pair[0]..pair[1]]).collect()
}

fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    proptest::collection::vec(any::<prop::sample::Index>(), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_stream_in_any_chunking_agrees_with_the_reference(input in stream(), cuts in cuts()) {
        let expected = reference::decode(&input);
        for &way in WAYS {
            prop_assert_eq!(&run(way, Limits::new(), cut(&input, &cuts)), &expected, "{:?}", way);
            prop_assert_eq!(&run(way, Limits::new(), input.chunks(1)), &expected, "{:?}, bytewise", way);
        }
    }

    #[test]
    fn limits_do_not_depend_on_the_chunking(
        input in stream(),
        cuts in cuts(),
        event in 0_usize..40,
        line in 0_usize..40,
        field in 0_usize..20,
        skip in any::<bool>(),
    ) {
        let overflow = if skip { Overflow::SkipEvent } else { Overflow::Fail };
        let limits = Limits::new()
            .max_event_bytes(event)
            .max_line_bytes(line)
            .max_field_bytes(field)
            .on_overflow(overflow);
        // Rests of early drops count against the event limit, and comments have one only when they are read.
        for &way in WAYS.iter().filter(|way| !matches!(way, support::Way::DropEarly | support::Way::Items)) {
            let mut whole = run(way, limits, [&input[..]]);
            let mut bytewise = run(way, limits, input.chunks(1));
            let mut pieces = run(way, limits, cut(&input, &cuts));
            if whole.error.is_some() {
                // After an error it depends on the chunk what was read beyond the last event.
                for outcome in [&mut whole, &mut bytewise, &mut pieces] {
                    (outcome.comments, outcome.retry) = (0, None);
                }
            }
            prop_assert_eq!(&bytewise, &whole, "{:?}", way);
            prop_assert_eq!(&pieces, &whole, "{:?}", way);
        }
    }
}

/// A cut line is searched and copied by pieces of some KiB; its end may lie at any place of one.
#[test]
fn a_long_cut_line_agrees_with_the_reference_wherever_it_ends() {
    for length in [8 << 10, 16 << 10].into_iter().flat_map(|piece: usize| piece - 3..=piece + 3) {
        for end in ["\n", "\r", "\r\n"] {
            let line = "x".repeat(length);
            let input = format!("data: {line}{end}data: y{end}{end}event: z{end}data: z{end}{end}").into_bytes();
            let expected = reference::decode(&input);
            for first in [6, 7, length] {
                for &way in WAYS {
                    let (begin, rest) = input.split_at(first);
                    assert_eq!(run(way, Limits::new(), [begin, rest]), expected, "{way:?}, {length}, {end:?}, {first}");
                }
            }
        }
    }
}
