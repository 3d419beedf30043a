//! From a cassette's text to its exchanges.

use std::time::Duration;

use bytes::Bytes;

use super::content::Content;
use super::data::read_lines;
use super::error::WrongLine;
use super::exchange::{Course, RecordedChunk, RecordedEnd, RecordedExchange, RecordedResponse};
use super::frame::{FrameKind, Peer, RecordedFrame};
use super::source::{Line, Source};
use super::{Cassette, MAGIC, VERSION, offset};
use crate::fault::{Words, Wrong, hex};

type Result<T, E = WrongLine> = std::result::Result<T, E>;

pub(super) fn cassette(bytes: &[u8]) -> Result<Cassette> {
    let mut source = Source::new(bytes)?;
    first_line(&mut source)?;
    let mut cassette = Cassette::new();
    while let Some(statement) = Statement::next(&mut source)? {
        if statement.name != "request" {
            return Err(statement.unexpected("`request`"));
        }
        cassette.push(exchange(statement, &mut source)?);
    }
    Ok(cassette)
}

fn first_line(source: &mut Source<'_>) -> Result<()> {
    let expected = format!("`{MAGIC} {VERSION}`");
    let line = source.next().ok_or_else(|| source.expected_more(&expected))?;
    let no_cassette = || Wrong::new(1, format!("expected {expected}: this is no cassette"));
    let version = |words: &mut Words| {
        let column = words.column();
        match words.number::<u32>("the version of the format")? {
            VERSION => words.finish(),
            other => Err(Wrong::new(column, format!("expected version {VERSION} of the format, not {other}"))),
        }
    };
    // Whatever stands here may be of any format.
    let is_first = line.number == 1 && line.text.starts_with(MAGIC);
    let words = Words::of(line.text).ok().filter(|words| is_first && words.is_next(MAGIC));
    let mut words = words.ok_or_else(|| WrongLine { line: 1, wrong: no_cassette() })?;
    words.takes(MAGIC);
    version(&mut words).map_err(|wrong| line.wrong(wrong))
}

/// A line that is no data: its first word, and the rest.
struct Statement<'a> {
    line: Line<'a>,
    column: usize,
    name: String,
    words: Words,
}

impl<'a> Statement<'a> {
    fn next(source: &mut Source<'a>) -> Result<Option<Self>> {
        let Some(line) = source.next() else { return Ok(None) };
        let begun = || {
            let mut words = Words::of(line.text)?;
            let column = words.column();
            let name = words.word("a statement")?;
            Ok(Self { line, column, name, words })
        };
        begun().map(Some).map_err(|wrong| line.wrong(wrong))
    }

    /// The next one of an exchange that has not ended.
    fn required(source: &mut Source<'a>, expected: &str) -> Result<Self> {
        Self::next(source)?.ok_or_else(|| source.expected_more(expected))
    }

    fn unexpected(&self, expected: &str) -> WrongLine {
        self.line.wrong(Wrong::new(self.column, format!("expected {expected}, not `{}`", self.name)))
    }

    /// Reads the rest of the line, all of it.
    fn read<T>(mut self, read: impl FnOnce(&mut Words) -> Result<T, Wrong>) -> Result<T> {
        let line = self.line;
        let value = read(&mut self.words).and_then(|value| self.words.finish().map(|()| value));
        value.map_err(|wrong| line.wrong(wrong))
    }
}

fn exchange(request: Statement<'_>, source: &mut Source<'_>) -> Result<RecordedExchange> {
    const OF_REQUEST: &str = "`header`, `body`, `response` or `end`";
    const BEHIND_BODY: &str = "`response` or `end`";
    let mut exchange = request.read(|words| {
        let at = time(words)?;
        let method = name(words, "a method")?;
        Ok(RecordedExchange { at, ..RecordedExchange::new(method, text(words, "the request target in quotes")?) })
    })?;
    let mut expected = OF_REQUEST;
    loop {
        let statement = Statement::required(source, expected)?;
        match statement.name.as_str() {
            "header" if expected == OF_REQUEST => exchange.request_headers.push(header(statement)?),
            "body" if expected == OF_REQUEST => {
                exchange.request_body = match statement.read(withheld)? {
                    Some(withheld) => withheld,
                    None => Content::Kept(read_lines(source)?.into()),
                };
                expected = BEHIND_BODY;
            }
            "response" => {
                let (response, end) = response(statement, source)?;
                exchange.response = Some(response);
                (exchange.end_at, exchange.end) = end;
                return Ok(exchange);
            }
            "end" => {
                (exchange.end_at, exchange.end) = end(statement)?;
                return Ok(exchange);
            }
            _ => return Err(statement.unexpected(expected)),
        }
    }
}

