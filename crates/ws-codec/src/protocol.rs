use std::collections::VecDeque;
use std::time::{Duration, Instant};

#[cfg(feature = "io")]
use bytes::BytesMut;

use crate::decoder::{Decoded, Decoder};
use crate::error::ErrorKind;
use crate::keep_alive::{Due, KeepAlive};
use crate::outbound::Outbound;
use crate::probe::Probe;
use crate::{CloseFrame, Config, Counters, Error, Message, Role, SendError, Timers};

/// How many bytes may be read past a message that nobody has taken yet, while a send or a probe waits.
const READ_AHEAD: usize = 128 << 10;

/// One open WebSocket connection as a state machine: bytes and instants in, messages and bytes out.
///
/// It does no I/O and reads no clock; `ws_codec::io::Connection` drives it over tokio's traits. Drive it
/// so: give it what was read ([`handle_bytes`](Self::handle_bytes)), take [`poll_message`](Self::poll_message) until
/// it has none, write what [`transmit`](Self::transmit) shows, wait for the socket or for
/// [`poll_timeout`](Self::poll_timeout). Look at the socket before at the clock, so that a caller who was slow does
/// not take the peer for dead.
#[derive(Debug)]
pub struct Protocol {
    timers: Timers,
    max_outgoing: usize,
    decoder: Decoder,
    outbound: Outbound,
    counters: Counters,
    keep_alive: KeepAlive,
    probe: Probe,
    pings: u64,
    opened: Instant,
    last_received: Instant,
    /// Messages read while something else was waited for, and the bytes read since the first of them.
    queue: VecDeque<Message>,
    read_ahead: usize,
    closing: Closing,
    close_deadline: Option<Instant>,
    input: Input,
    write_error: Option<Error>,
    end: Option<End>,
}

/// Who began to close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    No,
    /// We did; the peer's Close is awaited, and messages may come before it.
    ByUs,
    /// The connection has its end.
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Open,
    Eof,
}

#[derive(Debug)]
struct End {
    /// `Ok`: we closed, and the peer answered.
    result: Result<(), Error>,
    reported: bool,
}

/// Whether a connection can carry another exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reuse {
    /// It can.
    Ready,
    /// It was silent for longer than [`Timers::probe_after`]: probe it first.
    Probe,
    /// It is older than [`Timers::max_age`]: open a new one.
    Expired,
    /// Something is still being sent.
    Busy,
    /// It is closed, or being closed.
    Closed,
}

impl Protocol {
    /// A connection whose handshake succeeded at `now`.
    pub fn new(role: Role, config: Config, now: Instant) -> Self {
        Self {
            timers: config.timers,
            max_outgoing: config.limits.outgoing,
            decoder: Decoder::new(&role, &config),
            outbound: Outbound::new(role, config.limits.fragment_size),
            counters: Counters::default(),
            keep_alive: KeepAlive::new(config.timers, now),
            probe: Probe::None,
            pings: 0,
            opened: now,
            last_received: now,
            queue: VecDeque::new(),
            read_ahead: 0,
            closing: Closing::No,
            close_deadline: None,
            input: Input::Open,
            write_error: None,
            end: None,
        }
    }

    /// Bytes were read from the peer.
    pub fn handle_bytes(&mut self, bytes: &[u8], now: Instant) {
        self.decoder.extend(bytes);
        self.handle_read(bytes.len(), now);
    }

    /// `read` bytes were read into the decoder's buffer.
    pub(crate) fn handle_read(&mut self, read: usize, now: Instant) {
        if read == 0 {
            return;
        }
        self.counters.bytes_received += read as u64;
        self.last_received = now;
        self.keep_alive.handle_sign_of_life(now);
        if !self.queue.is_empty() {
            self.read_ahead = self.read_ahead.saturating_add(read);
        }
        if self.end.is_some() {
            self.decoder.discard();
        }
    }

    /// The peer will send no more bytes. What was read before is still decoded first.
    pub fn handle_eof(&mut self) {
        self.input = Input::Eof;
    }

    /// The byte stream cannot be read any more. What was read before is still decoded first.
    pub fn handle_read_error(&mut self, error: std::io::Error) {
        self.input = Input::Eof;
        self.write_error.get_or_insert_with(|| Error::io(error));
        self.outbound.discard();
    }

    /// The byte stream cannot be written any more. The peer may have said why: its Close is awaited for
    /// [`Timers::close_timeout`], and only then is this the error.
    pub fn handle_write_error(&mut self, error: std::io::Error, now: Instant) {
        self.write_error.get_or_insert_with(|| Error::io(error));
        self.outbound.discard();
        self.start_close_timer(now);
    }

