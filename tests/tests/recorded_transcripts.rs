//! Recorded streams as people read them: one snapshot for each file in `fixtures/transcripts/`, after all chunkings have
//! been seen to give the same text. The comment at the beginning of a file is the snapshot's description.

#[path = "support/snapshot.rs"]
mod snapshot;

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use codex_api::{Chunking, Wire, recorded_transcript};

/// Compares all fixtures of a wire, and names those whose snapshots differ.
fn check_all(wire: Wire) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/transcripts").join(wire.as_str());
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    let differ: Vec<_> = paths
        .iter()
        .filter(|path| catch_unwind(AssertUnwindSafe(|| check_one(wire, path))).is_err())
        .map(|path| path.file_name().unwrap().to_owned())
        .collect();
    assert!(differ.is_empty(), "see above: {differ:?}");
}

fn check_one(wire: Wire, path: &Path) {
    let recording = fs::read(path).unwrap();
    let text = recorded_transcript(wire, &recording, &Chunking::ALL).unwrap();
    let first_line = String::from_utf8_lossy(&recording).lines().next().unwrap_or_default().to_owned();
    let description = first_line.strip_prefix(": ").expect("a comment says what is special");
    let stem = path.file_stem().unwrap().to_str().unwrap();
    let chunkings = Chunking::ALL.map(|chunking| chunking.to_string()).join(", ");
    let fixture = format!("transcripts/{}/{stem}.sse", wire.as_str());
    let info = [("fixture", fixture.as_str()), ("chunkings", &chunkings), ("http", "200")];
    snapshot::settings(description, &info, &text)
        .bind(|| insta::assert_snapshot!(format!("{}__{stem}", wire.as_str()), text));
}

#[test]
fn recorded_responses_read_the_same_however_they_are_cut() {
    check_all(Wire::Responses);
}

#[test]
fn recorded_chats_read_the_same_however_they_are_cut() {
    check_all(Wire::Chat);
}
