//! Generated traffic: the shapes and sizes of real streams, the same for every run.

use std::fmt::Write as _;

/// A small generator of numbers that look random (xorshift); seeded, so that every run sees the same bytes.
#[derive(Debug, Clone)]
pub struct Noise(u64);

/// Pieces of text as models send them; some need escapes, some are not ASCII.
const WORDS: &[&str] = &[
    " the",
    " of",
    " a",
    " stream",
    ",",
    " which",
    " connection",
    " is",
    " not",
    ".",
    " and",
    " buffer",
    " reads",
    " an",
    " event",
    "\\n",
    " größer",
    " 流",
    " \\\"quoted\\\"",
    " to",
    " it",
    " for",
    " tokens",
    " per",
    " second",
    " with",
    " the",
    " answer",
    ":",
    " in",
];

impl Noise {
    /// The same numbers for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn word(&mut self) -> &'static str {
        WORDS[self.below(WORDS.len())]
    }

    fn hex(&mut self, digits: usize) -> String {
        let mut text = String::new();
        while text.len() < digits {
            _ = write!(text, "{:016x}", self.next());
        }
        text.truncate(digits);
        text
    }
}

/// The JSON of one `response.output_text.delta`, about 200 bytes.
fn delta_json(noise: &mut Noise, sequence: usize, item: &str) -> String {
    let (word, padding) = (noise.word(), noise.below(12) + 4);
    let padding = noise.hex(padding);
    format!(
        r#"{{"type":"response.output_text.delta","sequence_number":{sequence},"item_id":"{item}","output_index":0,"content_index":0,"delta":"{word}","logprobs":[],"obfuscation":"{padding}"}}"#
    )
}

/// `count` deltas of the Responses API as server-sent events, about 235 bytes each.
pub fn deltas(count: usize) -> Vec<u8> {
    let mut noise = Noise::new(7);
    let item = format!("msg_{}", noise.hex(28));
    let mut text = String::new();
    for sequence in 0..count {
        let json = delta_json(&mut noise, sequence, &item);
        _ = write!(text, "event: response.output_text.delta\ndata: {json}\n\n");
    }
    text.into_bytes()
}

/// `count` chunks of Chat Completions as server-sent events, about 290 bytes each.
pub fn chat(count: usize) -> Vec<u8> {
    let mut noise = Noise::new(11);
    let id = noise.hex(29);
    let mut text = String::new();
    for _ in 0..count {
        let (word, padding) = (noise.word(), noise.below(10) + 10);
        let padding = noise.hex(padding);
        _ = write!(
            text,
            r#"data: {{"id":"chatcmpl-{id}","object":"chat.completion.chunk","created":1764000000,"model":"gpt-5-2026-08-07","system_fingerprint":"fp_0123456789","choices":[{{"index":0,"delta":{{"content":"{word}"}},"logprobs":null,"finish_reason":null}}],"obfuscation":"{padding}"}}"#
        );
        text.push_str("\n\n");
    }
    text.into_bytes()
}

/// The events of a whole turn: [`TURN_EVENTS`] deltas with a comment after each hundred, and a completion of 64 KiB.
pub fn turn() -> Vec<u8> {
    let mut noise = Noise::new(13);
    let item = format!("msg_{}", noise.hex(28));
    let mut text = String::new();
    for sequence in 0..TURN_EVENTS - 1 {
        let json = delta_json(&mut noise, sequence, &item);
        _ = write!(text, "event: response.output_text.delta\ndata: {json}\n\n");
        if sequence % 100 == 99 {
            text.push_str(": keep-alive\n\n");
        }
    }
    let instructions = prose(&mut noise, 64 << 10);
    _ = write!(
        text,
        "event: response.completed\ndata: {{\"type\":\"response.completed\",\"response\":{{\"id\":\"resp_1\",\"status\":\"completed\",\"instructions\":\"{instructions}\",\"output\":[]}}}}\n\n"
    );
    text.into_bytes()
}

/// How many events [`turn`] has.
pub const TURN_EVENTS: usize = 1001;

/// One event with 1 MiB of data in one line.
pub fn large() -> Vec<u8> {
    let text = prose(&mut Noise::new(17), 1 << 20);
    format!("event: response.output_item.done\ndata: {{\"type\":\"x\",\"text\":\"{text}\"}}\n\n").into_bytes()
}

fn prose(noise: &mut Noise, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 16);
    while text.len() < bytes {
        text.push_str(noise.word());
    }
    text
}

/// The size of every message of [`messages`], in bytes.
pub const MESSAGE_BYTES: usize = 233;

/// `count` deltas of [`MESSAGE_BYTES`] as unmasked text frames, as a server sends them.
pub fn messages(count: usize) -> Vec<u8> {
    let mut noise = Noise::new(19);
    let item = format!("msg_{}", noise.hex(40));
    let mut bytes = Vec::new();
    for sequence in 0..count {
        let mut json = delta_json(&mut noise, sequence, &item);
        // The padding is the last field.
        json.truncate(json.len() - 2);
        json.extend(std::iter::repeat_n('x', MESSAGE_BYTES - 2 - json.len()));
        json.push_str("\"}");
        bytes.extend_from_slice(&frame(json.as_bytes()));
    }
    bytes
}

/// One unmasked text frame (RFC 6455, section 5.2) with a payload of 126 bytes to 64 KiB.
fn frame(payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[0x81, 126, len[0], len[1]], payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_traffic_is_what_its_names_say() {
        let average = |bytes: &[u8], count: usize| bytes.len() / count;
        assert_eq!((average(&deltas(1500), 1500), average(&chat(1500), 1500)), (237, 293));
        assert_eq!(messages(10).len(), 10 * (MESSAGE_BYTES + 4));
        for message in messages(500).chunks(MESSAGE_BYTES + 4) {
            serde_json::from_slice::<serde_json::Value>(&message[4..]).unwrap();
        }
    }
}
