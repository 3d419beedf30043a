//! Recordings that break off: at every byte for short ones, at a spread of bytes for long ones.

use std::thread;

use response_events::Wire;

use crate::recording::{Recording, Signal, blocks, recordings, signal, summary};

/// Bytes that are decoded for one recording, all its prefixes together.
const BUDGET: usize = 1_500_000;

#[test]
fn no_prefix_panics_or_completes_before_its_terminal_signal() {
    let recordings = recordings();
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for worker in 0..workers {
            let own = recordings.iter().skip(worker).step_by(workers);
            scope.spawn(|| own.for_each(check));
        }
    });
}

fn check(recording: &Recording) {
    let ends: Vec<usize> = blocks(&recording.bytes)
        .iter()
        .filter_map(|block| match signal(recording.wire, &block.data) {
            Signal::None => None,
            // What ends the stream counts at a clean end also without its blank line.
            Signal::Terminal => Some(block.whole),
            Signal::Finish => Some(block.dispatched),
        })
        .collect();
    let whole = summary(recording.wire, &recording.bytes, 0);
    for length in lengths(recording, &ends) {
        let cut = summary(recording.wire, &recording.bytes[..length], 0);
        let at = || format!("{} cut after {length} bytes", recording.name);
        if ends.iter().all(|end| *end > length) {
            assert_eq!(cut["outcome"], "truncated", "{}", at());
        } else if recording.wire == Wire::Responses {
            assert_eq!(cut["outcome"], whole["outcome"], "{}", at());
        }
    }
}

/// The lengths to cut at: as many as the budget allows, evenly spread, and those around each terminal signal.
fn lengths(recording: &Recording, ends: &[usize]) -> Vec<usize> {
    let total = recording.bytes.len();
    let count = (BUDGET / (total / 2).max(1)).clamp(4, total.max(4));
    let mut lengths: Vec<usize> = (0..count).map(|n| n * total / count).collect();
    for end in ends.iter().take(2) {
        lengths.extend([end - 1, *end, end + 1].into_iter().filter(|length| *length <= total));
    }
    lengths
}