/// From the head of a response to the end of its exchange.
fn response(statement: Statement<'_>, source: &mut Source<'_>) -> Result<(RecordedResponse, (Duration, RecordedEnd))> {
    let mut response = statement.read(|words| {
        let (at, status) = (time(words)?, words.number("a status")?);
        let course = if words.takes("websocket") { Course::WebSocket(Vec::new()) } else { Course::Body(Vec::new()) };
        Ok(RecordedResponse::new(at, status, course))
    })?;
    let (first, later) = match response.course {
        Course::Body(_) => ("`header`, `chunk` or `end`", "`chunk` or `end`"),
        Course::WebSocket(_) => ("`header`, `server`, `client` or `end`", "`server`, `client` or `end`"),
    };
    let mut expected = first;
    loop {
        let statement = Statement::required(source, expected)?;
        match (statement.name.as_str(), &mut response.course) {
            ("header", _) if expected == first => {
                response.headers.push(header(statement)?);
                continue;
            }
            ("chunk", Course::Body(chunks)) => {
                let at = statement.read(time)?;
                chunks.push(RecordedChunk::new(at, read_lines(source)?));
            }
            ("server", Course::WebSocket(frames)) => frames.push(frame(Peer::Server, statement, source)?),
            ("client", Course::WebSocket(frames)) => frames.push(frame(Peer::Client, statement, source)?),
            ("end", _) => return Ok((response, end(statement)?)),
            _ => return Err(statement.unexpected(expected)),
        }
        expected = later;
    }
}

fn frame(from: Peer, statement: Statement<'_>, source: &mut Source<'_>) -> Result<RecordedFrame> {
    let (at, kind, code, content) = statement.read(|words| {
        let at = time(words)?;
        let expected = words.expected("`text`, `binary`, `ping`, `pong` or `close`");
        let word = words.word("`text`, `binary`, `ping`, `pong` or `close`")?;
        let kind = FrameKind::ALL.into_iter().find(|kind| kind.to_string() == word).ok_or(expected)?;
        let code = match kind {
            FrameKind::Close if !words.is_empty() && !words.is_next("withheld") => {
                Some(words.number::<u16>("a close code")?)
            }
            _ => None,
        };
        Ok((at, kind, code, if code.is_none() { withheld(words)? } else { None }))
    })?;
    let kept = |source| -> Result<Content> {
        let mut payload = code.map_or_else(Vec::new, |code| code.to_be_bytes().to_vec());
        payload.extend(read_lines(source)?);
        Ok(Content::Kept(Bytes::from(payload)))
    };
    let content = content.map_or_else(|| kept(source), Ok)?;
    Ok(RecordedFrame::new(at, from, kind, content))
}

fn end(statement: Statement<'_>) -> Result<(Duration, RecordedEnd)> {
    const EXPECTED: &str = "`finish`, `fin`, `rst`, `open`, `hang-up` or `failed`";
    statement.read(|words| {
        let at = time(words)?;
        let expected = words.expected(EXPECTED);
        let end = match words.word(EXPECTED)?.as_str() {
            "finish" => RecordedEnd::Finish,
            "fin" => RecordedEnd::Cut,
            "rst" => RecordedEnd::Reset,
            "open" => RecordedEnd::Open,
            "hang-up" => RecordedEnd::HangUp,
            "failed" => RecordedEnd::Failed(text(words, "the reason in quotes")?),
            _ => return Err(expected),
        };
        Ok((at, end))
    })
}

fn header(statement: Statement<'_>) -> Result<(String, Vec<u8>)> {
    statement.read(|words| {
        let name = name(words, "a header's name")?;
        let value = words.text().ok_or_else(|| words.expected("the header's value in quotes"))?;
        Ok((name, value))
    })
}

/// What is known of data that is not there, if that is said.
fn withheld(words: &mut Words) -> Result<Option<Content>, Wrong> {
    if !words.takes("withheld") {
        return Ok(None);
    }
    let length = words.number("how many bytes")?;
    for expected in ["bytes", "sha256"] {
        if !words.takes(expected) {
            return Err(words.expected(format_args!("`{expected}`")));
        }
    }
    let expected = words.expected("64 hexadecimal digits");
    let digest = hex(&words.word("64 hexadecimal digits")?);
    let sha256 = digest.and_then(|digest| digest.try_into().ok()).ok_or(expected)?;
    Ok(Some(Content::Withheld { length, sha256 }))
}

fn time(words: &mut Words) -> Result<Duration, Wrong> {
    let expected = words.expected(offset::EXPECTED);
    offset::parse(&words.word(offset::EXPECTED)?).ok_or(expected)
}

/// A word, or whatever in quotes.
fn name(words: &mut Words, what: &str) -> Result<String, Wrong> {
    if words.is_text() { text(words, what) } else { words.word(what) }
}

fn text(words: &mut Words, what: &str) -> Result<String, Wrong> {
    let column = words.column();
    let bytes = words.text().ok_or_else(|| words.expected(what))?;
    String::from_utf8(bytes).map_err(|_| Wrong::new(column, format!("expected {what}, as UTF-8")))
}
