//! RFC 6455, rule by rule.

use ws_codec::ErrorKind::{self, InvalidText, Protocol};
use ws_codec::Violation::{self, *};
use ws_codec::{Config, Role};

use crate::support::*;

/// A server's bytes fail with this violation and Close 1002, after these messages.
#[track_caller]
fn check(bytes: impl AsRef<[u8]>, expected: Violation) {
    let outcome = show_at_all_chunkings(open(), bytes.as_ref(), Eof::NotYet);
    assert_eq!(outcome.error.as_ref().map(ws_codec::Error::kind), Some(Protocol(expected)));
    assert_eq!(
        outcome.summary(),
        format!("Some(({:?}, CloseCode(1002 (protocol error)))) sent Some(1002)", Protocol(expected))
    );
}

/// A server's bytes give these messages, and no end.
#[track_caller]
fn check_texts(bytes: impl AsRef<[u8]>, expected: &[&str]) -> Outcome {
    let outcome = show_at_all_chunkings(open(), bytes.as_ref(), Eof::NotYet);
    assert_eq!(outcome.texts(), expected);
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    outcome
}

#[test]
fn reserved_bits_are_refused_on_every_kind_of_frame() {
    for bit in [0x10, 0x20, 0x40, 0x70] {
        check(raw(FIN | bit | TEXT, b"x"), ReservedBits);
        check(raw(FIN | bit | PING, b"x"), ReservedBits);
        check([more(TEXT, "a"), raw(FIN | bit, b"x")].concat(), ReservedBits);
    }
}

#[test]
fn reserved_opcodes_are_refused() {
    for opcode in (3..8).chain(11..16) {
        check(fin(opcode, ""), ReservedOpcode(opcode));
    }
}

#[test]
fn lengths_must_be_in_their_shortest_form() {
    check([0x81, 126, 0, 125], NonMinimalLength);
    check([0x81, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff], NonMinimalLength);
    check([0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0], LengthOutOfRange);
    for size in [0, 1, 125, 126, 127, 128, 65535, 65536] {
        let text = "x".repeat(size);
        check_texts(fin(TEXT, &text), &[&text]);
    }
}

#[test]
fn control_frames_are_short_and_whole() {
    check([0x89, 126, 0, 126], ControlTooLong);
    check([0x88, 127], ControlTooLong);
    for opcode in [CLOSE, PING, PONG] {
        check(more(opcode, "x"), FragmentedControl);
    }
    let outcome = check_texts(fin(PING, [b'p'; 125]), &[]);
    assert_eq!(parse(&outcome.sent)[0].payload, [b'p'; 125]);
}

#[test]
fn a_server_does_not_mask_and_a_client_does() {
    check(masked(fin(TEXT, "x")), Masked);
    let as_server = |bytes: &[u8]| show(Role::Server, Config::new(), bytes.chunks(1), Eof::NotYet).0;
    let outcome = as_server(&fin(TEXT, "x"));
    assert_eq!(outcome.summary(), "Some((Protocol(Unmasked), CloseCode(1002 (protocol error)))) sent Some(1002)");
    let text = "masked in every position: äöü€𝄞";
    assert_eq!(as_server(&masked(fin(TEXT, text))).texts(), [text]);
}

#[test]
fn fragments_follow_their_message_and_only_it() {
    check(fin(CONTINUATION, "x"), UnexpectedContinuation);
    check(more(CONTINUATION, "x"), UnexpectedContinuation);
    check([more(TEXT, "a"), fin(CONTINUATION, "b"), fin(CONTINUATION, "c")].concat(), UnexpectedContinuation);
    check([more(TEXT, "a"), fin(TEXT, "b")].concat(), UnfinishedMessage);
    check([more(TEXT, "a"), more(BINARY, "b")].concat(), UnfinishedMessage);
    check_texts([more(TEXT, ""), more(CONTINUATION, ""), fin(CONTINUATION, "")].concat(), &[""]);
    check_texts(
        [more(TEXT, "a"), more(CONTINUATION, "b"), fin(CONTINUATION, "c"), fin(TEXT, "d")].concat(),
        &["abc", "d"],
    );
}

