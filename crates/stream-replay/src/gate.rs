//! A hand on the tap: the test decides when bytes leave.

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

/// Lets a test release an answer step by step, so that it never has to sleep.
///
/// Clones are handles on the same gate. A gate starts closed; whoever comes to it waits until
/// [`release`](Self::release) lets one pass or [`open`](Self::open) lets everybody pass. Releases
/// that nobody waits for are kept.
#[derive(Debug, Clone)]
pub struct Gate {
    passes: Arc<Semaphore>,
    arrivals: watch::Sender<usize>,
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self { passes: Arc::new(Semaphore::new(0)), arrivals: watch::Sender::default() }
    }

    /// Lets one through: one chunk, one hold, one head, or one step of an exchange.
    pub fn release(&self) {
        self.passes.add_permits(1);
    }

    /// Lets everything through from now on.
    pub fn open(&self) {
        self.passes.close();
    }

    /// Waits until somebody has come to the gate at least `n` times, counted from its creation, whether they had to
    /// wait or not: all that stands before the gate was sent by then.
    pub async fn wait_for_arrivals(&self, n: usize) {
        // Fails only when the sender is gone, and `self` has one.
        let _ = self.arrivals.subscribe().wait_for(|arrivals| *arrivals >= n).await;
    }

    /// Waits for a pass and uses it up. A closed semaphore is the open gate.
    pub(crate) async fn pass(&self) {
        self.arrivals.send_modify(|arrivals| *arrivals += 1);
        if let Ok(permit) = self.passes.acquire().await {
            permit.forget();
        }
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}
