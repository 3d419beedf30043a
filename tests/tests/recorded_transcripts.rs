//! Recorded streams as people read them: one snapshot for each file in `fixtures/transcripts/`, after all chunkings
//! have been seen to give the same text. The comment at the beginning of a file is the snapshot's description.

#[path = "support/snapshot.rs"]
mod snapshot;

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use codex_api::{Chunking, Wire, recorded_transcript};

/// Compares all fixtures whose names begin with that of a wire, and names those whose snapshots differ.
fn check_all(wire: Wire) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/transcripts");
    let stems = fs::read_dir(&folder).unwrap().filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let stem = name.strip_suffix(".sse")?;
        stem.starts_with(wire.as_str()).then(|| stem.to_owned())
    });
    let mut stems: Vec<String> = stems.collect();
    stems.sort();
    assert!(!stems.is_empty());
    stems.retain(|stem| catch_unwind(AssertUnwindSafe(|| check_one(wire, &folder, stem))).is_err());
    assert!(stems.is_empty(), "see above: {stems:?}");
}

fn check_one(wire: Wire, folder: &Path, stem: &str) {
    let recording = fs::read(folder.join(stem).with_extension("sse")).unwrap();
    let text = recorded_transcript(wire, &recording, Chunking::ALL).unwrap();
    let first_line = String::from_utf8_lossy(&recording).lines().next().unwrap_or_default().to_owned();
    let description = first_line.strip_prefix(": ").expect("a comment says what is special");
    let chunkings = Chunking::ALL.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let fixture = format!("transcripts/{stem}.sse");
    let info = [("fixture", fixture.as_str()), ("chunkings", &chunkings), ("http", "200")];
    snapshot::settings(description, &info, &text).bind(|| insta::assert_snapshot!(stem, text));
}

#[test]
fn recorded_responses_read_the_same_however_they_are_cut() {
    check_all(Wire::Responses);
}

#[test]
fn recorded_chats_read_the_same_however_they_are_cut() {
    check_all(Wire::Chat);
}
