//! A connection as its requests see it.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use h2::Reason;
use h2::client::{Builder, SendRequest};
use tokio::time::Instant;

use crate::dial::BoxStream;
use crate::error::Error;
use crate::pool::Lead;
use crate::progress::{Metered, Progress};
use crate::target::Endpoint;

use super::driver::Driver;
use super::failure;
use super::stream::Http2;

/// Requests at a time on one connection, if the server takes that many; it may set a lower limit
/// (`SETTINGS_MAX_CONCURRENT_STREAMS`).
const STREAM_LIMIT: usize = 64;
/// Bytes of a body that may be here unread: 2.6 MB/s over a line of 100 ms, far more than a model speaks.
const STREAM_WINDOW: u32 = 256 * 1024;
/// All windows of the streams together: however many readers stop reading, the others go on.
const CONNECTION_WINDOW: u32 = STREAM_LIMIT as u32 * STREAM_WINDOW;
/// What the frames of unread bytes may cost above the bytes themselves. The library's default would end the connection
/// over a few readers that stop in streams of small events.
const FRAME_BUDGET: usize = 32 * 1024 * 1024;
/// Bytes of a response head, counted as in RFC 9113, section 6.5.2.
const HEAD_LIMIT: u32 = 64 * 1024;
/// Bytes of a request body that the connection takes before it has sent them.
const SEND_BUFFER: usize = 256 * 1024;

/// A connection that requests share. A task drives it; it ends when nobody wants it any more (no request on it, and
/// neither in the pool nor trusted), and at last some time after its last request.
pub(crate) struct Connection {
    inner: Mutex<Inner>,
    /// Bytes of all its streams, and of everything else.
    progress: Arc<Progress>,
    is_unresponsive: AtomicBool,
    /// Whether `sender` is gone, for those who must not wait for a lock.
    is_retired: AtomicBool,
}

struct Inner {
    /// `None` once the connection must take no other request.
    sender: Option<SendRequest<Bytes>>,
    /// Why the server took leave (GOAWAY), if it did by then.
    leave: Option<Reason>,
    streams: usize,
    /// Requests that it was ever given.
    placed: u64,
    /// A stream was left before its end: what was under way on it may come yet.
    is_littered: bool,
    /// When the number of streams last became zero.
    idle_since: Instant,
}

/// Speaks HTTP/2 on `stream` from now on; the place is that of the first request. The pool gets the connection through
/// `lead`, as soon as the server has said how many requests it takes at a time.
pub(crate) async fn connect(stream: BoxStream, endpoint: &Endpoint, lead: Lead) -> Result<Place, Error> {
    let progress = Arc::new(Progress::default());
    let mut settings = Builder::new();
    settings
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .data_frame_budget(FRAME_BUDGET)
        .max_header_list_size(HEAD_LIMIT)
        .max_send_buffer_size(SEND_BUFFER)
        // Until the server's own limit is known; one request is all that is sent before.
        .initial_max_send_streams(STREAM_LIMIT);
    let (sender, link) = settings
        .handshake(Metered::new(stream, Arc::clone(&progress)))
        .await
        .inspect_err(|_| lead.failed())
        .map_err(|cause| failure::handshake(endpoint, cause))?;
    let inner = Inner {
        sender: Some(sender.clone()),
        leave: None,
        streams: 1,
        placed: 1,
        is_littered: false,
        idle_since: Instant::now(),
    };
    let connection = Arc::new(Connection {
        inner: Mutex::new(inner),
        progress,
        is_unresponsive: AtomicBool::new(false),
        is_retired: AtomicBool::new(false),
    });
    tokio::spawn(Driver::new(link, &connection, lead));
    Ok(Place { sender, slot: Slot { connection, number: 1, began_alone: true, is_done: false } })
}

impl Connection {
    /// Whether it takes requests, now or when others have ended, as far as anybody has noticed. Waits for nobody:
    /// [`place`](Self::place) is where a connection is looked at.
    pub(crate) fn is_open(&self) -> bool {
        !self.is_retired.load(Relaxed)
    }

