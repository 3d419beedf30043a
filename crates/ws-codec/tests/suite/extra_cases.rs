//! Cases beyond the Autobahn suite, found by looking at how libraries fail. Those of the handshake are in `upgrade`.

use std::time::Duration;

use ws_codec::Config;

use crate::support::*;

struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    eof: Eof,
    /// The messages; long ones as their length.
    messages: &'static [&'static str],
    end: &'static str,
}

/// What ends a connection and what is sent in a Close then.
const OPEN: &str = "open";

fn case(name: &'static str, bytes: Vec<u8>, messages: &'static [&'static str], end: &'static str) -> Case {
    Case { name, bytes, eof: Eof::NotYet, messages, end }
}

fn check(case: &Case) {
    let outcome = show_at_all_chunkings(Config::new(), &case.bytes, case.eof);
    let shorten = |text: String| if text.len() > 100 { format!("{} bytes", text.len()) } else { text };
    assert_eq!(outcome.texts().into_iter().map(shorten).collect::<Vec<_>>(), case.messages, "{}", case.name);
    let sent = parse(&outcome.sent).iter().find_map(Sent::code).map_or("nothing".into(), |code| code.to_string());
    let end = outcome.error.map_or(OPEN.into(), |error| format!("{error}; sent {sent}"));
    assert_eq!(end, case.end, "{}", case.name);
}

#[test]
fn frames_that_libraries_get_wrong() {
    let text = "x".repeat(8 << 20);
    let echo_then_late = [close(1000, "bye"), fin(TEXT, "late")].concat();
    let fragments = |part: &[u8]| {
        let part = more(CONTINUATION, part);
        [more(TEXT, ""), part.repeat(100_000), fin(CONTINUATION, "end")].concat()
    };
    let pings: Vec<u8> = (0..10_000).flat_map(|n| fin(PING, format!("{n}"))).chain(fin(TEXT, "after")).collect();
    let broken = "the peer broke the protocol";
    let cases = [
        case(
            "1 16-bit length not minimal",
            vec![0x81, 126, 0, 5],
            &[],
            "the peer broke the protocol: a length is not in its shortest form; sent 1002",
        ),
        case(
            "2 64-bit length not minimal",
            vec![0x81, 127, 0, 0, 0, 0, 0, 0, 0, 5],
            &[],
            "the peer broke the protocol: a length is not in its shortest form; sent 1002",
        ),
        case(
            "3 64-bit length with its top bit",
            vec![0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 5],
            &[],
            "the peer broke the protocol: a length is out of range; sent 1002",
        ),
        case(
            "4 a header that announces 1 TiB",
            vec![0x81, 127, 0, 0, 1, 0, 0, 0, 0, 0],
            &[],
            "a message of 1099511627776 bytes is larger than the limit of 33554432 bytes; sent 1009",
        ),
        case(
            "5 masked by the server",
            masked(fin(TEXT, "x")),
            &[],
            "the peer broke the protocol: the server masked a frame; sent 1002",
        ),
        case("6 RSV1 on text", raw(0xc1, b"x"), &[], "the peer broke the protocol: a reserved bit is set; sent 1002"),
        case("7 RSV1 on ping", raw(0xc9, b"x"), &[], "the peer broke the protocol: a reserved bit is set; sent 1002"),
        case(
            "8 RSV1 on continuation",
            [more(TEXT, "a"), raw(0xc0, b"x")].concat(),
            &[],
            "the peer broke the protocol: a reserved bit is set; sent 1002",
        ),
        case("9 100,000 empty fragments", fragments(b""), &["end"], OPEN),
        case("10 100,000 fragments of a byte", fragments(b"x"), &["100003 bytes"], OPEN),
        case("11 10,000 pings, then text", pings, &["after"], OPEN),
        case(
            "12 text after Close",
            echo_then_late,
            &[],
            "the peer closed the connection with code 1000 (normal closure): bye; sent 1000",
        ),
        Case {
            eof: Eof::Seen,
            ..case(
                "13 the stream ends in a header",
                vec![0x81],
                &[],
                "the connection ended without a close; sent nothing",
            )
        },
        Case {
            eof: Eof::Seen,
            ..case(
                "14 the stream ends in a payload",
                vec![0x81, 5, b'a'],
                &[],
                "the connection ended without a close; sent nothing",
            )
        },
        case("23 frames byte by byte", [fin(TEXT, "a"), fin(TEXT, "b")].concat(), &["a", "b"], OPEN),
        case("24 a split character", [more(TEXT, b"\xe2"), fin(CONTINUATION, b"\x82\xac")].concat(), &["€"], OPEN),
        case(
            "25 bad text in a first fragment",
            more(TEXT, b"a\xff"),
            &[],
            "the peer sent text that is not UTF-8; sent 1007",
        ),
        case("29 a message of 8 MiB", fin(TEXT, &text), &["8388608 bytes"], OPEN),
        case(
            "30 bad text in the reason of a Close",
            close(1000, b"\xff"),
            &[],
            "the peer sent text that is not UTF-8; sent 1007",
        ),
    ];
    for case in &cases {
        check(case);
    }
    assert_eq!(cases.iter().filter(|case| case.end.starts_with(broken)).count(), 7);
}

#[test]
fn a_ping_flood_in_one_read_fills_a_bounded_buffer_and_ends_with_the_newest_pong() {
    let pings: Vec<u8> = (0..10_000).flat_map(|n| fin(PING, format!("{n}"))).collect();
    let (outcome, protocol) = show(client(), Config::new(), [&pings[..]], Eof::NotYet);
    let sent = parse(&outcome.sent);
    // Answered in their turn while there is room, and by the newest one where there is not.
    assert_eq!(&sent[0].payload[..], b"0");
    let last = sent.last().unwrap();
    assert_eq!((last.opcode(), &last.payload[..]), (PONG, &b"9999"[..]));
    assert!(outcome.sent.len() <= 16 << 10, "{}", outcome.sent.len());
    assert_eq!((protocol.counters().pings_received, protocol.counters().pongs_sent), (10_000, sent.len() as u64));
}

#[test]
fn case_15_a_close_whose_stream_stays_open_ends_by_the_close_timeout() {
    let (outcome, mut protocol) = show(client(), Config::new(), [&close(1012, "restart")[..]], Eof::NotYet);
    assert_eq!(parse(&outcome.sent)[0].code(), Some(1012));
    let at = protocol.poll_timeout().unwrap();
    assert_eq!(at - protocol.last_received(), Duration::from_secs(2));
    protocol.handle_timeout(at);
    assert_eq!(protocol.poll_timeout(), None);
    assert_eq!(protocol.end().unwrap().unwrap_err().close_code().as_u16(), 1012);
}