#[test]
fn control_frames_may_lie_between_fragments() {
    let bytes =
        [more(TEXT, "a"), fin(PING, "1"), more(CONTINUATION, "b"), fin(PONG, "?"), fin(CONTINUATION, "c")].concat();
    let outcome = check_texts(bytes, &["abc"]);
    let sent = parse(&outcome.sent);
    assert_eq!((sent.len(), sent[0].opcode(), &sent[0].payload[..]), (1, PONG, &b"1"[..]));
}

#[test]
fn text_is_checked_across_fragments_and_before_it_is_whole() {
    let check = |bytes: Vec<u8>| {
        let outcome = show_at_all_chunkings(open(), &bytes, Eof::NotYet);
        assert_eq!(outcome.summary(), "Some((InvalidText, CloseCode(1007 (invalid text)))) sent Some(1007)");
    };
    check_texts([more(TEXT, b"\xe2\x82"), fin(CONTINUATION, b"\xac")].concat(), &["€"]);
    check_texts([more(TEXT, b"\xf0"), more(CONTINUATION, b"\x9d\x84"), fin(CONTINUATION, b"\x9e!")].concat(), &["𝄞!"]);
    check(fin(TEXT, b"\xff"));
    check(fin(TEXT, b"\xe2\x82"));
    check([more(TEXT, b"\xe2\x82"), fin(CONTINUATION, b"")].concat());
    // The fault is in the first bytes of a frame, and of a message, whose rest never comes.
    check(more(TEXT, b"\xf4\x90"));
    check([&[0x81, 126, 0x10, 0][..], b"\xed\xa0"].concat());
    // Bytes of a binary message are not text, not even in the next message.
    check_texts(
        [fin(BINARY, b"\xff"), more(BINARY, b"\xe2"), fin(CONTINUATION, b"\x82"), fin(TEXT, "x")].concat(),
        &["\u{fffd}", "\u{fffd}", "x"],
    );
}

#[test]
fn a_binary_message_is_refused_by_its_header_unless_it_is_accepted() {
    let header = [FIN | BINARY, 127, 0, 0, 0, 0, 0, 1, 0x86, 0xa0];
    let outcome = show_at_all_chunkings(Config::new(), &header, Eof::NotYet);
    let error = outcome.error.as_ref().unwrap();
    assert_eq!(error.to_string(), "the peer sent a binary message of 100000 bytes");
    assert_eq!((error.close_code().as_u16(), parse(&outcome.sent)[0].code()), (1003, Some(1003)));
    check_texts(fin(BINARY, "ok"), &["ok"]);
}

#[test]
fn a_close_payload_is_checked() {
    for (payload, expected) in
        [(&b"\x03"[..], Protocol(ClosePayload)), (b"\x03\xe8\xff", InvalidText), (b"\x03\xe8\xe2\x82", InvalidText)]
    {
        let outcome = show_at_all_chunkings(open(), &fin(CLOSE, payload), Eof::NotYet);
        assert_eq!(outcome.error.unwrap().kind(), expected);
    }
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
        check(close(code, "why"), CloseCode(ws_codec::CloseCode::new(code)));
    }
    // A reason of 124 bytes does not fit into a control frame.
    check(raw(FIN | CLOSE, &[b'x'; 126]), ControlTooLong);
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999] {
        let reason = "r".repeat(123);
        let outcome = show_at_all_chunkings(open(), &close(code, &reason), Eof::NotYet);
        let error = outcome.error.as_ref().unwrap();
        assert_eq!((error.kind(), error.close_code().as_u16(), error.reason()), (ErrorKind::Closed, code, &reason[..]));
        assert_eq!(parse(&outcome.sent)[0].code(), Some(code));
    }
}
