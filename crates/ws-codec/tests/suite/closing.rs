//! Both ways of closing, and every way to end.

use std::error::Error as _;
use std::time::{Duration, Instant};

use ws_codec::{CloseClass, CloseCode, CloseFrame, Config, ErrorKind, InvalidClose, Protocol, Role};

use crate::support::*;

#[test]
fn each_code_has_its_class() {
    for (codes, class) in [
        (&[1000][..], CloseClass::Normal),
        (&[1001, 1012, 1013], CloseClass::ServerEvent),
        (&[1005, 1006, 1011, 1014, 1015], CloseClass::Recoverable),
        (&[1002, 1003, 1007, 1010], CloseClass::Protocol),
        (&[1008], CloseClass::Policy),
        (&[1009], CloseClass::TooBig),
        (&[3000, 3999, 4000, 4999], CloseClass::Application),
        (&[0, 999, 1004, 1016, 2999, 5000, 65535], CloseClass::Unassigned),
    ] {
        for code in codes {
            assert_eq!(CloseCode::new(*code).class(), class, "{code}");
        }
    }
}

#[test]
fn only_codes_of_the_wire_and_short_reasons_can_be_sent() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000] {
        let code = CloseCode::new(code);
        assert_eq!(CloseFrame::new(code, ""), Err(InvalidClose::Code(code)));
    }
    assert!(CloseFrame::new(CloseCode::new(4999), &"r".repeat(123)).is_ok());
    let refused = CloseFrame::new(CloseCode::NORMAL, &"r".repeat(124)).unwrap_err();
    assert_eq!(refused.to_string(), "a close reason of 124 bytes is longer than 123 bytes");
}

#[test]
fn a_close_of_ours_that_is_answered_is_no_error_and_messages_may_come_before() {
    let now = Instant::now();
    for role in [client(), Role::Server] {
        let dress = |frame| if matches!(role, Role::Server) { masked(frame) } else { frame };
        let mut protocol = Protocol::new(role.clone(), Config::new(), now);
        protocol.close(CloseFrame::new(CloseCode::new(3000), "enough").unwrap(), now);
        let mut outcome = Outcome::default();
        protocol.handle_bytes(&dress(fin(TEXT, "last words")), now);
        drain(&mut protocol, &mut outcome, now);
        assert_eq!(parse(&outcome.sent)[0].payload, [&3000_u16.to_be_bytes()[..], b"enough"].concat());
        assert!(!protocol.is_ended());
        protocol.handle_bytes(&dress(close(3000, "")), now);
        drain(&mut protocol, &mut outcome, now);
        assert_eq!(outcome.texts(), ["last words"]);
        assert!(outcome.error.is_none());
        assert_eq!(parse(&outcome.sent).len(), 1, "an answer is not answered");
        assert!(protocol.is_ended());
    }
}

#[test]
fn a_close_of_ours_that_is_not_answered_times_out() {
    let now = Instant::now();
    let mut protocol = Protocol::new(client(), Config::new(), now);
    protocol.close(CloseFrame::normal(), now);
    assert_eq!(protocol.poll_timeout(), Some(now + Duration::from_secs(2)));
    protocol.handle_bytes(&fin(PING, "still here"), now + Duration::from_secs(1));
    assert!(protocol.poll_message(now).is_none());
    protocol.handle_timeout(now + Duration::from_secs(2));
    assert_eq!(protocol.poll_message(now).unwrap().unwrap_err().kind(), ErrorKind::CloseTimeout);
    assert!(protocol.poll_message(now).is_none());
}

#[test]
fn a_close_without_a_code_reads_as_1005_and_is_answered_without_one() {
    let outcome = show_at_all_chunkings(Config::new(), &fin(CLOSE, ""), Eof::NotYet);
    let error = outcome.error.unwrap();
    assert_eq!((error.kind(), error.close_code()), (ErrorKind::Closed, CloseCode::NO_STATUS));
    let sent = parse(&outcome.sent);
    assert_eq!((sent.len(), sent[0].opcode(), sent[0].payload.len()), (1, CLOSE, 0));
}

#[test]
fn an_end_without_a_close_is_1006() {
    let outcome = show_at_all_chunkings(Config::new(), &fin(TEXT, "all"), Eof::Seen);
    assert_eq!(outcome.texts(), ["all"]);
    let error = outcome.error.unwrap();
    assert_eq!((error.kind(), error.close_code()), (ErrorKind::UnexpectedEof, CloseCode::ABNORMAL));
}

#[test]
fn a_failed_read_keeps_what_was_read_and_tells_its_source() {
    let now = Instant::now();
    let mut protocol = Protocol::new(client(), Config::new(), now);
    protocol.handle_bytes(&fin(TEXT, "all"), now);
    protocol.handle_read_error(std::io::ErrorKind::ConnectionReset.into());
    let mut outcome = Outcome::default();
    drain(&mut protocol, &mut outcome, now);
    assert_eq!(outcome.texts(), ["all"]);
    let error = outcome.error.unwrap();
    assert_eq!((error.kind(), error.close_code()), (ErrorKind::Io, CloseCode::ABNORMAL));
    assert_eq!(error.to_string(), "the connection failed");
    assert_eq!(error.source().unwrap().to_string(), "connection reset");
}

#[test]
fn after_a_failed_write_the_peers_close_is_still_read() {
    let now = Instant::now();
    let broken = || {
        let mut protocol = Protocol::new(client(), Config::new(), now);
        protocol.start_send("x".repeat(1 << 20)).unwrap();
        protocol.handle_write_error(std::io::ErrorKind::BrokenPipe.into(), now);
        assert!(protocol.poll_message(now).is_none());
        protocol
    };
    let mut told = broken();
    told.handle_bytes(&close(1009, "too big"), now);
    assert_eq!(told.poll_message(now).unwrap().unwrap_err().close_code(), CloseCode::TOO_BIG);
    let mut silent = broken();
    let at = silent.poll_timeout().unwrap();
    assert_eq!(at, now + Duration::from_secs(2));
    silent.handle_timeout(at);
    assert_eq!(silent.poll_message(now).unwrap().unwrap_err().kind(), ErrorKind::Io);
}

#[test]
fn a_reason_with_control_characters_is_shown_escaped() {
    let outcome = show_at_all_chunkings(Config::new(), &close(1008, "no\x1b[31m"), Eof::NotYet);
    let error = outcome.error.unwrap();
    assert_eq!(error.reason(), "no\x1b[31m");
    assert_eq!(error.to_string(), "the peer closed the connection with code 1008 (policy violation): no\\u{1b}[31m");
}
