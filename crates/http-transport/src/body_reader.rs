//! A body read whole, within limits.

use std::mem;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;

use crate::deadline::Deadline;
use crate::error::Error;
use crate::exchange::Exchange;

/// How much of a body to read, and for how long. Default: 64 KiB and 5 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// Bytes to keep.
    pub bytes: usize,
    /// The time for all of it, from the first poll.
    pub time: Duration,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self { bytes: 64 * 1024, time: Duration::from_secs(5) }
    }
}

/// A body, or the beginning of one.
#[derive(Debug)]
pub struct LimitedBody {
    /// What arrived, at most [`BodyLimits::bytes`].
    pub bytes: Bytes,
    /// Whether that is all of it.
    pub end: BodyEnd,
}

impl LimitedBody {
    /// Whether something is missing at the end.
    pub fn is_cut(&self) -> bool {
        !matches!(self.end, BodyEnd::Complete)
    }
}

/// Why reading a body ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum BodyEnd {
    /// All of it was read.
    Complete,
    /// It is longer than the limit.
    TooLong,
    /// It did not end in time.
    TimedOut,
    /// The connection broke.
    Failed(Error),
}

/// Reads a body within limits, for a caller who polls.
/// [`Exchange::read_body_limited`] is the same as a future.
#[derive(Debug)]
pub struct BodyReader {
    limits: BodyLimits,
    deadline: Option<Deadline>,
    bytes: Vec<u8>,
}

impl BodyReader {
    /// Starts with nothing read; the time runs from the first poll.
    pub fn new(limits: BodyLimits) -> Self {
        Self { limits, deadline: None, bytes: Vec::new() }
    }

    /// Reads on. Ready once; needs a tokio runtime.
    pub fn poll(&mut self, exchange: &mut Exchange, cx: &mut Context<'_>) -> Poll<LimitedBody> {
        let end = loop {
            match exchange.poll_data(cx) {
                Poll::Ready(Some(Ok(data))) => {
                    let room = self.limits.bytes - self.bytes.len();
                    self.bytes.extend_from_slice(&data[..data.len().min(room)]);
                    if data.len() > room {
                        break BodyEnd::TooLong;
                    }
                }
                Poll::Ready(Some(Err(error))) => break BodyEnd::Failed(error),
                Poll::Ready(None) => break BodyEnd::Complete,
                Poll::Pending => {
                    let time = self.limits.time;
                    let deadline = self.deadline.get_or_insert_with(|| Deadline::after(Some(time)));
                    match deadline.poll_expired(cx) {
                        Poll::Ready(_) => break BodyEnd::TimedOut,
                        Poll::Pending => return Poll::Pending,
                    }
                }
            }
        };
        let bytes = Bytes::from(mem::take(&mut self.bytes));
        Poll::Ready(LimitedBody { bytes, end })
    }
}
