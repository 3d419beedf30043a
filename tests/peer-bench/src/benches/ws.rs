//! `ws` and `ws-decode`: messages of a busy WebSocket.

use std::rc::Rc;

use bytes::Bytes;
use response_events::Wire;
use tokio::runtime::Runtime;

use crate::measure::{Against, Contender, Effort, Scenario, Side};
use crate::peers::{json, ws};
use crate::tape::Tape;
use crate::traffic;

const FLOOR: &str = "minimal frame reader";
const OURS: &str = "ws-codec";
const TUNGSTENITE: &str = "tokio-tungstenite 0.30";
const PUMP: &str = "tungstenite in a pump task";

const OURS_DECODED: &str = "ws-codec + response-events";
const BARE: &str = "tungstenite + bare borrowed struct";
const PUMP_VALUES: &str = "pump task + two Values";
const PUMP_LOOSE: &str = "pump task + two structs of Values";

/// Messages in the block that is played again and again.
const BLOCK: usize = 1000;

/// What a read brings: a busy connection, and one packet.
const READS: &[(&str, usize)] = &[("64 KiB", 64 << 10), ("1400 B", 1400)];

/// Makes the streams of one scenario, and the runtime that reads them.
#[derive(Clone)]
struct Source {
    runtime: Rc<Runtime>,
    block: Bytes,
    blocks: u64,
    read_bytes: usize,
}

impl Source {
    fn new(effort: Effort, read_bytes: usize) -> Self {
        let blocks = match effort {
            Effort::Full => 1000,
            Effort::Quick => 50,
        };
        // One thread, so that its CPU time is all of it. A pump on another thread costs more.
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without drivers");
        Self { runtime: Rc::new(runtime), block: traffic::messages(BLOCK).into(), blocks, read_bytes }
    }

    fn messages(&self) -> u64 {
        self.blocks * BLOCK as u64
    }

    fn contender<R, F>(&self, side: Side, name: &'static str, read: R) -> Contender
    where
        R: Fn(Tape) -> F + 'static,
        F: Future<Output = u64>,
    {
        let source = self.clone();
        Contender::new(side, name, move || {
            let tape = Tape::new(source.block.clone(), source.blocks, source.read_bytes);
            source.runtime.block_on(read(tape))
        })
    }
}

pub(super) fn receive(effort: Effort) -> Vec<Scenario> {
    let scenario = |(size, read_bytes): &(&str, usize)| {
        let source = Source::new(effort, *read_bytes);
        let contenders = vec![
            source.contender(Side::Floor, FLOOR, ws::floor),
            source.contender(Side::Ours, OURS, |tape| ws::ours(tape, |_| 1)),
            source.contender(Side::Peer, TUNGSTENITE, |tape| ws::tungstenite(tape, |_| 1)),
            source.contender(Side::Shape, PUMP, |tape| ws::pump(tape, |_| 1)),
        ];
        Scenario::new(format!("{} messages of 233 B, {size} a read", source.messages()), source.messages(), contenders)
            .goal(OURS, 1.10, Against::Named(TUNGSTENITE))
    };
    READS.iter().map(scenario).collect()
}

pub(super) fn receive_and_decode(effort: Effort) -> Vec<Scenario> {
    let scenario = |(size, read_bytes): &(&str, usize)| {
        let source = Source::new(effort, *read_bytes);
        let contenders = vec![
            source.contender(Side::Floor, BARE, |tape| ws::tungstenite(tape, |text| json::bare(text.as_bytes()))),
            source.contender(Side::Ours, OURS_DECODED, |tape| {
                let mut meaning = json::Ours::new(Wire::Responses);
                ws::ours(tape, move |payload| meaning.deltas_of(None, payload))
            }),
            source.contender(Side::Shape, PUMP_VALUES, |tape| ws::pump(tape, json::two_values)),
            source.contender(Side::Shape, PUMP_LOOSE, |tape| ws::pump(tape, json::two_loose)),
        ];
        let messages = source.messages();
        Scenario::new(format!("{messages} messages decoded, {size} a read"), messages, contenders)
            .goal(OURS_DECODED, 0.50, Against::Named(PUMP_VALUES))
            .goal(OURS_DECODED, 0.50, Against::Named(PUMP_LOOSE))
    };
    READS.iter().map(scenario).collect()
}
