//! Several addresses, one connection: "happy eyeballs" (RFC 8305).

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::deadline::Deadline;

/// How long an attempt runs alone before the next one joins (RFC 8305, section 8, recommends 250 ms).
const HEAD_START: Duration = Duration::from_millis(250);

/// One attempt at one address.
pub(super) type Attempt<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

/// Attempts that start one after another, each when the one before failed or had its head start. The first
/// connection wins, and the other attempts are dropped.
pub(super) struct Race<T> {
    connect: fn(SocketAddr) -> Attempt<T>,
    waiting: VecDeque<SocketAddr>,
    running: Vec<Attempt<T>>,
    head_start: Deadline,
    tried: usize,
    cause: Option<io::Error>,
}

/// Every address failed.
pub(super) struct Lost {
    /// How many there were.
    pub(super) tried: usize,
    /// The most telling failure.
    pub(super) cause: io::Error,
}

impl<T> Race<T> {
    pub(super) fn new(addresses: Vec<SocketAddr>, connect: fn(SocketAddr) -> Attempt<T>) -> Self {
        Self {
            connect,
            waiting: interleaved(addresses),
            running: Vec::new(),
            head_start: Deadline::after(None),
            tried: 0,
            cause: None,
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Lost>> {
        loop {
            let running = self.running.len();
            if let Some(winner) = self.poll_running(cx) {
                return Poll::Ready(Ok(winner));
            }
            let failed = self.running.len() < running;
            if self.running.is_empty() || failed || self.head_start_is_over(cx) {
                match self.waiting.pop_front() {
                    Some(address) => {
                        self.tried += 1;
                        self.running.push((self.connect)(address));
                        self.head_start = Deadline::after(Some(HEAD_START));
                        continue;
                    }
                    None if self.running.is_empty() => return Poll::Ready(Err(self.lost())),
                    None => {}
                }
            }
            return Poll::Pending;
        }
    }

    fn poll_running(&mut self, cx: &mut Context<'_>) -> Option<T> {
        let mut index = 0;
        while let Some(attempt) = self.running.get_mut(index) {
            match attempt.as_mut().poll(cx) {
                Poll::Ready(Ok(winner)) => return Some(winner),
                Poll::Ready(Err(error)) => {
                    drop(self.running.remove(index));
                    self.note(error);
                }
                Poll::Pending => index += 1,
            }
        }
        None
    }

    fn head_start_is_over(&mut self, cx: &mut Context<'_>) -> bool {
        !self.waiting.is_empty() && self.head_start.poll_expired(cx).is_ready()
    }

    // "Refused" from one address says more than "no route" from a family that this machine does not have.
    fn note(&mut self, error: io::Error) {
        let replace = self.cause.as_ref().is_none_or(|cause| is_routing(cause) && !is_routing(&error));
        if replace {
            self.cause = Some(error);
        }
    }

    fn lost(&mut self) -> Lost {
        let none = || io::Error::new(io::ErrorKind::NotFound, "no address to connect to");
        Lost { tried: self.tried, cause: self.cause.take().unwrap_or_else(none) }
    }
}

fn is_routing(error: &io::Error) -> bool {
    use io::ErrorKind::{AddrNotAvailable, HostUnreachable, NetworkUnreachable, Unsupported};
    matches!(error.kind(), AddrNotAvailable | HostUnreachable | NetworkUnreachable | Unsupported)
}

/// The resolver's order, with the address families taking turns (RFC 8305, section 4): a family that is dead costs
/// one head start, not one for each of its addresses.
fn interleaved(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first_is_v4 = addresses.first().is_some_and(SocketAddr::is_ipv4);
    let (first, second): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| address.is_ipv4() == first_is_v4);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut order = VecDeque::new();
    loop {
        let pair = (first.next(), second.next());
        if pair == (None, None) {
            return order;
        }
        order.extend(pair.0.into_iter().chain(pair.1));
    }
}

#[cfg(test)]
mod tests;
