//! Signs of life, probes and age, by instants.

use std::time::{Duration, Instant};

use ws_codec::{CloseCode, Config, ErrorKind, Protocol, Reuse, Timers};

use crate::support::*;

struct Peer {
    protocol: Protocol,
    start: Instant,
}

fn peer(timers: Timers) -> Peer {
    let start = Instant::now();
    Peer { protocol: Protocol::new(client(), Config::new().timers(timers), start), start }
}

impl Peer {
    fn at(&self, seconds: u64) -> Instant {
        self.start + Duration::from_secs(seconds)
    }

    /// Seconds from the start to the next deadline.
    fn next(&self) -> Option<u64> {
        self.protocol.poll_timeout().map(|at| (at - self.start).as_secs())
    }

    /// Time has come to `seconds`; what is sent then.
    fn advance(&mut self, seconds: u64) -> Vec<Sent> {
        let now = self.at(seconds);
        self.protocol.handle_timeout(now);
        let mut outcome = Outcome::default();
        let sent = parse(self.protocol.transmit());
        let size = self.protocol.transmit().len();
        self.protocol.handle_transmitted(size, now);
        drain(&mut self.protocol, &mut outcome, now);
        sent
    }

    fn receive(&mut self, seconds: u64, bytes: &[u8]) {
        let now = self.at(seconds);
        self.protocol.handle_bytes(bytes, now);
        while self.protocol.poll_message(now).is_some() {}
    }

    fn failure(&self) -> Option<ErrorKind> {
        self.protocol.end().map(|end| end.unwrap_err().kind())
    }
}

#[test]
fn a_silent_peer_is_asked_after_20_s_and_dead_after_40_s() {
    let mut peer = peer(Timers::new());
    assert_eq!(peer.next(), Some(20));
    assert!(peer.advance(19).is_empty());
    assert_eq!(peer.advance(20)[0].opcode(), PING);
    assert_eq!(peer.next(), Some(40));
    assert!(peer.advance(39).is_empty() && peer.failure().is_none());
    peer.advance(40);
    assert_eq!(peer.failure(), Some(ErrorKind::Unresponsive));
    assert_eq!(peer.protocol.end().unwrap().unwrap_err().close_code(), CloseCode::ABNORMAL);
    assert_eq!(peer.next(), None);
}

#[test]
fn any_byte_is_a_sign_of_life() {
    let frame = fin(TEXT, "slow");
    for sign in [fin(PONG, "unasked"), fin(PING, "mine"), fin(TEXT, "event"), frame[..1].to_vec()] {
        let mut peer = peer(Timers::new());
        peer.advance(20);
        peer.receive(39, &sign);
        assert_eq!(peer.next(), Some(59));
    }
}

#[test]
fn a_peer_that_only_pings_lives_for_hours() {
    let mut peer = peer(Timers::new());
    for minute in 0..600 {
        peer.receive(minute * 15, &fin(PING, "?"));
        let sent = peer.advance(minute * 15 + 14);
        assert_eq!((sent.len(), sent[0].opcode()), (1, PONG));
    }
    assert_eq!(peer.failure(), None);
}

#[test]
fn a_caller_that_was_away_asks_before_it_gives_up() {
    let mut peer = peer(Timers::new());
    assert_eq!(peer.advance(4000)[0].opcode(), PING);
    assert_eq!(peer.failure(), None);
    assert_eq!(peer.next(), Some(4020));
}

#[test]
fn an_upload_that_proceeds_is_a_sign_of_life() {
    let mut peer = peer(Timers::new());
    peer.protocol.start_send("x".repeat(1 << 20)).unwrap();
    for seconds in (0..300).step_by(10) {
        peer.protocol.transmit();
        let now = peer.at(seconds);
        peer.protocol.handle_transmitted(1000, now);
        peer.protocol.handle_timeout(now);
    }
    assert_eq!(peer.next(), Some(310));
    peer.protocol.handle_timeout(peer.at(310));
    peer.protocol.handle_timeout(peer.at(330));
    assert_eq!(peer.failure(), Some(ErrorKind::Unresponsive));
}

#[test]
fn without_an_interval_nothing_is_asked() {
    let mut peer = peer(Timers::new().ping_interval(None));
    assert_eq!(peer.next(), None);
    assert!(peer.advance(100_000).is_empty() && peer.failure().is_none());
}