    /// How many requests it takes at a time.
    pub(crate) fn room(&self) -> usize {
        let mut inner = self.lock();
        inner.open_sender().map_or(STREAM_LIMIT, |sender| STREAM_LIMIT.min(sender.current_max_send_streams()))
    }

    /// A place for one more request; `None` if the connection is full or takes no requests any more. Takes a lock of
    /// the library's.
    pub(crate) fn place(self: &Arc<Self>) -> Option<Place> {
        let mut inner = self.lock();
        let Some(sender) = inner.open_sender().cloned() else {
            self.is_retired.store(true, Relaxed);
            return None;
        };
        if inner.streams >= STREAM_LIMIT.min(sender.current_max_send_streams()) {
            return None;
        }
        inner.streams += 1;
        inner.placed += 1;
        let (number, began_alone) = (inner.placed, inner.streams == 1 && !inner.is_littered);
        Some(Place { sender, slot: Slot { connection: Arc::clone(self), number, began_alone, is_done: false } })
    }

    /// Takes no other request. Those that are on it go on.
    pub(super) fn retire(&self) {
        self.is_retired.store(true, Relaxed);
        let mut inner = self.lock();
        // What it says is lost with it.
        inner.open_sender();
        inner.sender = None;
    }

    /// The server does not answer.
    pub(super) fn give_up(&self) {
        self.is_unresponsive.store(true, Relaxed);
        self.retire();
    }

    pub(super) fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Since when there has been no request; `None` while there is one.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let inner = self.lock();
        (inner.streams == 0).then_some(inner.idle_since)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Whole at every moment that could panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn open_sender(&mut self) -> Option<&SendRequest<Bytes>> {
        // Never pending: nothing is sent by this one, only by clones of it.
        let state = self.sender.as_mut()?.poll_ready(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(Err(error)) = state {
            self.leave = error.reason().filter(|_| error.is_remote());
            self.sender = None;
        }
        self.sender.as_ref()
    }
}

/// A connection with room for a request.
pub(crate) struct Place {
    sender: SendRequest<Bytes>,
    slot: Slot,
}

impl Place {
    /// Puts a request there. Errors with [`ErrorKind::Config`](crate::ErrorKind::Config) when its `host` is none.
    pub(crate) fn send(self, endpoint: &Endpoint, request: http::Request<Bytes>) -> Result<Http2, Error> {
        let Self { mut sender, slot } = self;
        Http2::start(&mut sender, slot, endpoint, request)
    }
}

/// What a request occupies on its connection; free again when dropped.
pub(super) struct Slot {
    connection: Arc<Connection>,
    /// How many requests the connection had been given with this one.
    number: u64,
    /// Whether nothing of another one was on it then.
    began_alone: bool,
    is_done: bool,
}

impl Slot {
    /// The stream has come to its clean end.
    pub(super) fn note_done(&mut self) {
        self.is_done = true;
    }

    pub(super) fn retire(&self) {
        self.connection.retire();
    }

    pub(super) fn is_unresponsive(&self) -> bool {
        self.connection.is_unresponsive.load(Relaxed)
    }

    pub(super) fn progress(&self) -> &Progress {
        &self.connection.progress
    }

    /// Why the server took leave of the connection, if it did.
    pub(super) fn leave(&self) -> Option<Reason> {
        let mut inner = self.connection.lock();
        inner.open_sender();
        inner.leave
    }

    /// Whether the connection carried anything for other requests since this one was put on it.
    pub(super) fn is_shared(&self) -> bool {
        !self.began_alone || self.number != self.connection.lock().placed
    }

    /// Whether the connection had another request before this one.
    pub(super) fn is_reused(&self) -> bool {
        self.number > 1
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut inner = self.connection.lock();
        inner.streams -= 1;
        inner.is_littered |= !self.is_done;
        if inner.streams == 0 {
            inner.idle_since = Instant::now();
        }
    }
}
