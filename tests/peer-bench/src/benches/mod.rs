//! The benches: scenarios with their goals.

mod client;
mod corpus;
mod drain;
mod sse;
mod sse_decode;
mod sse_shape;
mod ws;

use crate::clients::Result;
use crate::measure::{Effort, Scenario};
use crate::report::Report;

/// Some scenarios under one name.
pub struct Bench {
    /// The word of the command line.
    pub name: &'static str,
    /// Makes the traffic, measures, and reports.
    pub run: fn(Effort, &mut Report) -> Result<()>,
}

/// All of them.
pub const BENCHES: &[Bench] = &[
    Bench { name: "sse", run: |effort, report| all(sse::scenarios(), effort, report) },
    Bench { name: "sse-shape", run: |effort, report| all(sse_shape::scenarios(), effort, report) },
    Bench { name: "sse-decode", run: |effort, report| all(sse_decode::scenarios(), effort, report) },
    Bench { name: "corpus", run: |effort, report| all(corpus::scenarios(), effort, report) },
    Bench { name: "ws", run: |effort, report| all(ws::receive(effort), effort, report) },
    Bench { name: "ws-decode", run: |effort, report| all(ws::receive_and_decode(effort), effort, report) },
    Bench { name: "client", run: client::run },
    Bench { name: "drain", run: drain::run },
];

/// A size of chunks in words.
fn size_name(bytes: usize) -> String {
    if bytes < 1 << 16 { format!("{bytes} B") } else { format!("{} KiB", bytes >> 10) }
}

#[expect(clippy::unnecessary_wraps, reason = "a bench may fail, and these cannot")]
fn all(scenarios: Vec<Scenario>, effort: Effort, report: &mut Report) -> Result<()> {
    for mut scenario in scenarios {
        report.measure(&mut scenario, effort);
    }
    Ok(())
}
