//! The user's Ctrl-C, also while nobody reads the output.

use std::{
    future::{Future, poll_fn},
    io,
    pin::Pin,
    process::exit,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    thread,
    time::Duration,
};

use codex_stream::ExitStatus;
use tokio::{runtime::Builder, select, signal::ctrl_c, time::sleep};

/// How long the loop over events may take to notice.
const PATIENCE: Duration = Duration::from_secs(1);

/// The first Ctrl-C, for the loop over events.
pub(crate) type Interrupt = Pin<Box<dyn Future<Output = io::Result<()>>>>;

/// Listens for Ctrl-C. Writing blocks the runtime of the loop while standard output takes nothing, so that a thread of
/// its own ends the process at the second one, and at the first if the loop does not notice it.
pub(crate) fn listen() -> Interrupt {
    let noticed = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&noticed);
    // Without the thread the loop is still there.
    let _ = thread::Builder::new().name("interrupt".to_owned()).spawn(move || watch(&seen));
    Box::pin(async move {
        ctrl_c().await?;
        noticed.store(true, Ordering::Relaxed);
        Ok(())
    })
}

/// Ends the process at Ctrl-C from now on, whatever it does then: for work that nobody has to be told the rest of.
pub(crate) fn exit_at_once() {
    // Without the listener the system ends the process.
    let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { return };
    let mut interrupt = Box::pin(ctrl_c());
    let first = runtime.block_on(poll_fn(|cx| Poll::Ready(interrupt.as_mut().poll(cx))));
    if first.is_pending() {
        let wait = move || {
            if runtime.block_on(interrupt).is_ok() {
                exit(ExitStatus::Interrupted.code().into());
            }
        };
        let _ = thread::Builder::new().name("interrupt".to_owned()).spawn(wait);
    }
}

fn watch(noticed: &AtomicBool) {
    let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { return };
    let ended = runtime.block_on(async {
        ctrl_c().await?;
        let patience = async {
            sleep(PATIENCE).await;
            if noticed.load(Ordering::Relaxed) {
                // It is on its way out.
                std::future::pending::<()>().await;
            }
        };
        select! {
            again = ctrl_c() => again,
            () = patience => Ok(()),
        }
    });
    if ended.is_ok() {
        // Nothing is said: standard error may go where standard output does.
        exit(ExitStatus::Interrupted.code().into());
    }
}
