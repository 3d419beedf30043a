//! The connection over a byte stream. This module alone speaks tokio's `AsyncRead` and `AsyncWrite`; it needs no
//! runtime, spawns no task and uses no channel: whoever polls does the work.

mod read_size;

use std::io::ErrorKind as IoErrorKind;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::task::coop;

use self::read_size::ReadSize;
use crate::{CloseFrame, Config, Counters, Error, ErrorKind, Message, Protocol, Reuse, Role, SendError};

/// After so many reads without a message a poll lets other tasks run.
const ROUNDS_PER_POLL: usize = 32;

/// An open WebSocket connection over `S`, polled in place.
///
/// * Each `poll_*` method reads and writes: pings are answered while a message is sent, a message goes on being sent
///   while another is awaited. Each leaves the connection whole when its future is dropped.
/// * `now` is the caller's clock. A method that returned `Pending` wants to be polled again when the task is woken,
///   and at [`poll_timeout`](Self::poll_timeout) at the latest: the caller has the timer, the connection acts on
///   what is due. It looks at the socket first, so a caller who was slow does not take the peer for dead.
/// * One task at a time: the latest waker is the one that is woken.
/// * A connection that nobody polls answers no pings.
#[derive(Debug)]
pub struct Connection<S> {
    stream: S,
    protocol: Protocol,
    read_size: ReadSize,
    flush: Flush,
    write_side: WriteSide,
    /// What is due waits for this turn of the task, to read behind a deadline.
    has_extra_turn: bool,
}

/// Whether the stream has taken bytes that it may still hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flush {
    Clean,
    Needed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WriteSide {
    Open,
    Shut,
}

