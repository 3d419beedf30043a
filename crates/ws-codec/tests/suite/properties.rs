//! What holds for any input.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use ws_codec::{Config, Limits, Message, Role, Text};

use crate::support::*;

/// A frame that a server might send, or nearly.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let payload = prop_oneof![
        4 => ".{0,60}".prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..140),
    ];
    prop_oneof![
        6 => (payload.clone(), Just(TEXT)).prop_map(|(payload, opcode)| fin(opcode, payload)),
        3 => (payload.clone(), vec(any::<Index>(), 0..4)).prop_map(|(payload, cuts)| fragmented(&payload, &cuts)),
        2 => "[a-z]{0,20}".prop_map(|payload| fin(PING, payload)),
        1 => "[a-z]{0,20}".prop_map(|payload| fin(PONG, payload)),
        1 => (900..5100_u16).prop_map(|code| close(code, "why")),
        1 => (any::<u8>(), payload).prop_map(|(first, payload)| raw(first, &payload)),
        1 => vec(any::<u8>(), 0..6),
    ]
}

/// One text message in frames, with a ping between each two.
fn fragmented(payload: &[u8], cuts: &[Index]) -> Vec<u8> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(payload.len() + 1)).collect();
    cuts.sort_unstable();
    let (mut bytes, mut from, mut opcode) = (Vec::new(), 0, TEXT);
    for cut in cuts {
        bytes.extend(more(opcode, &payload[from..cut]));
        bytes.extend(fin(PING, "between"));
        (from, opcode) = (cut, CONTINUATION);
    }
    bytes.extend(fin(opcode, &payload[from..]));
    bytes
}

/// The chunks between sorted cuts.
fn split<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.sort_unstable();
    cuts.push(bytes.len());
    let mut from = 0;
    cuts.into_iter().map(|cut| &bytes[std::mem::replace(&mut from, cut)..cut]).collect()
}

proptest! {
    #[test]
    fn any_split_of_the_bytes_gives_the_same(pieces in vec(piece(), 0..8), cuts in vec(any::<Index>(), 0..12), accept in any::<bool>()) {
        let bytes = pieces.concat();
        let config = if accept { open() } else { Config::new() };
        let (whole, at_once) = show(client(), config, [&bytes[..]], Eof::Seen);
        let (cut, in_parts) = show(client(), config, split(&bytes, &cuts), Eof::Seen);
        prop_assert_eq!(&cut.messages, &whole.messages);
        prop_assert_eq!(cut.summary(), whole.summary());
        prop_assert!(whole.error.is_some(), "the end of the stream is an end");
        prop_assert_eq!(in_parts.counters().frames_received, at_once.counters().frames_received);
    }

    #[test]
    fn random_bytes_do_no_harm(bytes in vec(any::<u8>(), 0..400), server in any::<bool>()) {
        let role = if server { Role::Server } else { client() };
        let (outcome, protocol) = show(role, open(), bytes.chunks(5), Eof::Seen);
        prop_assert!(protocol.is_ended());
        prop_assert!(outcome.error.is_some());
    }

    #[test]
    fn any_fragmentation_of_any_message_arrives(text in ".{0,300}", fragment in 1..100_usize, chunk in 1..50_usize, upwards in any::<bool>()) {
        let limits = Limits::new().fragment_bytes(fragment);
        let (sender, receiver) = if upwards { (client(), Role::Server) } else { (Role::Server, client()) };
        let (mut out, mut protocol) = show(sender, open().limits(limits), [], Eof::NotYet);
        let now = protocol.last_received();
        protocol.start_send(text.clone()).unwrap();
        drain(&mut protocol, &mut out, now);
        let frames = parse(&out.sent);
        prop_assert_eq!(frames.len(), text.len().div_ceil(fragment).max(1));
        prop_assert!(frames.iter().all(|frame| frame.key.is_some() == upwards && frame.payload.len() <= fragment));
        let (received, _) = show(receiver, open(), out.sent.chunks(chunk), Eof::NotYet);
        prop_assert_eq!(Text::from(text.clone()).to_string(), text.clone());
        prop_assert_eq!(received.messages, vec![Message::Text(Text::from(text))]);
    }
}
