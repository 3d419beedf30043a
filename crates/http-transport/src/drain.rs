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

/// Reads what is there already, and leaves what is to come to a task, if there is a runtime to have it.
pub(crate) fn drain(mut exchange: Exchange) {
    let mut room = BYTES;
    // Most bodies end in the same flight as their last event.
    let now = poll_end(&mut exchange, &mut room, &mut Context::from_waker(Waker::noop()));
    if now.is_pending() {
        if let Ok(runtime) = Handle::try_current() {
            let draining = exchange.draining();
            runtime.spawn(async move {
                let _draining = draining;
                _ = timeout(TIME, poll_fn(|cx| poll_end(&mut exchange, &mut room, cx))).await;
            });
        }
    }
}

/// Ready at the end of the body, or of what may be read of it. The exchange parks its connection by itself.
fn poll_end(exchange: &mut Exchange, room: &mut usize, cx: &mut Context<'_>) -> Poll<()> {
    while let Some(Ok(data)) = ready!(exchange.poll_data(cx)) {
        match room.checked_sub(data.len()) {
            Some(rest) => *room = rest,
            None => break,
        }
    }
    Poll::Ready(())
}