/// What a step of reading or writing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Something: there may be more.
    Progress,
    /// Nothing is left to do.
    Idle,
    /// The stream will wake the task.
    Waiting,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// A connection over `stream`, whose handshake succeeded at `now`.
    pub fn new(stream: S, role: Role, config: Config, now: Instant) -> Self {
        let protocol = Protocol::new(role, config, now);
        let (flush, write_side) = (Flush::Clean, WriteSide::Open);
        Self { stream, protocol, read_size: ReadSize::new(), flush, write_side, has_extra_turn: false }
    }

    /// With bytes that were read behind the head of the handshake, if the HTTP stack does not give them back itself.
    pub fn with_leftover(mut self, bytes: &[u8], now: Instant) -> Self {
        self.protocol.handle_bytes(bytes, now);
        self
    }

    /// The next message; an error says how the connection ended, and is told once; `None` is the end after it, or
    /// after a [`close`](Self::close) of our own that the peer answered.
    pub fn poll_message(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<Option<Result<Message, Error>>> {
        self.poll_until(cx, now, |this, cx| match this.protocol.poll_message(now) {
            Some(item) => {
                // What the message's surroundings asked for, a pong or a Close, goes out now.
                _ = this.write_step(cx, now);
                Some(Some(item))
            }
            None if this.protocol.is_ended() => Some(None),
            None => None,
        })
    }

    /// Ready when [`start_send`](Self::start_send) takes a message.
    ///
    /// # Errors
    /// If the connection has ended, as [`poll_message`](Self::poll_message) tells it.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<Result<(), Error>> {
        self.poll_until(cx, now, |this, _| {
            this.protocol.read_ahead(now);
            this.failure().or_else(|| (this.protocol.can_write() && this.protocol.is_ready_to_send()).then_some(Ok(())))
        })
    }

    /// Takes a message for sending, one at a time; [`poll_flush`](Self::poll_flush) sends it.
    ///
    /// # Errors
    /// As [`Protocol::start_send`]: no byte of the message has been sent then.
    pub fn start_send(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        self.protocol.start_send(message)
    }

    /// Ready when everything that was taken for sending has been written. Meanwhile the peer is read: its pings are
    /// answered, its messages kept up to 128 KiB, its Close is the error.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<Result<(), Error>> {
        self.poll_until(cx, now, |this, cx| {
            this.protocol.read_ahead(now);
            if let Some(failure) = this.failure() {
                // The answer to the peer's Close, or our own.
                _ = this.write_step(cx, now);
                return Some(failure);
            }
            let written = this.protocol.outbound().is_idle() && this.flush == Flush::Clean;
            (this.protocol.can_write() && written).then_some(Ok(()))
        })
    }

    /// Asks the peer for a sign of life; ready when it gave one. Without one in time the connection has failed.
    /// What [`reuse`](Self::reuse) asks for. A connection that we are closing gives no answer: it is an error at once.
    pub fn poll_probe(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<Result<(), Error>> {
        self.protocol.start_probe(now);
        self.poll_until(cx, now, |this, _| {
            this.protocol.read_ahead(now);
            if let Some(failure) = this.failure() {
                return Some(failure);
            }
            if this.protocol.is_closing() {
                return Some(Err(Error::closed(CloseFrame::without_code())));
            }
            this.protocol.take_probe_answer().then_some(Ok(()))
        })
    }

    /// Begins to close; [`poll_close`](Self::poll_close) waits for it. A message that is being sent is finished first.
    pub fn close(&mut self, frame: CloseFrame, now: Instant) {
        self.protocol.close(frame, now);
    }

    /// Closes, with code 1000 unless [`close`](Self::close) said otherwise or the connection has ended already, and
    /// waits for the end of the byte stream, for at most the close timeout. Messages that still come are dropped.
    ///
    /// # Errors
    /// If the connection failed, or the peer did not answer in time. A Close by the peer is no error here.
    pub fn poll_close(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<Result<(), Error>> {
        self.protocol.close(CloseFrame::normal(), now);
        self.poll_until(cx, now, |this, cx| {
            while let Some(Ok(_)) = this.protocol.poll_message(now) {}
            this.shut_down_if_done(cx, now);
            this.protocol.is_over().then(|| match this.protocol.end() {
                Some(Err(error)) if error.kind() != ErrorKind::Closed => Err(error.clone()),
                _ => Ok(()),
            })
        })
    }

    /// When to poll again, even if nothing woke the task.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.protocol.poll_timeout()
    }

    /// Whether the connection can carry another exchange. Poll a message first, to see what has come meanwhile.
    pub fn reuse(&self, now: Instant) -> Reuse {
        self.protocol.reuse(now)
    }

    /// The state machine: counters, age, how the connection ended.
    pub fn protocol(&self) -> &Protocol {
        &self.protocol
    }

    /// What has passed over the connection.
    pub fn counters(&self) -> &Counters {
        self.protocol.counters()
    }

    /// The byte stream.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// The byte stream. What was read but not taken is lost.
    pub fn into_inner(self) -> S {
        self.stream
    }

    /// Drives the connection until `done` has an answer. A timer is looked at only when neither side of the stream
    /// has anything to do, or when that could not be found out in two turns of the task.
    fn poll_until<T>(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
        mut done: impl FnMut(&mut Self, &mut Context<'_>) -> Option<T>,
    ) -> Poll<T> {
        for _ in 0..ROUNDS_PER_POLL {
            if let Some(answer) = done(self, cx) {
                return Poll::Ready(answer);
            }
            let write = self.write_step(cx, now);
            let read = self.read_step(cx, now);
            if write == Step::Progress || read == Step::Progress {
                continue;
            }
            if !self.is_late(now) {
                self.has_extra_turn = false;
                return Poll::Pending;
            }
            // A task that has used up its budget is told that nothing is there, whatever is.
            if !coop::has_budget_remaining() {
                break;
            }
            self.protocol.handle_timeout(now);
        }
        // There may be more to read. One more turn, and no other: a peer that never pauses must not outrun a deadline.
        self.has_extra_turn = !self.has_extra_turn && self.is_late(now);
        if !self.has_extra_turn {
            self.protocol.handle_timeout(now);
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn is_late(&self, now: Instant) -> bool {
        self.protocol.poll_timeout().is_some_and(|at| at <= now)
    }

    fn failure(&self) -> Option<Result<(), Error>> {
        match self.protocol.end() {
            Some(Err(error)) => Some(Err(error.clone())),
            _ => None,
        }
    }

    fn read_step(&mut self, cx: &mut Context<'_>, now: Instant) -> Step {
        if !self.protocol.wants_read() {
            return Step::Idle;
        }
        let buffer = self.protocol.read_buffer(self.read_size.get());
        let room = buffer.capacity() - buffer.len();
        // The future holds no state of its own, so it can be dropped when it is pending.
        match pin!(self.stream.read_buf(buffer)).poll(cx) {
            Poll::Ready(Ok(0)) => self.protocol.handle_eof(),
            Poll::Ready(Ok(read)) => {
                self.read_size.record(read, room);
                self.protocol.handle_read(read, now);
            }
            Poll::Ready(Err(error)) if error.kind() == IoErrorKind::Interrupted => {}
            Poll::Ready(Err(error)) => self.protocol.handle_read_error(error),
            Poll::Pending => return Step::Waiting,
        }
        Step::Progress
    }

    /// One write, so that reading has its turn between the fragments of a large message.
    fn write_step(&mut self, cx: &mut Context<'_>, now: Instant) -> Step {
        if self.write_side == WriteSide::Shut {
            return Step::Idle;
        }
        match self.poll_write_some(cx, now) {
            Poll::Ready(Ok(step)) => step,
            Poll::Ready(Err(error)) if error.kind() == IoErrorKind::Interrupted => Step::Progress,
            Poll::Ready(Err(error)) => {
                self.write_side = WriteSide::Shut;
                self.flush = Flush::Clean;
                self.protocol.handle_write_error(error, now);
                Step::Progress
            }
            Poll::Pending => Step::Waiting,
        }
    }

    fn poll_write_some(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<std::io::Result<Step>> {
        let bytes = self.protocol.transmit();
        if bytes.is_empty() {
            if self.flush == Flush::Clean {
                return Poll::Ready(Ok(Step::Idle));
            }
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.flush = Flush::Clean;
            return Poll::Ready(Ok(Step::Progress));
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        if written == 0 {
            return Poll::Ready(Err(IoErrorKind::WriteZero.into()));
        }
        self.flush = Flush::Needed;
        self.protocol.handle_transmitted(written, now);
        Poll::Ready(Ok(Step::Progress))
    }

    /// Ends our half of the byte stream once both Closes are through, or the connection is over.
    fn shut_down_if_done(&mut self, cx: &mut Context<'_>, now: Instant) {
        let written = self.protocol.outbound().is_close_framed() && self.protocol.outbound().is_idle();
        let done = self.protocol.end().is_some() && written && self.flush == Flush::Clean;
        if !done || self.write_side == WriteSide::Shut {
            return;
        }
        match Pin::new(&mut self.stream).poll_shutdown(cx) {
            Poll::Pending => {}
            Poll::Ready(result) => {
                self.write_side = WriteSide::Shut;
                if let Err(error) = result {
                    self.protocol.handle_write_error(error, now);
                }
            }
        }
    }
}
