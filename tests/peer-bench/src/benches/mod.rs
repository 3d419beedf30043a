//! The benches: scenarios with their goals.

mod corpus;
mod sse;
mod sse_decode;
mod sse_shape;
mod ws;

use crate::measure::{Effort, Scenario};

/// Some scenarios under one name.
pub struct Bench {
    /// The word of the command line.
    pub name: &'static str,
    /// Makes the scenarios with their traffic.
    pub scenarios: fn(Effort) -> Vec<Scenario>,
}

/// All of them.
pub const BENCHES: &[Bench] = &[
    Bench { name: "sse", scenarios: |_| sse::scenarios() },
    Bench { name: "sse-shape", scenarios: |_| sse_shape::scenarios() },
    Bench { name: "sse-decode", scenarios: |_| sse_decode::scenarios() },
    Bench { name: "corpus", scenarios: |_| corpus::scenarios() },
    Bench { name: "ws", scenarios: ws::receive },
    Bench { name: "ws-decode", scenarios: ws::receive_and_decode },
];

/// A size of chunks in words.
fn size_name(bytes: usize) -> String {
    if bytes < 1 << 16 { format!("{bytes} B") } else { format!("{} KiB", bytes >> 10) }
}
