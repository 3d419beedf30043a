//! Randomness: the system's, or for tests a fixed beginning.

use std::sync::atomic::{AtomicU64, Ordering};

/// A row of seeds for random waits, a different one for each request: requests that shared one would come back in
/// step.
#[derive(Debug)]
pub(crate) struct Seeds {
    base: u64,
    next: AtomicU64,
}

impl Seeds {
    /// Seeds of the process, or from a fixed beginning.
    pub(crate) fn new(base: Option<u64>) -> Self {
        Self { base: base.unwrap_or_else(|| u64::from_ne_bytes(entropy())), next: AtomicU64::new(0) }
    }

    pub(crate) fn next(&self) -> u64 {
        let step = self.next.fetch_add(1, Ordering::Relaxed);
        // Seeds one apart are far apart for the generator, which adds a large odd number each time.
        self.base.wrapping_add(step.wrapping_mul(0xD1B5_4A32_D192_ED03))
    }
}

/// Bytes that nobody can foresee. On a system without randomness they are zeros: waits are then less spread, and the
/// masks of WebSockets can be foreseen, which matters only to proxies that mistake them for HTTP.
pub(crate) fn entropy<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::warn!(%error, "the system gives no randomness");
    }
    bytes
}
