//! From one line to its step.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;

use super::error::Wrong;
use super::section::{FaultStep, Read};
#[cfg(feature = "tls")]
use super::tls;
use super::words::Words;
use super::{alert, data, h2};
use crate::chunked::{self, LAST_CHUNK};
use crate::gate::Gate;
use crate::response::AnswerHead;
use crate::script::{End, Step};

/// What lines need to know of their script.
pub(super) struct Context<'a> {
    /// Where files are looked for.
    pub(super) folder: &'a Path,
    pub(super) gate: &'a Gate,
}

/// The steps that need keys.
const TLS_NAMES: [&str; 3] = ["tls-accept", "tls-begin", "tls-close-notify"];

/// The steps of a line, most often one.
pub(super) fn steps(words: &mut Words, context: &Context<'_>) -> Result<Vec<FaultStep>, Wrong> {
    let column = words.column();
    let name = words.word("a step")?;
    let steps = match name.as_str() {
        "read-head" => vec![FaultStep::Read(Read::Head)],
        "read-request" => vec![FaultStep::Read(Read::Request)],
        "read" => {
            let expected = words.expected("how many bytes");
            match words.number("how many bytes")? {
                0 => return Err(expected),
                length => vec![FaultStep::Read(Read::Bytes(length))],
            }
        }
        "head" => vec![send(head(words)?)],
        "send" => vec![send(data::texts(words)?)],
        "send-hex" => {
            let column = words.column();
            vec![send(data::something(data::hex_words(words)?, column, "pairs of hexadecimal digits")?)]
        }
        "send-file" => vec![send(data::file(words, context.folder)?)],
        "chunk" => {
            let data = data::texts(words)?;
            vec![send(chunked::chunk(&data, data.len()))]
        }
        "last-chunk" => vec![send(LAST_CHUNK)],
        "tcp-send" => vec![FaultStep::SendBelow(data::texts(words)?.into())],
        "tls-read-hello" => vec![FaultStep::Read(Read::TlsRecord)],
        "tls-alert" => vec![FaultStep::Read(Read::TlsRecord), send(alert::alert(words)?)],
        "answer-connect" => vec![FaultStep::Read(Read::Head), send(connect_answer(words)?)],
        "wait" => vec![FaultStep::Do(Step::Pause(duration(words)?))],
        "gate" => vec![FaultStep::Do(Step::Pass(context.gate.clone()))],
        "fin" => vec![FaultStep::Do(Step::End(End::Close))],
        "rst" => vec![FaultStep::Do(Step::End(End::Reset))],
        "serve" => vec![FaultStep::Do(Step::End(End::KeepAlive))],
        // Nobody has a hand on this gate.
        "hold" => vec![FaultStep::Do(Step::Pass(Gate::new())), FaultStep::Do(Step::End(End::Close))],
        name if h2::NAMES.contains(&name) => vec![FaultStep::Http2(h2::statement(name, words)?)],
        #[cfg(feature = "tls")]
        name if TLS_NAMES.contains(&name) => vec![FaultStep::Tls(tls::statement(name, words, context)?)],
        #[cfg(not(feature = "tls"))]
        name if TLS_NAMES.contains(&name) => {
            return Err(Wrong::new(column, format!("`{name}` needs the feature `tls` of stream-replay")));
        }
        _ => {
            return Err(Wrong::new(
                column,
                format!("expected a step (`stream_replay::FaultScript` lists them), not {name:?}"),
            ));
        }
    };
    words.finish()?;
    Ok(steps)
}

fn send(data: impl Into<Bytes>) -> FaultStep {
    FaultStep::Do(Step::Send(data.into()))
}

fn head(words: &mut Words) -> Result<Bytes, Wrong> {
    let mut head = AnswerHead::new(words.number("a status")?);
    while let Some(line) = words.text() {
        head.raw_line(&line);
    }
    Ok(head.end())
}

/// RFC 9110 §9.3.6: the answer that grants a tunnel has no body.
fn connect_answer(words: &mut Words) -> Result<Vec<u8>, Wrong> {
    let status: u16 = words.number("a status")?;
    let column = words.column();
    let text = words.text().unwrap_or_default();
    let mut head = AnswerHead::new(status);
    if !(200..300).contains(&status) {
        head.line("content-length", text.len().to_string().as_bytes());
    } else if !text.is_empty() {
        return Err(Wrong::new(column, "a tunnel is granted without a body"));
    }
    Ok([head.end().as_ref(), &text].concat())
}

fn duration(words: &mut Words) -> Result<Duration, Wrong> {
    let expected = words.expected("a time with its unit: 200ms, 2s, 5m or 1h");
    let word = words.word("a time with its unit: 200ms, 2s, 5m or 1h")?;
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let Ok(number) = word[..digits].parse::<u64>() else { return Err(expected) };
    Ok(match &word[digits..] {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.saturating_mul(60)),
        "h" => Duration::from_secs(number.saturating_mul(60 * 60)),
        _ => return Err(expected),
    })
}
