//! `sse-decode`: bytes to events to something typed.

use std::convert::Infallible;
use std::rc::Rc;

use bytes::Bytes;
use eventsource_stream::Eventsource as _;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use response_events::Wire;

use crate::measure::{Against, Contender, Scenario, Side};
use crate::peers::json;
use crate::peers::sse::Chunks;
use crate::traffic;

const BARE: &str = "sse-codec + bare borrowed struct";
const OURS: &str = "sse-codec + response-events";
const UPSTREAM: &str = "eventsource-stream + Value + struct";
const LOOSE: &str = "eventsource-stream + struct of Values";

const EVENTS: usize = 1500;

pub(super) fn scenarios() -> Vec<Scenario> {
    let chunks: Rc<Chunks> = traffic::deltas(EVENTS).chunks(1400).map(Bytes::copy_from_slice).collect();
    let contender = |side, name, run: fn(&Chunks) -> u64| {
        let chunks = Rc::clone(&chunks);
        Contender::new(side, name, move || run(&chunks))
    };
    let contenders = vec![
        contender(Side::Floor, BARE, bare),
        contender(Side::Ours, OURS, ours),
        contender(Side::Shape, UPSTREAM, |chunks| upstream(chunks, json::value_then_loose)),
        contender(Side::Shape, LOOSE, |chunks| upstream(chunks, json::loose)),
    ];
    let scenario = Scenario::new("decoded deltas in 1400 B", EVENTS as u64, contenders)
        .goal(OURS, 0.35, Against::Named(UPSTREAM))
        .goal(OURS, 1.25, Against::Named(BARE));
    vec![scenario]
}

fn bare(chunks: &Chunks) -> u64 {
    let mut decoder = sse_codec::Decoder::new();
    let mut deltas = 0;
    for chunk in chunks {
        let mut feed = decoder.feed(chunk);
        while let Ok(Some(event)) = feed.next() {
            deltas += json::bare(event.data());
        }
    }
    deltas
}

fn ours(chunks: &Chunks) -> u64 {
    let mut decoder = sse_codec::Decoder::new();
    let mut meaning = json::Ours::new(Wire::Responses);
    let mut deltas = 0;
    for chunk in chunks {
        let mut feed = decoder.feed(chunk);
        while let Ok(Some(event)) = feed.next() {
            deltas += meaning.deltas_of(event.event_field().as_deref(), event.data());
        }
    }
    deltas
}

fn upstream(chunks: &Chunks, decode: fn(&str) -> u64) -> u64 {
    let mut events = stream::iter(chunks.iter().map(|chunk| Ok::<&[u8], Infallible>(chunk))).eventsource();
    let mut deltas = 0;
    while let Some(Some(Ok(event))) = events.next().now_or_never() {
        deltas += decode(&event.data);
    }
    deltas
}
