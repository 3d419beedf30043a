//! An open WebSocket with its memory, and the keeper of one that nobody uses.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE},
};
use http_transport::Upgraded;
use tokio::{
    runtime::{Handle, Id},
    sync::oneshot,
    task::JoinHandle,
    time::{Sleep, sleep_until},
};
use turn_session::SocketMemory;
use ws_codec::{ClientHandshake, Config, Error, Limits, MaskSeed, Message, Reuse, Role, SendError, Text};

use crate::{clock::now, seed::entropy};

/// The version of the protocol over WebSockets that is spoken; services that know only one ignore it.
const BETA: &str = "responses_websockets=2026-02-06";

/// The headers of a handshake: those of every request, without what is about a body.
pub(crate) fn handshake_headers(mut headers: HeaderMap, handshake: &ClientHandshake) -> HeaderMap {
    for body_header in [CONTENT_TYPE, ACCEPT, ACCEPT_ENCODING] {
        headers.remove(body_header);
    }
    headers.entry("openai-beta").or_insert(HeaderValue::from_static(BETA));
    headers.extend(handshake.headers());
    headers
}

/// An open WebSocket, polled in place by whoever holds it. Dropping it closes the connection.
pub(crate) struct Socket {
    connection: ws_codec::io::Connection<Upgraded>,
    pub(crate) memory: SocketMemory,
}

impl Socket {
    /// A socket over a byte stream whose handshake has succeeded.
    pub(crate) fn new(stream: Upgraded, max_message_bytes: usize) -> Self {
        let config = Config::new().limits(Limits::new().max_message_bytes(max_message_bytes));
        let role = Role::Client(MaskSeed::new(entropy()));
        Self { connection: ws_codec::io::Connection::new(stream, role, config, now()), memory: SocketMemory::default() }
    }

    /// Takes a message for sending; it goes out while the answer is awaited.
    pub(crate) fn send(&mut self, message: Vec<u8>) -> Result<(), SendError> {
        // JSON that was just written is UTF-8.
        let text = Text::try_from(Bytes::from(message)).unwrap_or_default();
        self.connection.start_send(text)
    }

    /// The next message's payload; `None` when the socket was closed.
    pub(crate) fn poll_message(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<Option<Result<Bytes, Error>>> {
        self.connection.poll_message(cx, now).map_ok(Message::into_bytes)
    }

    /// Whether the peer still answers; ready at once unless it was silent for long.
    pub(crate) fn poll_healthy(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<Health> {
        match self.connection.reuse(now) {
            Reuse::Ready => Poll::Ready(Health::Good),
            Reuse::Probe => match self.connection.poll_probe(cx, now) {
                Poll::Ready(Ok(())) => Poll::Ready(Health::Good),
                Poll::Ready(Err(_)) => Poll::Ready(Health::Lost),
                Poll::Pending => Poll::Pending,
            },
            _ => Poll::Ready(Health::Lost),
        }
    }

    /// When to poll again, even if nothing arrived.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.connection.poll_timeout()
    }

    /// Bytes that have been written in all, as long as there are more to be written.
    pub(crate) fn bytes_sent(&self) -> Option<u64> {
        let is_sending = !self.connection.protocol().is_idle();
        is_sending.then(|| self.connection.counters().bytes_sent)
    }

    /// Bytes that have arrived in all: pings count.
    pub(crate) fn bytes_received(&self) -> u64 {
        self.connection.counters().bytes_received
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").finish_non_exhaustive()
    }
}

/// What became of a socket while nobody used it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    Good,
    Lost,
}

/// The place for one socket that waits for the next request.
#[derive(Debug, Default)]
pub(crate) struct Parking(Mutex<Option<Parked>>);

impl Parking {
    /// Parks a socket in place of the one that was there. Without a runtime nobody could keep it: it is closed.
    pub(crate) fn park(&self, socket: Box<Socket>) {
        if let Ok(runtime) = Handle::try_current() {
            let (give, asked) = oneshot::channel();
            let task = runtime.spawn(keep(socket, asked));
            let runtime = runtime.id();
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Parked { runtime, give, task });
        }
    }

    /// Asks for the socket that is parked, if one is.
    pub(crate) fn take(&self) -> Option<JoinHandle<Option<Box<Socket>>>> {
        let Parked { runtime, give, task } = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        if Handle::try_current().ok()?.id() != runtime {
            // Its keeper may not be running. It closes the socket when it does.
            return None;
        }
        // A keeper that is gone has lost its socket; its task tells so.
        _ = give.send(());
        Some(task)
    }
}

/// A socket in the hands of its keeper. Dropping it closes the socket.
#[derive(Debug)]
struct Parked {
    /// That of the keeper.
    runtime: Id,
    give: oneshot::Sender<()>,
    task: JoinHandle<Option<Box<Socket>>>,
}

/// Messages that a parked socket may still bring: the late events of a finished response, and notices.
const MOST_LATE: u32 = 256;

/// Answers pings and notices a close, until somebody asks for the socket (which is then handed over) or nobody ever
/// will. Late events of the finished response are nobody's.
async fn keep(mut socket: Box<Socket>, asked: oneshot::Receiver<()>) -> Option<Box<Socket>> {
    let mut asked = pin!(asked);
    let mut timer: Pin<Box<Sleep>> = Box::pin(sleep_until(tokio::time::Instant::now()));
    let mut late = 0;
    let is_alive = poll_fn(|cx| {
        loop {
            let now = now();
            match socket.poll_message(cx, now) {
                Poll::Ready(Some(Ok(_))) if late < MOST_LATE => {
                    late += 1;
                    continue;
                }
                // A peer that goes on talking to nobody is no peer for the next request.
                Poll::Ready(_) => return Poll::Ready(false),
                Poll::Pending => {}
            }
            // Seen to be alive just now.
            if let Poll::Ready(wish) = asked.as_mut().poll(cx) {
                return Poll::Ready(wish.is_ok());
            }
            let Some(deadline) = socket.poll_timeout() else { return Poll::Pending };
            timer.as_mut().reset(tokio::time::Instant::from_std(deadline));
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    });
    // Bounded by what a peer may send, so that it need not wait for its turn to notice that the socket is wanted.
    tokio::task::unconstrained(is_alive).await.then_some(socket)
}
