//! `corpus`: every recorded stream of both wires, from the bytes to something typed.

use std::convert::Infallible;
use std::path::Path;
use std::rc::Rc;
use std::{env, fs};

use bytes::Bytes;
use eventsource_stream::Eventsource as _;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use response_events::Wire;

use crate::measure::{Against, Contender, Scenario, Side};
use crate::peers::json;

const OURS: &str = "sse-codec + response-events";
const UPSTREAM: &str = "eventsource-stream + Value + struct";

/// Names the folder with the recordings.
const VARIABLE: &str = "STREAM_CORPUS";

/// One recorded answer, as it comes from a network.
struct Recording {
    wire: Wire,
    chunks: Vec<Bytes>,
}

pub(super) fn scenarios() -> Vec<Scenario> {
    let Some(root) = env::var_os(VARIABLE) else {
        eprintln!("the corpus is left out: {VARIABLE} is not set");
        return Vec::new();
    };
    [1400, 64 << 10].into_iter().map(|size| scenario(Path::new(&root), size)).collect()
}

fn scenario(root: &Path, size: usize) -> Scenario {
    let recordings: Rc<Vec<Recording>> =
        Rc::new([Wire::Responses, Wire::Chat].into_iter().flat_map(|wire| folder(root, wire, size)).collect());
    let events = recordings.iter().map(events_in).sum();
    let contender = |side, name, run: fn(&Recording) -> u64| {
        let recordings = Rc::clone(&recordings);
        Contender::new(side, name, move || recordings.iter().map(run).sum())
    };
    let contenders = vec![contender(Side::Shape, UPSTREAM, upstream), contender(Side::Ours, OURS, ours)];
    let name = format!("{} recordings in {size} B", recordings.len());
    Scenario::new(name, events, contenders).goal(OURS, 0.33, Against::Named(UPSTREAM))
}

fn folder(root: &Path, wire: Wire, size: usize) -> Vec<Recording> {
    let folder = root.join(wire.as_str());
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sse"))
        .collect();
    paths.sort();
    let read = |path: &Path| fs::read(path).expect("a recording can be read");
    let chunks = |bytes: &[u8]| bytes.chunks(size).map(Bytes::copy_from_slice).collect();
    paths.iter().map(|path| Recording { wire, chunks: chunks(&read(path)) }).collect()
}

/// The events that the decoder finds: everybody has to find as many.
fn events_in(recording: &Recording) -> u64 {
    let mut decoder = sse_codec::Decoder::new();
    let mut events = 0;
    for chunk in &recording.chunks {
        let mut feed = decoder.feed(chunk);
        while let Ok(Some(_)) = feed.next() {
            events += 1;
        }
    }
    events
}

fn ours(recording: &Recording) -> u64 {
    let mut decoder = sse_codec::Decoder::new();
    let mut meaning = json::Ours::new(recording.wire);
    let mut events = 0;
    for chunk in &recording.chunks {
        let mut feed = decoder.feed(chunk);
        while let Ok(Some(event)) = feed.next() {
            meaning.deltas_of(event.event_field().as_deref(), event.data());
            events += 1;
        }
    }
    events
}

fn upstream(recording: &Recording) -> u64 {
    let chunks = recording.chunks.iter().map(|chunk| Ok::<&[u8], Infallible>(chunk));
    let mut stream = stream::iter(chunks).eventsource();
    let decode = match recording.wire {
        Wire::Chat => json::value_then_loose_chunk,
        _ => json::value_then_loose,
    };
    let mut events = 0;
    while let Some(Some(Ok(event))) = stream.next().now_or_never() {
        decode(&event.data);
        events += 1;
    }
    events
}
