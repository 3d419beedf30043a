//! Seeds of random waits: a different one for each request.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    sync::atomic::{AtomicU64, Ordering},
};

/// A row of seeds. Requests that shared one would come back in step.
#[derive(Debug)]
pub(crate) struct Seeds {
    base: u64,
    next: AtomicU64,
}

impl Seeds {
    /// Seeds of the process, or from a fixed beginning.
    pub(crate) fn new(base: Option<u64>) -> Self {
        // The hasher's keys come from the system's randomness.
        let base = base.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        Self { base, next: AtomicU64::new(0) }
    }

    pub(crate) fn next(&self) -> u64 {
        let step = self.next.fetch_add(1, Ordering::Relaxed);
        // Seeds one apart are far apart for the generator, which adds a large odd number each time.
        self.base.wrapping_add(step.wrapping_mul(0xD1B5_4A32_D192_ED03))
    }
}
