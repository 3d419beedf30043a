//! From a cassette to its text.

use std::fmt::{self, Formatter, Result};

use super::content::Content;
use super::data::{Hex, Quoted, write_lines};
use super::exchange::{Course, RecordedEnd, RecordedExchange, RecordedResponse};
use super::frame::RecordedFrame;
use super::offset::Offset;
use super::{Cassette, MAGIC, VERSION};

pub(super) fn cassette(cassette: &Cassette, f: &mut Formatter<'_>) -> Result {
    writeln!(f, "{MAGIC} {VERSION}")?;
    cassette.exchanges().iter().try_for_each(|exchange| write_exchange(exchange, f))
}

fn write_exchange(exchange: &RecordedExchange, f: &mut Formatter<'_>) -> Result {
    let (method, target) = (Word(&exchange.method), Quoted(exchange.target.as_bytes()));
    writeln!(f, "\nrequest {} {method} {target}", Offset(exchange.at))?;
    write_headers(&exchange.request_headers, f)?;
    if exchange.request_body != Content::default() {
        f.write_str("body")?;
        write_content(&exchange.request_body, f)?;
    }
    if let Some(response) = &exchange.response {
        write_response(response, f)?;
    }
    write!(f, "end {} ", Offset(exchange.end_at))?;
    match &exchange.end {
        RecordedEnd::Finish => writeln!(f, "finish"),
        RecordedEnd::Cut => writeln!(f, "fin"),
        RecordedEnd::Reset => writeln!(f, "rst"),
        RecordedEnd::Open => writeln!(f, "open"),
        RecordedEnd::HangUp => writeln!(f, "hang-up"),
        RecordedEnd::Failed(why) => writeln!(f, "failed {}", Quoted(why.as_bytes())),
    }
}

fn write_response(response: &RecordedResponse, f: &mut Formatter<'_>) -> Result {
    write!(f, "response {} {}", Offset(response.at), response.status)?;
    match &response.course {
        Course::Body(chunks) => {
            writeln!(f)?;
            write_headers(&response.headers, f)?;
            for chunk in chunks {
                writeln!(f, "chunk {}", Offset(chunk.at))?;
                write_lines(&chunk.bytes, f)?;
            }
        }
        Course::WebSocket(frames) => {
            writeln!(f, " websocket")?;
            write_headers(&response.headers, f)?;
            for frame in frames {
                write_frame(frame, f)?;
            }
        }
    }
    Ok(())
}

fn write_frame(frame: &RecordedFrame, f: &mut Formatter<'_>) -> Result {
    write!(f, "{} {} {}", frame.from, Offset(frame.at), frame.kind)?;
    match (&frame.content, frame.close_code()) {
        (Content::Kept(bytes), Some(code)) => {
            writeln!(f, " {code}")?;
            write_lines(&bytes[2..], f)
        }
        // One byte is no code (RFC 6455 §5.5.1).
        (content, _) => write_content(content, f),
    }
}

/// Ends the line of a statement, and writes the data below it.
fn write_content(content: &Content, f: &mut Formatter<'_>) -> Result {
    match content {
        Content::Kept(bytes) => {
            writeln!(f)?;
            write_lines(bytes, f)
        }
        Content::Withheld { length, sha256 } => writeln!(f, " withheld {length} bytes sha256 {}", Hex(sha256)),
    }
}

fn write_headers(headers: &[(String, Vec<u8>)], f: &mut Formatter<'_>) -> Result {
    headers.iter().try_for_each(|(name, value)| writeln!(f, "header {} {}", Word(name), Quoted(value)))
}

/// In quotes only where it has to be.
struct Word<'a>(&'a str);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !self.0.is_empty() && self.0.bytes().all(plain) {
            f.write_str(self.0)
        } else {
            Quoted(self.0.as_bytes()).fmt(f)
        }
    }
}
