//! Raw frames, and the one helper that shows bytes to a `Protocol`.

use std::time::Instant;

use ws_codec::{Binary, Config, Error, MaskSeed, Message, Protocol, Role};

pub(crate) const CONTINUATION: u8 = 0;
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;
/// The first bit of a frame.
pub(crate) const FIN: u8 = 0x80;

pub(crate) fn client() -> Role {
    Role::Client(MaskSeed::new([7; 32]))
}

/// Accepts binary messages.
pub(crate) fn open() -> Config {
    Config::new().binary(Binary::Accept)
}

/// A frame by hand: `first` is FIN, reserved bits and opcode.
pub(crate) fn raw(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..=125 => frame.push(len as u8),
        len @ 126..=0xffff => {
            frame.push(126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(payload);
    frame
}

/// The last or only frame of its kind.
pub(crate) fn fin(opcode: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    raw(FIN | opcode, payload.as_ref())
}

/// A frame that more will follow.
pub(crate) fn more(opcode: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    raw(opcode, payload.as_ref())
}

/// A Close with this code.
pub(crate) fn close(code: u16, reason: impl AsRef<[u8]>) -> Vec<u8> {
    fin(CLOSE, [&code.to_be_bytes()[..], reason.as_ref()].concat())
}

/// Masks a frame made by the functions above.
pub(crate) fn masked(mut frame: Vec<u8>) -> Vec<u8> {
    let key = [0x11, 0x92, 0xa3, 0x04];
    let header = match frame[1] {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    frame[1] |= 0x80;
    for (at, byte) in frame[header..].iter_mut().enumerate() {
        *byte ^= key[at % 4];
    }
    frame.splice(header..header, key);
    frame
}

/// A frame read off the wire, unmasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    /// FIN, reserved bits and opcode.
    pub(crate) first: u8,
    pub(crate) key: Option<[u8; 4]>,
    pub(crate) payload: Vec<u8>,
}

impl Sent {
    pub(crate) fn opcode(&self) -> u8 {
        self.first & 0x0f
    }

    /// The code of a Close.
    pub(crate) fn code(&self) -> Option<u16> {
        self.payload.first_chunk().filter(|_| self.opcode() == CLOSE).map(|code| u16::from_be_bytes(*code))
    }
}

/// Reads whole frames off the front of `bytes`.
pub(crate) fn parse(mut bytes: &[u8]) -> Vec<Sent> {
    let mut frames = Vec::new();
    while let Some((frame, size)) = parse_one(bytes) {
        frames.push(frame);
        bytes = &bytes[size..];
    }
    frames
}

/// The first frame and its size.
pub(crate) fn parse_one(bytes: &[u8]) -> Option<(Sent, usize)> {
    let &[first, second, ref rest @ ..] = bytes else { return None };
    let (len, mut at) = match second & 0x7f {
        126 => (u16::from_be_bytes(*rest.first_chunk()?) as usize, 4),
        127 => (u64::from_be_bytes(*rest.first_chunk()?) as usize, 10),
        len => (len as usize, 2),
    };
    let mut key = None;
    if second & 0x80 != 0 {
        key = Some(*bytes.get(at..)?.first_chunk()?);
        at += 4;
    }
    let mut payload = bytes.get(at..at + len)?.to_vec();
    for (place, byte) in payload.iter_mut().enumerate() {
        *byte ^= key.map_or(0, |key: [u8; 4]| key[place % 4]);
    }
    Some((Sent { first, key, payload }, at + len))
}

/// What came of some bytes.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) messages: Vec<Message>,
    pub(crate) error: Option<Error>,
    /// Everything that was sent.
    pub(crate) sent: Vec<u8>,
}

impl Outcome {
    /// The messages as text; binary ones lossily.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.messages.iter().map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned()).collect()
    }

    /// How it ended, as `kind` and the code that was sent in a Close: comparable between chunkings.
    pub(crate) fn summary(&self) -> String {
        let code = parse(&self.sent).iter().find_map(Sent::code);
        format!("{:?} sent {code:?}", self.error.as_ref().map(|error| (error.kind(), error.close_code())))
    }
}

/// Shows the chunks to a fresh connection; it sees the end of the stream after them if `eof` says so.
pub(crate) fn show<'a>(
    role: Role,
    config: Config,
    chunks: impl IntoIterator<Item = &'a [u8]>,
    eof: Eof,
) -> (Outcome, Protocol) {
    let now = Instant::now();
    let mut protocol = Protocol::new(role, config, now);
    let mut outcome = Outcome::default();
    for chunk in chunks {
        protocol.handle_bytes(chunk, now);
        drain(&mut protocol, &mut outcome, now);
    }
    if eof == Eof::Seen {
        protocol.handle_eof();
        drain(&mut protocol, &mut outcome, now);
    }
    (outcome, protocol)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Eof {
    Seen,
    NotYet,
}

/// Takes what the connection has, and writes what it wants written.
pub(crate) fn drain(protocol: &mut Protocol, outcome: &mut Outcome, now: Instant) {
    while let Some(item) = protocol.poll_message(now) {
        match item {
            Ok(message) => outcome.messages.push(message),
            Err(error) => assert!(outcome.error.replace(error).is_none(), "two ends"),
        }
    }
    loop {
        let bytes = protocol.transmit();
        if bytes.is_empty() {
            return;
        }
        outcome.sent.extend(bytes);
        let written = bytes.len();
        protocol.handle_transmitted(written, now);
    }
}

/// Shows bytes of a server to a client whole, byte by byte, and in sevens: always the same comes of it.
pub(crate) fn show_at_all_chunkings(config: Config, bytes: &[u8], eof: Eof) -> Outcome {
    let (whole, _) = show(client(), config, [bytes], eof);
    for size in [1, 7] {
        let (cut, _) = show(client(), config, bytes.chunks(size), eof);
        assert_eq!(cut.messages, whole.messages, "in chunks of {size}");
        assert_eq!(cut.summary(), whole.summary(), "in chunks of {size}");
    }
    whole
}
