//! What goes out, and what is refused before a byte does.

use std::time::Instant;

use bytes::Bytes;
use ws_codec::{CloseFrame, Config, Limits, Message, Protocol, Role, SendError};

use crate::support::*;

fn connection(role: Role, limits: Limits) -> (Protocol, Instant) {
    let now = Instant::now();
    (Protocol::new(role, Config::new().limits(limits), now), now)
}

#[test]
fn a_message_of_16_mib_is_refused_before_a_byte_is_sent() {
    let (mut protocol, _) = connection(client(), Limits::new());
    let size = 16 << 20;
    let refused = protocol.start_send("x".repeat(size)).unwrap_err();
    assert!(matches!(refused, SendError::TooLarge { size: 0x100_0000, limit: 0xff_ffff, .. }), "{refused:?}");
    assert_eq!(refused.to_string(), "a message of 16777216 bytes is larger than the limit of 16777215 bytes");
    assert!(protocol.transmit().is_empty());
    protocol.start_send("x".repeat(size - 1)).unwrap();
}

#[test]
fn one_message_is_sent_at_a_time() {
    let (mut protocol, now) = connection(client(), Limits::new());
    protocol.start_send("x".repeat(1 << 20)).unwrap();
    assert_eq!(protocol.start_send("y").unwrap_err(), SendError::Busy);
    drain(&mut protocol, &mut Outcome::default(), now);
    protocol.start_send("y").unwrap();
    protocol.close(CloseFrame::normal(), now);
    assert_eq!(protocol.start_send("z").unwrap_err(), SendError::Closed);
}

#[test]
fn small_messages_share_a_write() {
    let (mut protocol, _) = connection(Role::Server, Limits::new());
    for text in ["a", "b", "c"] {
        protocol.start_send(text).unwrap();
    }
    assert_eq!(protocol.transmit(), [fin(TEXT, "a"), fin(TEXT, "b"), fin(TEXT, "c")].concat());
}

#[test]
fn a_client_masks_each_frame_with_a_key_of_its_own() {
    let (mut protocol, now) = connection(client(), Limits::new().fragment_bytes(10));
    let mut outcome = Outcome::default();
    protocol.start_send(Message::Binary(Bytes::from_static(b"some twenty-five bytes .."))).unwrap();
    drain(&mut protocol, &mut outcome, now);
    let frames = parse(&outcome.sent);
    assert_eq!(frames.iter().map(|frame| frame.first).collect::<Vec<_>>(), [BINARY, CONTINUATION, FIN | CONTINUATION]);
    let keys: std::collections::HashSet<_> = frames.iter().map(|frame| frame.key.unwrap()).collect();
    assert_eq!(keys.len(), 3);
    assert_eq!(frames.iter().flat_map(|frame| frame.payload.clone()).collect::<Vec<_>>(), b"some twenty-five bytes ..");
}

#[test]
fn a_pong_overtakes_the_fragments_of_a_message_and_a_close_of_ours_does_not() {
    let (mut protocol, now) = connection(client(), Limits::new());
    protocol.start_send("x".repeat(1 << 20)).unwrap();
    protocol.handle_bytes(&fin(PING, "hurry"), now);
    protocol.close(CloseFrame::normal(), now);
    let mut outcome = Outcome::default();
    drain(&mut protocol, &mut outcome, now);
    let opcodes: Vec<u8> = parse(&outcome.sent).iter().map(Sent::opcode).collect();
    assert_eq!(opcodes, [TEXT, PONG, 0, 0, 0, 0, 0, 0, 0, CLOSE]);
}

#[test]
fn a_close_of_the_peer_ends_a_message_at_the_frame_that_has_begun() {
    let (mut protocol, now) = connection(client(), Limits::new());
    protocol.start_send("x".repeat(1 << 20)).unwrap();
    let mut outcome = Outcome::default();
    outcome.sent.extend(&protocol.transmit()[..1000]);
    protocol.handle_transmitted(1000, now);
    protocol.handle_bytes(&close(1009, "too big"), now);
    drain(&mut protocol, &mut outcome, now);
    let frames = parse(&outcome.sent);
    assert_eq!(frames.iter().map(Sent::opcode).collect::<Vec<_>>(), [TEXT, CLOSE]);
    assert_eq!(frames[1].code(), Some(1009));
    let error = outcome.error.unwrap();
    assert_eq!((error.close_code().as_u16(), error.reason()), (1009, "too big"));
}

#[test]
fn a_ping_flood_against_a_blocked_writer_takes_no_memory() {
    let (mut protocol, now) = connection(client(), Limits::new());
    let flood = fin(PING, [b'p'; 125]).repeat(10_000);
    for chunk in flood.chunks(131) {
        protocol.handle_bytes(chunk, now);
        assert!(protocol.poll_message(now).is_none());
        assert!(protocol.transmit().len() < 9 << 10);
    }
}
