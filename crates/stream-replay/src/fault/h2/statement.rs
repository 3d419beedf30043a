//! The lines of a script that speak HTTP/2.

use bytes::Bytes;

use super::super::data;
use super::super::error::Wrong;
use super::super::words::Words;
use super::fields;
use super::frame::{self, End};
use super::names::{self, FRAME_TYPES, REASONS, SETTINGS};

/// The steps that are read here.
pub(crate) const NAMES: [&str; 11] = [
    "h2-preface",
    "h2-settings",
    "h2-headers",
    "h2-trailers",
    "h2-data",
    "h2-rst-stream",
    "h2-goaway",
    "h2-ping",
    "h2-ignore-pings",
    "h2-read",
    "h2-frame",
];

/// One line about HTTP/2.
#[derive(Debug, Clone)]
pub(crate) enum Http2Step {
    /// Waits for the client's preface.
    Preface,
    /// Sends this.
    Send(Outgoing),
    /// Pings get no answer any more.
    IgnorePings,
    /// Waits for a frame of this type.
    Read(u8),
}

/// Frames whose stream may be known only when they are sent.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    stream: Stream,
    what: What,
}

impl Outgoing {
    /// Its bytes, where `this` is the stream of the last request and `last` the highest of the client's.
    pub(crate) fn encode(&self, this: u32, last: u32) -> Bytes {
        let stream = match self.stream {
            Stream::This => this,
            Stream::Number(number) => number,
        };
        Bytes::from(match &self.what {
            What::Content { frame_type, payload, end } => frame::encode_all(*frame_type, *end, stream, payload),
            What::Frame { frame_type, flags, payload } => frame::encode(*frame_type, *flags, stream, payload),
            What::GoAway { reason } => frame::goaway(last, *reason),
        })
    }
}

impl Http2Step {
    /// Whether it needs to be told a stream by a request that was read before.
    pub(crate) fn is_about_a_request(&self) -> bool {
        matches!(self, Self::Send(Outgoing { stream: Stream::This, .. }))
    }
}

/// Which stream a frame belongs to.
#[derive(Debug, Clone, Copy)]
enum Stream {
    /// That of the request that was read last.
    This,
    Number(u32),
}

#[derive(Debug, Clone)]
enum What {
    /// DATA in as many frames as it takes, or a header block.
    Content { frame_type: u8, payload: Vec<u8>, end: End },
    /// A frame whose payload is complete.
    Frame { frame_type: u8, flags: u8, payload: Vec<u8> },
    /// GOAWAY that names the last stream the client has opened.
    GoAway { reason: u32 },
}

/// The rest of the line behind one of [`NAMES`].
pub(crate) fn statement(name: &str, words: &mut Words) -> Result<Http2Step, Wrong> {
    Ok(Http2Step::Send(match name {
        "h2-preface" => return Ok(Http2Step::Preface),
        "h2-ignore-pings" => return Ok(Http2Step::IgnorePings),
        "h2-read" => return named(words, "the type of a frame", &FRAME_TYPES, 0).map(Http2Step::Read),
        "h2-settings" => connection(frame::SETTINGS, settings(words)?),
        "h2-ping" => connection(frame::PING, vec![0; 8]),
        "h2-goaway" => goaway(words)?,
        "h2-frame" => any_frame(words)?,
        _ => {
            let stream = stream(words)?;
            Outgoing { stream, what: on_stream(name, words)? }
        }
    }))
}

fn connection(frame_type: u8, payload: Vec<u8>) -> Outgoing {
    Outgoing { stream: Stream::Number(0), what: What::Frame { frame_type, flags: 0, payload } }
}

fn on_stream(name: &str, words: &mut Words) -> Result<What, Wrong> {
    Ok(match name {
        "h2-headers" => {
            let mut block = Vec::new();
            fields::status(&mut block, words.number("a status")?);
            let end = lines(&mut block, words);
            What::Content { frame_type: frame::HEADERS, payload: block, end }
        }
        "h2-trailers" => {
            let column = words.column();
            let mut block = Vec::new();
            lines(&mut block, words);
            let payload = data::something(block, column, "a text in quotes")?;
            What::Content { frame_type: frame::HEADERS, payload, end: End::Stream }
        }
        "h2-data" => {
            let payload = if words.is_next("end-stream") { Vec::new() } else { data::some_texts(words)? };
            What::Content { frame_type: frame::DATA, payload, end: end(words) }
        }
        _ => {
            let reason: u32 = named(words, "an error code", &REASONS, 0)?;
            let payload = reason.to_be_bytes().to_vec();
            What::Frame { frame_type: frame::RST_STREAM, flags: 0, payload }
        }
    })
}

fn lines(block: &mut Vec<u8>, words: &mut Words) -> End {
    while let Some(line) = words.text() {
        fields::line(block, &line);
    }
    end(words)
}

fn end(words: &mut Words) -> End {
    if words.takes("end-stream") { End::Stream } else { End::Open }
}

/// `stream N`, or nothing.
fn stream(words: &mut Words) -> Result<Stream, Wrong> {
    if words.takes("stream") { words.number("the number of a stream").map(Stream::Number) } else { Ok(Stream::This) }
}

fn settings(words: &mut Words) -> Result<Vec<u8>, Wrong> {
    const EXPECTED: &str = "a setting of RFC 9113 with its value, as in `max_frame_size=16384`";
    let mut payload = Vec::new();
    while !words.is_empty() {
        let expected = words.expected(EXPECTED);
        let word = words.word(EXPECTED)?;
        let setting = word
            .split_once('=')
            .and_then(|(name, value)| Some((names::number::<u16>(name, &SETTINGS, 1)?, value.parse::<u32>().ok()?)));
        let (number, value) = setting.ok_or(expected)?;
        payload.extend(number.to_be_bytes());
        payload.extend(value.to_be_bytes());
    }
    Ok(payload)
}

fn goaway(words: &mut Words) -> Result<Outgoing, Wrong> {
    let reason: u32 = named(words, "an error code", &REASONS, 0)?;
    if !words.takes("last") {
        return Ok(Outgoing { stream: Stream::Number(0), what: What::GoAway { reason } });
    }
    let last: u32 = words.number("the number of the last stream")?;
    Ok(connection(frame::GOAWAY, [last.to_be_bytes(), reason.to_be_bytes()].concat()))
}

fn any_frame(words: &mut Words) -> Result<Outgoing, Wrong> {
    let frame_type = named(words, "the type of a frame", &FRAME_TYPES, 0)?;
    let flags = words.number("the flags, as a number up to 255")?;
    let stream = if words.takes("this") {
        Stream::This
    } else {
        Stream::Number(words.number("the number of a stream, or `this`")?)
    };
    let column = words.column();
    let payload = data::hex_words(words)?;
    if payload.len() > frame::MAX_LENGTH {
        return Err(Wrong::new(column, "the payload of a frame is shorter than 16 MiB"));
    }
    Ok(Outgoing { stream, what: What::Frame { frame_type, flags, payload } })
}

/// A name out of a list of RFC 9113, or its number.
fn named<T: TryFrom<usize> + std::str::FromStr>(
    words: &mut Words,
    what: &str,
    list: &[&str],
    first: usize,
) -> Result<T, Wrong> {
    let expected = words.expected(format_args!("{what}, by its name in RFC 9113 or its number"));
    let name = words.word(format_args!("{what}, by its name in RFC 9113 or its number"))?;
    names::number(&name, list, first).ok_or(expected)
}
