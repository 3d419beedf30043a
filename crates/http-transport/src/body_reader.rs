//! A body read whole, within limits.

use std::fmt;
use std::mem;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;

use crate::deadline::Deadline;
use crate::error::Error;

/// How much of a body to read, and for how long. Default: 64 KiB and 5 s. Set what should differ and take the rest from
/// [`default`](Self::default): there may be more of them one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// Bytes to keep.
    pub bytes: usize,
    /// The time for all of it, from the first poll that has to wait.
    pub time: Duration,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self { bytes: 64 * 1024, time: Duration::from_secs(5) }
    }
}

/// A body, or the beginning of one. `Debug` shows how long it is: a service that refuses a key may quote it.
#[non_exhaustive]
pub struct LimitedBody {
    /// What arrived, at most [`BodyLimits::bytes`].
    pub bytes: Bytes,
    /// Whether that is all of it.
    pub end: BodyEnd,
}

impl LimitedBody {
    /// Whether something is missing at the end.
    pub fn is_cut(&self) -> bool {
        !matches!(self.end, BodyEnd::Complete | BodyEnd::Enough)
    }
}

impl fmt::Debug for LimitedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitedBody")
            .field("bytes", &format_args!("{} bytes", self.bytes.len()))
            .field("end", &self.end)
            .finish()
    }
}

/// Why reading a body ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum BodyEnd {
    /// All of it was read.
    Complete,
    /// What was read is enough, as [`BodyReader::enough_when`] found: nothing of interest follows.
    Enough,
    /// It is longer than the limit.
    TooLong,
    /// It did not end in time.
    TimedOut,
    /// The connection broke.
    Failed(Error),
}

/// What one step of reading came to.
#[derive(Debug)]
#[non_exhaustive]
pub enum BodyStep {
    /// Bytes arrived, and more may follow.
    More,
    /// That is all, or all there will be.
    End(LimitedBody),
}

/// Says of each piece of a body, in order, whether it makes the body enough.
type IsEnough = Box<dyn FnMut(&[u8]) -> bool + Send>;

/// Reads a body within limits, for a caller who polls.
/// [`Exchange::read_body_limited`](crate::Exchange::read_body_limited) is the same as a future.
pub struct BodyReader {
    limits: BodyLimits,
    deadline: Option<Deadline>,
    bytes: Vec<u8>,
    is_enough: Option<IsEnough>,
    /// Known, but not told yet.
    end: Option<BodyEnd>,
}

impl BodyReader {
    /// Starts with nothing read; the time runs from the first poll that has to wait.
    pub fn new(limits: BodyLimits) -> Self {
        Self { limits, deadline: None, bytes: Vec::new(), is_enough: None, end: None }
    }

    /// Ends with [`BodyEnd::Enough`] as soon as `is_enough`, which is shown each piece of the body in order, is true of
    /// one: a document that is whole, say, is not waited behind.
    pub fn enough_when(mut self, is_enough: impl FnMut(&[u8]) -> bool + Send + 'static) -> Self {
        self.is_enough = Some(Box::new(is_enough));
        self
    }

    /// Takes in a piece that has arrived already, before the first poll.
    pub fn with_arrived(mut self, data: &[u8]) -> Self {
        self.take_in(data);
        self
    }

    /// Reads on, by `poll_data`, which gives the next piece of the body and `None` at its end, as
    /// [`Exchange::poll_data`](crate::Exchange::poll_data) does. Ready once; needs a tokio runtime.
    pub fn poll<F>(&mut self, cx: &mut Context<'_>, mut poll_data: F) -> Poll<LimitedBody>
    where
        F: FnMut(&mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>>,
    {
        loop {
            if let BodyStep::End(body) = ready!(self.poll_step(cx, &mut poll_data)) {
                return Poll::Ready(body);
            }
        }
    }

    /// The same, one piece at a time, for a caller who wants to know that the server is alive.
    pub fn poll_step<F>(&mut self, cx: &mut Context<'_>, poll_data: F) -> Poll<BodyStep>
    where
        F: FnOnce(&mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>>,
    {
        let end = match self.end.take() {
            Some(end) => end,
            None => match poll_data(cx) {
                Poll::Ready(Some(Ok(data))) => {
                    self.take_in(&data);
                    match self.end.take() {
                        None => return Poll::Ready(BodyStep::More),
                        Some(end) => end,
                    }
                }
                Poll::Ready(Some(Err(error))) => BodyEnd::Failed(error),
                Poll::Ready(None) => BodyEnd::Complete,
                Poll::Pending => {
                    let time = self.limits.time;
                    let deadline = self.deadline.get_or_insert_with(|| Deadline::after(Some(time)));
                    ready!(deadline.poll_expired(cx));
                    BodyEnd::TimedOut
                }
            },
        };
        let bytes = Bytes::from(mem::take(&mut self.bytes));
        Poll::Ready(BodyStep::End(LimitedBody { bytes, end }))
    }

    /// What has arrived so far, until the end is told.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn take_in(&mut self, data: &[u8]) {
        let room = self.limits.bytes - self.bytes.len();
        let kept = &data[..data.len().min(room)];
        self.bytes.extend_from_slice(kept);
        if self.is_enough.as_mut().is_some_and(|is_enough| is_enough(kept)) {
            self.end = Some(BodyEnd::Enough);
        } else if data.len() > room {
            self.end = Some(BodyEnd::TooLong);
        }
    }
}

impl fmt::Debug for BodyReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyReader")
            .field("limits", &self.limits)
            .field("bytes", &format_args!("{} bytes", self.bytes.len()))
            .finish_non_exhaustive()
    }
}
