//! A script in the place of an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::fault::{FaultScript, Section};

/// A script, and how often it was played.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    script: FaultScript,
    plays: Arc<AtomicUsize>,
}

impl Fault {
    pub(super) fn new(script: FaultScript) -> Self {
        Self { script, plays: Arc::default() }
    }

    #[cfg(feature = "tls")]
    pub(super) fn script(&self) -> &FaultScript {
        &self.script
    }

    /// What is done this time.
    pub(super) fn next(&self) -> Section {
        self.script.section(self.plays.fetch_add(1, Ordering::Relaxed))
    }
}
