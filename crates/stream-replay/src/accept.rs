//! What runs behind a listener until it is stopped.

use std::future::Future;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

/// How long a failing `accept` (no file descriptors left, say) rests before the next try.
const REST: Duration = Duration::from_millis(20);

/// Serves the connections of a listener, until it is dropped; then the listener and all connections close.
pub(crate) struct AcceptLoop {
    task: JoinHandle<()>,
    /// Held to be dropped: its end is what stops the loop.
    stop: oneshot::Sender<()>,
}

impl AcceptLoop {
    /// Serves each connection by the future that `serve` makes for it and its number, from 0.
    pub(crate) fn spawn<F>(listener: TcpListener, serve: impl FnMut(TcpStream, usize) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        Self { task: tokio::spawn(run(listener, serve, stopped)), stop }
    }

    /// Closes the listener and all connections, and waits until that is done.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        // Fails only if the task panicked or the runtime goes away: stopped in both cases.
        let _ = self.task.await;
    }
}

async fn run<F>(listener: TcpListener, mut serve: impl FnMut(TcpStream, usize) -> F, mut stopped: oneshot::Receiver<()>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    let mut accepted = 0;
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            incoming = listener.accept() => match incoming {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, accepted));
                    accepted += 1;
                }
                // Of one connection, or of the whole process: the listener itself stays good.
                Err(_) => tokio::time::sleep(REST).await,
            },
        }
    }
    drop(listener);
    connections.shutdown().await;
}
