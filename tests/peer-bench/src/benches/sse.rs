//! `sse`: bytes to events, in chunks of all sizes.

use std::rc::Rc;

use bytes::Bytes;

use super::size_name;
use crate::measure::{Against, Contender, Scenario, Side};
use crate::peers::sse::{self, Chunks};
use crate::traffic;

const FLOOR: &str = "memchr2 scan";
const BYTES: &str = "sse-codec, borrowed bytes";
const BORROWED: &str = "sse-codec, borrowed text";
const OWNED_BYTES: &str = "sse-codec, owned bytes";
const OWNED: &str = "sse-codec, owned text";
const SSE_CORE: &str = "sse-core 0.2.3";
const EVENTSOURCE_STREAM: &str = "eventsource-stream 0.2.3";
const SSE_STREAM: &str = "sse-stream 0.3.0";
const STREAM_RS: &str = "stream-rs 0.1.0";

struct Traffic {
    name: &'static str,
    bytes: Vec<u8>,
    events: u64,
}

pub(super) fn scenarios() -> Vec<Scenario> {
    let small = [
        Traffic { name: "deltas", bytes: traffic::deltas(1500), events: 1500 },
        Traffic { name: "chat", bytes: traffic::chat(1500), events: 1500 },
        Traffic { name: "turn", bytes: traffic::turn(), events: traffic::TURN_EVENTS as u64 },
    ];
    let mut scenarios = Vec::new();
    for traffic in &small {
        scenarios.push(
            scenario(traffic, 1400)
                .goal(BYTES, 0.50, Against::Named(SSE_CORE))
                .goal(BORROWED, 0.50, Against::Named(SSE_CORE))
                .goal(BYTES, 0.10, Against::Named(EVENTSOURCE_STREAM))
                .goal(BORROWED, 0.10, Against::Named(EVENTSOURCE_STREAM))
                .goal(BYTES, 2.0, Against::Named(FLOOR))
                .goal(BORROWED, 2.0, Against::Named(FLOOR))
                .goal(OWNED_BYTES, 0.70, Against::Named(SSE_CORE))
                .goal(OWNED, 0.70, Against::Named(SSE_CORE)),
        );
    }
    for traffic in &small {
        scenarios.push(scenario(traffic, 64).goal(BORROWED, 0.70, Against::Named(SSE_CORE)));
    }
    for traffic in &small {
        scenarios.push(scenario(traffic, 1).goal(BORROWED, 1.0, Against::BestPeer));
    }
    let large = Traffic { name: "1 MiB event", bytes: traffic::large(), events: 1 };
    for chunk in [1400, 64 << 10] {
        scenarios.push(scenario(&large, chunk).goal(OWNED, 1.0, Against::BestPeer));
    }
    scenarios
}

fn scenario(traffic: &Traffic, chunk: usize) -> Scenario {
    let events = traffic.events;
    let chunks: Rc<Chunks> = traffic.bytes.chunks(chunk).map(Bytes::copy_from_slice).collect();
    let contender = |side, name, run: fn(&Chunks) -> u64| {
        let chunks = Rc::clone(&chunks);
        Contender::new(side, name, move || run(&chunks))
    };
    let floor = {
        let chunks = Rc::clone(&chunks);
        Contender::new(Side::Floor, FLOOR, move || sse::memchr2(&chunks, events))
    };
    let mut contenders = vec![
        floor,
        contender(Side::Ours, BYTES, sse::ours_bytes),
        contender(Side::Ours, BORROWED, sse::ours_borrowed),
        contender(Side::Ours, OWNED_BYTES, sse::ours_owned_bytes),
        contender(Side::Ours, OWNED, sse::ours_owned),
        contender(Side::Peer, SSE_CORE, sse::sse_core),
        contender(Side::Peer, SSE_STREAM, sse::sse_stream),
        contender(Side::Peer, STREAM_RS, sse::stream_rs),
    ];
    // It reads a line from its beginning with every chunk: seconds for one long line in tiny chunks.
    let is_too_slow = traffic.name == "turn" && chunk == 1;
    if !is_too_slow {
        contenders.push(contender(Side::Peer, EVENTSOURCE_STREAM, sse::eventsource_stream));
    }
    Scenario::new(format!("{} in {}", traffic.name, size_name(chunk)), events, contenders)
}
