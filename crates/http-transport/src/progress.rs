//! How much of a request has left, seen at the socket.
//!
//! hyper does not tell when a request is written, and the deadline for the response head starts there.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::deadline::Deadline;

/// How long an answer may take that a server has sent before it stopped reading.
const LAST_READ: Duration = Duration::from_secs(1);

/// Shared by the connection's two ends of the matter: the request body, which is handed over, and the socket, which
/// takes bytes and is flushed. It counts for the connection's latest request. One task at a time writes it, so nothing
/// here needs a locked access.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    body_taken: AtomicBool,
    written: AtomicU64,
    read: AtomicU64,
    sent: AtomicBool,
    broken: AtomicBool,
}

impl Progress {
    /// Starts from nothing, for the next request.
    pub(crate) fn restart(&self) {
        self.body_taken.store(false, Relaxed);
        self.written.store(0, Relaxed);
        self.read.store(0, Relaxed);
        self.sent.store(false, Relaxed);
        self.broken.store(false, Relaxed);
    }

    /// hyper has the whole body now (perhaps in its buffer).
    pub(crate) fn body_taken(&self) {
        self.body_taken.store(true, Relaxed);
    }

    /// Bytes that the socket took.
    pub(crate) fn written(&self) -> u64 {
        self.written.load(Relaxed)
    }

    /// Bytes that the socket gave.
    pub(crate) fn read(&self) -> u64 {
        self.read.load(Relaxed)
    }

    /// Whether the whole request was written and flushed.
    pub(crate) fn is_sent(&self) -> bool {
        self.sent.load(Relaxed)
    }

    /// Whether the socket refused bytes of the request.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Relaxed)
    }

    fn wrote(&self, result: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(count)) = result {
            add(&self.written, *count);
        }
    }

    // hyper flushes the socket only when its own buffer is empty.
    fn flushed(&self) {
        if self.body_taken.load(Relaxed) && self.written() > 0 {
            self.sent.store(true, Relaxed);
        }
    }
}

fn add(counter: &AtomicU64, count: usize) {
    counter.store(counter.load(Relaxed) + count as u64, Relaxed);
}

/// A stream that reports what passes, and reads on when it cannot write any more.
///
/// A server that refuses a request early closes the connection while the rest is on its way, and writing fails. Its
/// answer is in the socket then. hyper would give up at the failure; so the rest of the request goes nowhere instead,
/// and the failure is told when nothing comes for a moment. The end of a broken socket comes at once.
pub(crate) struct Metered<S> {
    stream: S,
    progress: Arc<Progress>,
    /// Why writing failed, until it is told.
    failure: Option<(io::Error, Deadline)>,
}

impl<S> Metered<S> {
    pub(crate) fn new(stream: S, progress: Arc<Progress>) -> Self {
        Self { stream, progress, failure: None }
    }

    pub(crate) fn into_inner(self) -> S {
        self.stream
    }

    /// Counts what was written of `len` bytes, or keeps why they were not.
    fn note_written(
        &mut self,
        cx: &Context<'_>,
        result: Poll<io::Result<usize>>,
        len: usize,
    ) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(Err(failure)) => {
                self.fail(cx, failure);
                Poll::Ready(Ok(len))
            }
            result => {
                self.progress.wrote(&result);
                result
            }
        }
    }

    fn fail(&mut self, cx: &Context<'_>, failure: io::Error) {
        self.failure = Some((failure, Deadline::after(Some(LAST_READ))));
        self.progress.broken.store(true, Relaxed);
        // It has to be read again, and was perhaps read before.
        cx.waker().wake_by_ref();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let result = Pin::new(&mut this.stream).poll_read(cx, buf);
        add(&this.progress.read, buf.filled().len() - before);
        let is_over = |(_, deadline): &mut (_, Deadline)| result.is_pending() && deadline.poll_expired(cx).is_ready();
        match this.failure.take_if(is_over) {
            Some((failure, _)) => Poll::Ready(Err(failure)),
            None => result,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.progress.is_broken() {
            return Poll::Ready(Ok(buf.len()));
        }
        let result = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.note_written(cx, result, buf.len())
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let len = bufs.iter().map(|buf| buf.len()).sum();
        if this.progress.is_broken() {
            return Poll::Ready(Ok(len));
        }
        let result = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.note_written(cx, result, len)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.progress.is_broken() {
            return Poll::Ready(Ok(()));
        }
        match ready!(Pin::new(&mut this.stream).poll_flush(cx)) {
            Ok(()) => this.progress.flushed(),
            Err(failure) => this.fail(cx, failure),
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
