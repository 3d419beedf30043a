//! What the server answers, as bytes that are ready before anybody asks.

use std::fmt::Write as _;
use std::time::Duration;

use crate::traffic;

/// Deltas in the block that long answers repeat.
pub(super) const BLOCK: usize = 1000;
/// Bytes of a large HTTP chunk.
const LARGE_CHUNK: usize = 16 << 10;
/// The end of a chunked body.
pub(super) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
/// The pace of [`Script::Paced`]: 50 events a second.
pub(super) const BEAT: Duration = Duration::from_millis(20);
/// How long after the last event a [`Script::LateEnd`] ends.
pub(super) const LATE: Duration = Duration::from_millis(5);

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";

/// What the server does with a request: the first segment of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// This many thousand deltas as fast as possible, an HTTP chunk each.
    Burst(usize),
    /// The same in HTTP chunks of 16 KiB.
    Packed(usize),
    /// This many deltas in one write, an HTTP chunk each.
    Turn(usize),
    /// The same, but the body ends 5 ms behind its last event.
    LateEnd(usize),
    /// A delta every 20 ms, until the client goes.
    Paced,
    /// One delta, and then nothing.
    Idle,
}

impl Script {
    /// The segment of the path.
    pub fn name(self) -> String {
        match self {
            Self::Burst(thousands) => format!("burst-{thousands}"),
            Self::Packed(thousands) => format!("packed-{thousands}"),
            Self::Turn(deltas) => format!("turn-{deltas}"),
            Self::LateEnd(deltas) => format!("late-{deltas}"),
            Self::Paced => "paced".to_owned(),
            Self::Idle => "idle".to_owned(),
        }
    }

    /// The script of a segment.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (word, count) = name.split_once('-').unwrap_or((name, "0"));
        let count = count.parse().ok()?;
        Some(match word {
            "burst" => Self::Burst(count),
            "packed" => Self::Packed(count),
            "turn" => Self::Turn(count),
            "late" => Self::LateEnd(count),
            "paced" => Self::Paced,
            "idle" => Self::Idle,
            _ => return None,
        })
    }
}

/// Everything that is ever sent, but the last chunk.
pub(super) struct Bytes {
    pub(super) head: Vec<u8>,
    /// [`BLOCK`] deltas, an HTTP chunk each.
    pub(super) small: Vec<u8>,
    /// The same deltas in large chunks.
    pub(super) large: Vec<u8>,
    /// Where the chunks of `small` end.
    pub(super) ends: Vec<usize>,
    /// The first delta, without HTTP.
    pub(super) delta: Vec<u8>,
    /// The chunk with the end of the answer.
    pub(super) completed: Vec<u8>,
}

impl Bytes {
    pub(super) fn new() -> Self {
        let deltas = traffic::deltas(BLOCK);
        let mut small = Vec::new();
        let mut ends = Vec::new();
        let mut at = 0;
        for end in memchr::memmem::find_iter(&deltas, "\n\n").map(|at| at + 2) {
            small.extend(chunk(&deltas[at..end]));
            ends.push(small.len());
            at = end;
        }
        let delta = memchr::memmem::find(&deltas, b"\n\n").map(|at| deltas[..at + 2].to_vec()).unwrap_or_default();
        let large = deltas.chunks(LARGE_CHUNK).flat_map(chunk).collect();
        Self { head: HEAD.into(), small, large, ends, delta, completed: chunk(completed().as_bytes()) }
    }

    /// The first `deltas` (at most [`BLOCK`]) of `small`.
    pub(super) fn first(&self, deltas: usize) -> &[u8] {
        let end = deltas.checked_sub(1).and_then(|last| self.ends.get(last)).copied();
        &self.small[..end.unwrap_or_default()]
    }
}

/// An HTTP chunk (RFC 9112, section 7.1).
fn chunk(data: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}

fn completed() -> String {
    let mut text = String::from("event: response.completed\n");
    _ = write!(
        text,
        r#"data: {{"type":"response.completed","sequence_number":9999,"response":{{"id":"resp_1","object":"response","created_at":1764000000,"status":"completed","model":"gpt-5","output":[],"usage":{{"input_tokens":10,"input_tokens_details":{{"cached_tokens":0}},"output_tokens":20,"output_tokens_details":{{"reasoning_tokens":0}},"total_tokens":30}}}}}}"#
    );
    text.push_str("\n\n");
    text
}
