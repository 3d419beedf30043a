//! The reading side of a WebSocket.

use std::time::Instant;

use ws_codec::{Binary, Config, Limits, MaskSeed, Message, Protocol, Role};

use super::input::Input;

/// What came of some bytes, as far as it is the same for every chunking.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    messages: Vec<Message>,
    /// Every end that was told: kind, code and reason.
    ends: Vec<String>,
    frames: u64,
    /// The code of the Close that was sent.
    close: Option<u16>,
}

/// Any bytes of a peer, cut anywhere, give the same messages within the limits, and one end.
pub fn ws_frames(data: &[u8]) {
    let input = Input::of(data);
    let [whole, others @ ..] = input.chunkings(2).map(|chunks| read(input, &chunks));
    for other in others {
        assert_eq!(other, whole);
    }
    assert_eq!(whole.ends.len(), 1, "the end of the bytes is an end");
    for message in &whole.messages {
        assert!(message.as_bytes().len() <= config(input).limits.get_max_message_bytes());
        if let Message::Text(text) = message {
            assert_eq!(std::str::from_utf8(text.as_bytes()), Ok(text.as_str()));
        }
    }
}

fn config(input: Input<'_>) -> Config {
    let size = input.number(1);
    let limits = match size {
        0 => Limits::new(),
        size => Limits::new().max_message_bytes(8 * size).max_frame_bytes(4 * size).max_fragments(size),
    };
    let binary = if input.number(0) & 2 == 0 { Binary::Accept } else { Binary::Refuse };
    Config::new().limits(limits).binary(binary)
}

fn read(input: Input<'_>, chunks: &[&[u8]]) -> Seen {
    let role = if input.number(0) & 1 == 0 { Role::Client(MaskSeed::new([7; 32])) } else { Role::Server };
    let is_client = matches!(role, Role::Client(_));
    let now = Instant::now();
    let mut protocol = Protocol::new(role, config(input), now);
    let (mut seen, mut sent) = (Seen::default(), Vec::new());
    for chunk in chunks {
        protocol.handle_bytes(chunk, now);
        drain(&mut protocol, &mut seen, &mut sent, now);
    }
    protocol.handle_eof();
    drain(&mut protocol, &mut seen, &mut sent, now);
    assert!(protocol.is_ended());
    let counters = protocol.counters();
    assert_eq!(counters.bytes_received, input.body.len() as u64);
    assert_eq!(counters.messages_received, seen.messages.len() as u64);
    seen.frames = counters.frames_received;
    seen.close = close_code(&sent, is_client);
    seen
}

fn drain(protocol: &mut Protocol, seen: &mut Seen, sent: &mut Vec<u8>, now: Instant) {
    while let Some(item) = protocol.poll_message(now) {
        match item {
            Ok(message) if seen.ends.is_empty() => seen.messages.push(message),
            Ok(message) => panic!("{message:?} after the end"),
            Err(error) => seen.ends.push(format!("{:?} {:?} {:?}", error.kind(), error.close_code(), error.reason())),
        }
    }
    loop {
        let bytes = protocol.transmit();
        if bytes.is_empty() {
            return;
        }
        sent.extend_from_slice(bytes);
        let written = bytes.len();
        protocol.handle_transmitted(written, now);
    }
}

/// Reads the frames that were sent, which are all control frames (RFC 6455, section 5.5), and are masked by a client.
fn close_code(mut sent: &[u8], is_client: bool) -> Option<u16> {
    let mut code = None;
    while let [first, second, rest @ ..] = sent {
        assert!(code.is_none(), "frames after a Close");
        assert_eq!(second & 0x80 != 0, is_client, "whoever dialed masks");
        let key: [u8; 4] = if is_client { *rest.first_chunk().expect("a key") } else { [0; 4] };
        let rest = if is_client { &rest[4..] } else { rest };
        let (payload, behind) = rest.split_at(usize::from(second & 0x7f));
        match (first, payload) {
            (0x88, [high, low, ..]) => code = Some(u16::from_be_bytes([high ^ key[0], low ^ key[1]])),
            (0x88, _) => code = Some(0),
            (0x8a, _) => {}
            (other, _) => panic!("a frame {other:#x} was sent"),
        }
        sent = behind;
    }
    code
}
