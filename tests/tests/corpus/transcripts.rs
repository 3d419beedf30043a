//! Every recording as text: the same at every chunking, and without a payload that nobody accounted for.

use codex_api::{Chunking, recorded_transcript};

use crate::recording::recordings;

#[test]
fn every_recording_reads_the_same_at_every_chunking_and_loses_nothing() {
    let mut differences = Vec::new();
    for recording in recordings() {
        match recorded_transcript(recording.wire, &recording.bytes, Chunking::ALL) {
            Ok(text) if text.ends_with(" dropped=0\n") => {}
            Ok(text) => {
                let ledger = text.lines().next_back().unwrap_or_default();
                differences.push(format!("{}: {ledger}", recording.name));
            }
            Err(mismatch) => differences.push(format!("{}: {mismatch}", recording.name)),
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}
