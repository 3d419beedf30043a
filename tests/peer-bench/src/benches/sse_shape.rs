//! `sse-shape`: `sse-codec` beside itself. Whether cost grows with the length of an event, and what its adapters add.

use std::rc::Rc;

use bytes::Bytes;

use super::size_name;
use crate::measure::{Against, Contender, Scenario, Side};
use crate::peers::sse::{self, Chunks};
use crate::peers::sse_adapters;
use crate::traffic;

const SMALL: &str = "512 events of 16 KiB";
const LARGE: &str = "one event of 8 MiB";
const TOTAL: usize = 8 << 20;

const DECODER: &str = "sse-codec, Decoder";
const STREAM: &str = "sse-codec, EventStream";
const BODY: &str = "sse-codec, EventBody";
const CODEC: &str = "sse-codec, SseCodec";

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut scenarios: Vec<Scenario> = [1, 64, 1400, 64 << 10].into_iter().map(linearity).collect();
    scenarios.push(adapters("deltas", &traffic::deltas(1500), 1500));
    scenarios.push(adapters("turn", &traffic::turn(), traffic::TURN_EVENTS as u64));
    scenarios
}

/// The same number of bytes in small events and in a large one; a unit is a KiB of data.
///
/// A chunk is never larger than the data of an event, so that all events are cut and joined: data that lie whole in
/// their chunk are not copied, which is another work and not a matter of length.
fn linearity(chunk: usize) -> Scenario {
    let contender = |name, events: usize| {
        let stream = format!("data: {}\n\n", "x".repeat(TOTAL / events)).repeat(events);
        let chunk = chunk.min(TOTAL / events);
        Contender::new(Side::Ours, name, move || sse::data_text(stream.as_bytes(), chunk) >> 10)
    };
    let contenders = vec![contender(SMALL, 512), contender(LARGE, 1)];
    let name = format!("8 MiB of data in {}", size_name(chunk));
    Scenario::new(name, (TOTAL >> 10) as u64, contenders).goal(LARGE, 3.0, Against::Named(SMALL))
}

fn adapters(name: &str, stream: &[u8], events: u64) -> Scenario {
    let chunks: Rc<Chunks> = stream.chunks(1400).map(Bytes::copy_from_slice).collect();
    let contender = |name, run: fn(&Chunks) -> u64| {
        let chunks = Rc::clone(&chunks);
        Contender::new(Side::Ours, name, move || run(&chunks))
    };
    let contenders = vec![
        contender(DECODER, sse_adapters::decoder),
        contender(STREAM, sse_adapters::event_stream),
        contender(BODY, sse_adapters::event_body),
        contender(CODEC, sse_adapters::codec),
    ];
    let scenario = Scenario::new(format!("{name} in 1400 B, owned"), events, contenders);
    [STREAM, BODY, CODEC].into_iter().fold(scenario, |scenario, it| scenario.goal(it, 1.3, Against::Named(DECODER)))
}