#[test]
fn reuse_depends_on_silence_age_and_state() {
    let quiet = || peer(Timers::new());
    let mut peer = quiet();
    assert_eq!(peer.protocol.reuse(peer.at(30)), Reuse::Ready);
    assert_eq!(peer.protocol.reuse(peer.at(31)), Reuse::Probe);
    peer.receive(31, &fin(PING, ""));
    peer.advance(31);
    assert_eq!(peer.protocol.reuse(peer.at(32)), Reuse::Ready);
    peer.receive(3299, &fin(PONG, ""));
    assert_eq!(peer.protocol.reuse(peer.at(3299)), Reuse::Ready);
    assert_eq!(peer.protocol.reuse(peer.at(3300)), Reuse::Expired);
    peer.protocol.handle_eof();
    assert_eq!(peer.protocol.reuse(peer.at(40)), Reuse::Closed);

    let mut sending = quiet();
    sending.protocol.start_send("half").unwrap();
    assert_eq!(sending.protocol.reuse(sending.at(1)), Reuse::Busy);
    let mut closing = quiet();
    closing.protocol.close(ws_codec::CloseFrame::normal(), closing.at(1));
    assert_eq!(closing.protocol.reuse(closing.at(1)), Reuse::Closed);
}

#[test]
fn a_probe_is_answered_by_its_pong_only_and_fails_after_3_s() {
    let mut peer = peer(Timers::new());
    peer.protocol.start_probe(peer.at(100));
    peer.protocol.start_probe(peer.at(101));
    let sent = peer.advance(100);
    assert_eq!(sent.iter().filter(|frame| frame.opcode() == PING).count(), 1);
    let ping = sent[0].payload.clone();
    peer.receive(101, &[fin(TEXT, "old"), fin(PONG, "old"), fin(PONG, [0; 8])].concat());
    assert!(!peer.protocol.take_probe_answer());
    peer.receive(102, &fin(PONG, &ping));
    assert!(peer.protocol.take_probe_answer());
    assert!(!peer.protocol.take_probe_answer(), "once");

    peer.protocol.start_probe(peer.at(200));
    assert_eq!(peer.next(), Some(122), "the keep-alive is due first");
    peer.advance(202);
    assert_eq!(peer.failure(), None);
    peer.advance(203);
    assert_eq!(peer.failure(), Some(ErrorKind::Unresponsive));
}

#[test]
fn what_a_peer_has_to_answer_within_is_never_zero() {
    let timers = Timers::new().ping_interval(Some(Duration::ZERO)).pong_timeout(Duration::ZERO);
    let mut peer = peer(timers.probe_timeout(Duration::ZERO));
    let at = |count| peer.start + Timers::LEAST * count;
    let deadlines = [at(1), at(2), at(5), at(6)];
    // The keep-alive.
    assert_eq!(peer.protocol.poll_timeout(), Some(deadlines[0]));
    peer.protocol.handle_timeout(deadlines[0]);
    assert_eq!((parse(peer.protocol.transmit())[0].opcode(), peer.failure()), (PING, None));
    assert_eq!(peer.protocol.poll_timeout(), Some(deadlines[1]));
    // A probe.
    peer.protocol.handle_bytes(&fin(PONG, ""), deadlines[2]);
    peer.protocol.start_probe(deadlines[2]);
    assert_eq!((peer.protocol.poll_timeout(), peer.failure()), (Some(deadlines[3]), None));
    peer.protocol.handle_timeout(deadlines[3]);
    assert_eq!(peer.failure(), Some(ErrorKind::Unresponsive));
}

#[test]
fn zero_is_at_once_and_what_does_not_end_never() {
    let none = Timers::new().probe_after(Duration::ZERO).close_timeout(Duration::ZERO);
    let mut hasty = peer(none);
    assert_eq!(hasty.protocol.reuse(hasty.at(0)), Reuse::Ready);
    assert_eq!(hasty.protocol.reuse(hasty.at(1)), Reuse::Probe);
    hasty.protocol.close(ws_codec::CloseFrame::normal(), hasty.at(1));
    assert_eq!(hasty.next(), Some(1));
    hasty.advance(1);
    assert!(hasty.protocol.end().is_some());
    let aged = peer(none.max_age(Duration::ZERO));
    assert_eq!(aged.protocol.reuse(aged.at(0)), Reuse::Expired);

    let endless = Timers::new().ping_interval(Some(Duration::MAX)).probe_after(Duration::MAX);
    let mut patient = peer(endless.probe_timeout(Duration::MAX).close_timeout(Duration::MAX).max_age(Duration::MAX));
    let late = patient.at(u64::from(u32::MAX));
    assert_eq!((patient.next(), patient.protocol.reuse(late)), (None, Reuse::Ready));
    patient.protocol.start_probe(late);
    assert_eq!(patient.next(), None);
    patient.protocol.close(ws_codec::CloseFrame::normal(), late);
    assert_eq!((patient.next(), patient.failure()), (None, None));
}
