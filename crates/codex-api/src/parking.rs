//! The place of a socket that nobody uses, and its keeper.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{Mutex, PoisonError},
    task::Poll,
};

use tokio::{
    runtime::{Handle, Id},
    sync::oneshot,
    task::JoinHandle,
    time::{Sleep, sleep_until},
};

use turn_session::TurnState;

use crate::{clock::now, socket::Socket};

/// The place for one socket that waits for the next request.
#[derive(Debug, Default)]
pub(crate) struct Parking(Mutex<Option<Parked>>);

impl Parking {
    /// Parks a socket in place of the one that was there. Without a runtime nobody could keep it: it is closed.
    pub(crate) fn park(&self, socket: Box<Socket>) {
        if let Ok(runtime) = Handle::try_current() {
            let (give, asked) = oneshot::channel();
            let bound_to = socket.bound_to.clone();
            let task = runtime.spawn(keep(socket, asked));
            let runtime = runtime.id();
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Parked { runtime, bound_to, give, task });
        }
    }

    /// Asks for the socket that is parked, if one is that a turn with this state may use.
    pub(crate) fn take(&self, state: &TurnState) -> Option<JoinHandle<Option<Box<Socket>>>> {
        let may_use = |parked: &mut Parked| parked.bound_to.as_ref().is_none_or(|bound| bound.get() == state.get());
        let parked = self.0.lock().unwrap_or_else(PoisonError::into_inner).take_if(may_use)?;
        let Parked { runtime, give, task, .. } = parked;
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
    /// That of the socket.
    bound_to: Option<TurnState>,
    give: oneshot::Sender<()>,
    task: JoinHandle<Option<Box<Socket>>>,
}

/// Messages that a parked socket may still bring: the late events of a finished response, and notices.
const MOST_LATE: u32 = 256;
/// Bytes of them, and of pings. A ping every second for an hour has less than half a MiB.
const MOST_LATE_BYTES: u64 = 8 << 20;

/// Answers pings and notices a close, until somebody asks for the socket (which is then handed over) or nobody ever
/// will. Late events of the finished response are nobody's.
async fn keep(mut socket: Box<Socket>, asked: oneshot::Receiver<()>) -> Option<Box<Socket>> {
    let mut asked = pin!(asked);
    let mut timer: Pin<Box<Sleep>> = Box::pin(sleep_until(tokio::time::Instant::now()));
    let (mut late, before) = (0, socket.bytes_received());
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
                Poll::Pending if socket.bytes_received() - before > MOST_LATE_BYTES => return Poll::Ready(false),
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