    /// The next message. `Some(Err)` is how the connection ended, once; [`is_ended`](Self::is_ended) says whether
    /// `None` is for ever. A peer's Close is the error [`ErrorKind::Closed`]; a Close of our own that the peer
    /// answered is no error.
    pub fn poll_message(&mut self, now: Instant) -> Option<Result<Message, Error>> {
        if let Some(message) = self.queue.pop_front() {
            if self.queue.is_empty() {
                self.queue = VecDeque::new();
                self.read_ahead = 0;
            }
            return Some(Ok(message));
        }
        if let Some(message) = self.decode(now) {
            return Some(Ok(message));
        }
        let end = self.end.as_mut()?;
        if std::mem::replace(&mut end.reported, true) {
            return None;
        }
        end.result.clone().err().map(Err)
    }

    /// Serves the peer's control frames and keeps its messages for later: [`wants_read`](Self::wants_read) says when
    /// they are enough.
    pub fn read_ahead(&mut self, now: Instant) {
        while let Some(message) = self.decode(now) {
            self.queue.push_back(message);
        }
    }

    /// Whether to read from the byte stream: not if messages that were read ahead wait to be taken, nor after its end.
    pub fn wants_read(&self) -> bool {
        self.input == Input::Open && (self.end.is_some() || self.read_ahead < READ_AHEAD)
    }

    /// Whether a message can be given to [`start_send`](Self::start_send).
    pub fn is_ready_to_send(&self) -> bool {
        self.outbound.is_ready()
    }

    /// Whether a message is on its way that has not been written to its end. Control frames do not count: what a peer
    /// pings for is no message.
    pub fn is_sending(&self) -> bool {
        self.outbound.is_sending()
    }

    /// Takes a message for sending. One at a time; it goes out with [`transmit`](Self::transmit).
    ///
    /// # Errors
    /// If the message is too large, the one before is still being sent, or the connection is closed. No byte of the
    /// message has been sent then.
    pub fn start_send(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        let message = message.into();
        let size = message.as_bytes().len();
        if self.closing != Closing::No || self.write_error.is_some() {
            return Err(SendError::Closed);
        }
        if size > self.max_outgoing {
            return Err(SendError::TooLarge { size, limit: self.max_outgoing });
        }
        if !self.outbound.is_ready() {
            return Err(SendError::Busy);
        }
        self.outbound.send(message, &mut self.counters);
        Ok(())
    }

    /// The bytes to write next; empty if there are none. Tell how many were written with
    /// [`handle_transmitted`](Self::handle_transmitted).
    pub fn transmit(&mut self) -> &[u8] {
        self.outbound.transmit(&mut self.counters)
    }

    /// So many bytes of [`transmit`](Self::transmit) were written.
    pub fn handle_transmitted(&mut self, written: usize, now: Instant) {
        self.counters.bytes_sent += written as u64;
        self.outbound.handle_transmitted(written);
        if !self.outbound.is_idle() {
            self.keep_alive.handle_sign_of_life(now);
        }
    }

    /// Closes: a message that is being sent is finished, then the Close goes out and the peer's is awaited for
    /// [`Timers::close_timeout`]. Does nothing on a connection that is closed already.
    pub fn close(&mut self, frame: CloseFrame, now: Instant) {
        if self.closing == Closing::No {
            self.closing = Closing::ByUs;
            self.outbound.close(frame);
            self.start_close_timer(now);
        }
    }

    /// Asks the peer for a sign of life, and waits for it for [`Timers::probe_timeout`]; without one the connection
    /// ends as [`ErrorKind::Unresponsive`]. Does nothing while an answer is awaited.
    pub fn start_probe(&mut self, now: Instant) {
        if !matches!(self.probe, Probe::Asked { .. }) && self.closing == Closing::No {
            let ping = self.send_ping();
            self.probe = Probe::Asked { ping, until: now.checked_add(self.timers.probe_timeout) };
        }
    }

    /// Whether the peer answered the probe. True once for each probe.
    pub fn take_probe_answer(&mut self) -> bool {
        let answered = matches!(self.probe, Probe::Answered);
        if answered {
            self.probe = Probe::None;
        }
        answered
    }

    /// Whether the connection can carry another exchange. It knows only what it was told: read once before.
    pub fn reuse(&self, now: Instant) -> Reuse {
        if self.closing != Closing::No || self.input == Input::Eof || self.write_error.is_some() {
            Reuse::Closed
        } else if self.age(now) >= self.timers.max_age {
            Reuse::Expired
        } else if !self.outbound.is_idle() {
            Reuse::Busy
        } else if now.saturating_duration_since(self.last_received) > self.timers.probe_after {
            Reuse::Probe
        } else {
            Reuse::Ready
        }
    }

