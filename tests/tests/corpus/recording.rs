//! The recordings, and a second, simple reading of their framing to judge the decoder by.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use codex_stream::{DecodeOptions, StreamDecoder, summarize, summary_json};
use response_events::{TurnEvent, Wire};
use serde_json::Value;

const VARIABLE: &str = "STREAM_CORPUS";

pub(crate) struct Recording {
    /// `responses/NAME` or `chat/NAME`, without the extension.
    pub(crate) name: String,
    pub(crate) wire: Wire,
    pub(crate) bytes: Vec<u8>,
    pub(crate) expected: Value,
}

/// All recordings in alphabetical order; none without a corpus.
pub(crate) fn recordings() -> Vec<Recording> {
    let Some(root) = env::var_os(VARIABLE).map(PathBuf::from) else {
        println!("corpus suite skipped: {VARIABLE} is not set");
        return Vec::new();
    };
    assert!(root.is_absolute(), "{VARIABLE} must be an absolute path, as `cargo xtask test` makes it");
    let mut recordings = Vec::new();
    for wire in [Wire::Responses, Wire::Chat] {
        recordings.extend(folder(&root.join(wire.as_str()), wire));
    }
    assert!(!recordings.is_empty(), "no recordings in {}", root.display());
    recordings
}

fn folder(folder: &Path, wire: Wire) -> Vec<Recording> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sse"))
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let read = |path: &Path| fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let stem = path.file_stem().expect("a file has a name").to_string_lossy();
            Recording {
                name: format!("{}/{stem}", wire.as_str()),
                wire,
                bytes: read(path),
                expected: serde_json::from_slice(&read(&path.with_extension("expect.json")))
                    .unwrap_or_else(|error| panic!("expectation of {stem}: {error}")),
            }
        })
        .collect()
}

/// The only way in which this suite decodes: the summary as the command line prints it.
#[track_caller]
pub(crate) fn summary(wire: Wire, bytes: &[u8], chunk_bytes: usize) -> Value {
    let json = summary_json(&summarize(bytes, chunk_bytes, DecodeOptions::new(wire)));
    serde_json::from_str(&json).expect("a summary is JSON")
}

/// The events that are handed out before anybody says that the input has ended.
pub(crate) fn events_while_open(wire: Wire, bytes: &[u8]) -> Vec<TurnEvent> {
    let mut events = Vec::new();
    let mut observe = |event: &TurnEvent| {
        events.push(event.clone());
        Ok(())
    };
    StreamDecoder::new(DecodeOptions::new(wire)).feed(bytes, &mut observe).expect("observing cannot fail");
    events
}

/// The lines of a recording without their ends. An unfinished last line counts.
pub(crate) fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec()).collect()
}

/// One event block of a recording, with its blank line.
pub(crate) struct Block {
    pub(crate) start: usize,
    /// Behind its last byte of data: where the input ends from here on, all of it has come.
    pub(crate) whole: usize,
    /// Behind the first byte of the blank line: from here on the event counts.
    pub(crate) dispatched: usize,
    pub(crate) end: usize,
    pub(crate) data: Vec<u8>,
}

/// The dispatched blocks that hold data.
pub(crate) fn blocks(bytes: &[u8]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let (mut start, mut line_start) = (0, 0);
    let mut data: Option<Vec<u8>> = None;
    let mut whole = 0;
    while let Some(length) = bytes[line_start..].iter().position(|byte| *byte == b'\n') {
        let line = &bytes[line_start..line_start + length];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (first, next) = (line_start, line_start + length + 1);
        line_start = next;
        if line.is_empty() {
            if let Some(data) = data.take() {
                blocks.push(Block { start, whole, dispatched: first + 1, end: next, data });
            }
            start = next;
        } else if let Some(value) = line.strip_prefix(b"data:") {
            let value = value.strip_prefix(b" ").unwrap_or(value);
            whole = first + line.len();
            match &mut data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => data = Some(value.to_vec()),
            }
        }
    }
    blocks
}

const TERMINAL_TYPES: [&str; 4] = ["response.completed", "response.incomplete", "response.failed", "error"];

/// What a block can end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Nothing.
    None,
    /// The stream.
    Terminal,
    /// A choice of a Chat stream.
    Finish,
}

/// Looks at one block by itself.
pub(crate) fn signal(wire: Wire, data: &[u8]) -> Signal {
    let is_sentinel = data.starts_with(b"[DONE]");
    let value: Value = serde_json::from_slice(data).unwrap_or_default();
    let has_error = value.get("error").is_some_and(|error| !error.is_null());
    let ends_by_type = value["type"].as_str().is_some_and(|event_type| TERMINAL_TYPES.contains(&event_type));
    let terminal = is_sentinel || if wire == Wire::Chat { has_error } else { ends_by_type };
    let finishes = value["choices"].as_array().is_some_and(|choices| {
        choices.iter().any(|choice| choice["finish_reason"].as_str().is_some_and(|reason| !reason.is_empty()))
    });
    match (terminal, finishes) {
        (true, _) => Signal::Terminal,
        (false, true) => Signal::Finish,
        (false, false) => Signal::None,
    }
}
