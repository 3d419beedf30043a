//! The rest of a body that nobody waits for, read so that its connection can serve another request.

use std::future::poll_fn;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::exchange::Exchange;

/// Bytes that are worth less than a new connection.
const BYTES: usize = 16 * 1024;
/// The time for them.
const TIME: Duration = Duration::from_millis(100);

/// Reads what is there already, and leaves what is to come to a task, if there is a runtime to have it. The connection
/// of a body that has ended is parked.
pub(crate) fn drain(mut exchange: Exchange) {
    let mut room = BYTES;
    // Most bodies end in the same flight as their last event.
    match poll_end(&mut exchange, &mut room, &mut Context::from_waker(Waker::noop())) {
        Poll::Ready(has_ended) => _ = has_ended && exchange.park(),
        Poll::Pending => {
            if let Ok(runtime) = Handle::try_current() {
                let draining = exchange.draining();
                runtime.spawn(async move {
                    let end = timeout(TIME, poll_fn(|cx| poll_end(&mut exchange, &mut room, cx))).await;
                    let came_free = end == Ok(true) && exchange.park();
                    if let Some(draining) = draining {
                        draining.end(came_free);
                    }
                });
            }
        }
    }
}

/// Whether the body has ended cleanly, as soon as nothing more of it may be read.
fn poll_end(exchange: &mut Exchange, room: &mut usize, cx: &mut Context<'_>) -> Poll<bool> {
    while let Some(data) = ready!(exchange.poll_data(cx)) {
        match data.ok().and_then(|data| room.checked_sub(data.len())) {
            Some(rest) => *room = rest,
            None => return Poll::Ready(false),
        }
    }
    Poll::Ready(true)
}
