//! Frames of HTTP/2 (RFC 9113 §4.1 and §6).

use super::data;
use super::error::Wrong;
use super::words::Words;

const TYPES: [&str; 10] = [
    "data",
    "headers",
    "priority",
    "rst_stream",
    "settings",
    "push_promise",
    "ping",
    "goaway",
    "window_update",
    "continuation",
];
const MAX_LENGTH: usize = 0xff_ffff;

/// A frame, right or wrong.
pub(super) fn frame(words: &mut Words) -> Result<Vec<u8>, Wrong> {
    let expected = words.expected("the type of a frame, by its name in RFC 9113 or its number");
    let name = words.word("the type of a frame, by its name in RFC 9113 or its number")?;
    let known = (0_u8..).zip(TYPES).find(|(_, known)| *known == name).map(|(number, _)| number);
    let frame_type = known.or_else(|| name.parse().ok()).ok_or(expected)?;
    let flags: u8 = words.number("the flags, as a number up to 255")?;
    let stream: u32 = words.number("the number of a stream")?;
    let column = words.column();
    let payload = data::hex_words(words)?;
    if payload.len() > MAX_LENGTH {
        return Err(Wrong::new(column, "the payload of a frame is shorter than 16 MiB"));
    }
    let length = u32::try_from(payload.len()).unwrap_or_default().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([frame_type, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    Ok(frame)
}