    /// How long the connection has been open.
    pub fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.opened)
    }

    /// When a byte was last received; at first, when the connection was opened.
    pub fn last_received(&self) -> Instant {
        self.last_received
    }

    /// What has passed over the connection.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due, unless something happens before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.closing == Closing::No && self.write_error.is_none() {
            [self.probe.poll_timeout(), self.keep_alive.poll_timeout()].into_iter().flatten().min()
        } else {
            self.close_deadline
        }
    }

    /// Acts on what is due at `now`: sends a ping, or ends the connection.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_none_or(|at| now < at) {
            return;
        }
        if self.closing != Closing::No || self.write_error.is_some() {
            self.close_deadline = None;
            self.break_off(ErrorKind::CloseTimeout);
        } else if self.probe.poll_timeout().is_some_and(|at| at <= now) {
            self.break_off(ErrorKind::Unresponsive);
        } else {
            match self.keep_alive.handle_timeout(now) {
                Due::Nothing => {}
                Due::Ping => _ = self.send_ping(),
                Due::Dead => self.break_off(ErrorKind::Unresponsive),
            }
        }
    }

    /// Whether [`poll_message`](Self::poll_message) has told everything.
    pub fn is_ended(&self) -> bool {
        self.queue.is_empty() && self.end.as_ref().is_some_and(|end| end.reported || end.result.is_ok())
    }

    /// How the connection ended, if it has; `Ok` if we closed and the peer answered.
    pub fn end(&self) -> Option<Result<(), &Error>> {
        self.end.as_ref().map(|end| end.result.as_ref().copied())
    }

    #[cfg(feature = "io")]
    pub(crate) fn read_buffer(&mut self, size: usize) -> &mut BytesMut {
        self.decoder.read_buffer(size)
    }

    #[cfg(feature = "io")]
    pub(crate) fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    /// Whether what is taken for sending can still reach the peer.
    #[cfg(feature = "io")]
    pub(crate) fn can_write(&self) -> bool {
        self.write_error.is_none()
    }

    #[cfg(feature = "io")]
    pub(crate) fn is_closing(&self) -> bool {
        self.closing != Closing::No
    }

    /// Nothing is left to wait for: the byte stream has ended, or its time is over.
    #[cfg(feature = "io")]
    pub(crate) fn is_over(&self) -> bool {
        self.end.is_some() && (self.input == Input::Eof || self.close_deadline.is_none())
    }

    fn decode(&mut self, now: Instant) -> Option<Message> {
        while self.end.is_none() {
            match self.decoder.decode(&mut self.counters) {
                Ok(Some(Decoded::Message(message))) => {
                    self.counters.messages_received += 1;
                    return Some(message);
                }
                Ok(Some(Decoded::Ping(payload))) => {
                    self.counters.pings_received += 1;
                    self.outbound.pong(&payload, &mut self.counters);
                }
                Ok(Some(Decoded::Pong(payload))) => {
                    self.counters.pongs_received += 1;
                    self.probe.handle_pong(&payload);
                }
                Ok(Some(Decoded::Close(frame))) => self.handle_close(frame, now),
                Ok(None) if self.input == Input::Eof => {
                    let error = self.write_error.take().unwrap_or_else(|| ErrorKind::UnexpectedEof.into());
                    self.outbound.discard();
                    self.finish(Err(error));
                }
                Ok(None) => return None,
                Ok(Some(Decoded::InvalidText(_))) => self.refuse(ErrorKind::InvalidText, now),
                Err(kind) => self.refuse(kind, now),
            }
        }
        None
    }

    fn refuse(&mut self, kind: ErrorKind, now: Instant) {
        // The code says which rule was broken; the reason would only repeat it.
        if let Some(code) = kind.code_to_send() {
            self.outbound.abort(CloseFrame::of(code, ""));
        }
        self.start_close_timer(now);
        self.finish(Err(kind.into()));
    }

    /// The peer's Close: answered with its own code, unless it is the answer to ours (RFC 6455, section 5.5.1).
    fn handle_close(&mut self, frame: CloseFrame, now: Instant) {
        if self.closing == Closing::ByUs {
            return self.finish(Ok(()));
        }
        self.outbound.abort(CloseFrame::of(frame.code(), ""));
        self.start_close_timer(now);
        self.finish(Err(Error::closed(frame)));
    }

    fn send_ping(&mut self) -> u64 {
        self.pings += 1;
        self.outbound.ping(self.pings);
        self.pings
    }

    fn start_close_timer(&mut self, now: Instant) {
        if self.close_deadline.is_none() {
            self.close_deadline = now.checked_add(self.timers.close_timeout);
        }
    }

    /// The peer does not answer: there is nobody to say goodbye to.
    fn break_off(&mut self, kind: ErrorKind) {
        self.outbound.discard();
        self.close_deadline = None;
        let error = self.write_error.take().unwrap_or_else(|| kind.into());
        self.finish(Err(error));
    }

    /// The first end wins.
    fn finish(&mut self, result: Result<(), Error>) {
        self.closing = Closing::Done;
        self.decoder.discard();
        if self.end.is_none() {
            self.end = Some(End { result, reported: false });
        }
    }
}
