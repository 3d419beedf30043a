//! What a recorded exchange means, whatever shows it.

use std::{io, time::Duration};

use codex_api::{AnswerContent, RecordedHead, StreamEnd, socket_failure};
use codex_stream::{AttemptHead, DecodeOptions, StreamDecoder};
use response_events::{Failure, FailureKind, TransportKind};
use stream_replay::{Course, FrameKind, Peer, RecordedEnd, RecordedExchange, RecordedFrame, RecordedResponse};

use super::section::{InputEnd, Section, Show};

/// Shows the answers of an exchange, and gives the failure of the last one. A WebSocket has one for each request that
/// was sent over it.
pub(super) fn decode(
    exchange: &RecordedExchange,
    mut options: DecodeOptions,
    show: &mut dyn Show,
) -> io::Result<Option<Failure>> {
    options.transport = transport(exchange);
    let answer = judge(exchange, options);
    let head = |response: &RecordedResponse| AttemptHead {
        transport: Some(options.transport),
        status: Some(response.status),
        request_id: answer.request_id.clone(),
    };
    show.begin(Duration::ZERO, exchange.response.as_ref().map(head).unwrap_or_default())?;
    let mut section = Section::new(StreamDecoder::new(options), show);
    match &answer.content {
        AnswerContent::Failed(failure) => {
            exchange.chunks().iter().for_each(|chunk| section.pass(chunk.at, chunk.bytes.len()));
            return section.refuse(exchange.end_at, (**failure).clone());
        }
        AnswerContent::Document(stream) => {
            exchange.chunks().iter().for_each(|chunk| section.pass(chunk.at, chunk.bytes.len()));
            section.feed(exchange.chunks().last().map_or(exchange.end_at, |chunk| chunk.at), stream)?;
        }
        _ => {
            for chunk in exchange.chunks() {
                section.pass(chunk.at, chunk.bytes.len());
                section.feed(chunk.at, &chunk.bytes)?;
            }
        }
    }
    for frame in exchange.frames() {
        match (frame.from, frame.kind, frame.content.bytes()) {
            (Peer::Client, FrameKind::Text, _) if section.is_settled() => section = section.next(frame.at)?,
            (Peer::Server, FrameKind::Text, Some(message)) => {
                let event = event(message);
                section.pass(frame.at, event.len());
                section.feed(frame.at, &event)?;
            }
            _ => {}
        }
    }
    let input = if exchange.end == RecordedEnd::Finish { InputEnd::Whole } else { InputEnd::Cut };
    section.end(exchange.end_at, input, |end| describe(end, exchange, answer.request_id.as_deref()))
}

/// What is known of an answer before its stream is read.
struct Answer {
    request_id: Option<String>,
    content: AnswerContent,
}

fn judge(exchange: &RecordedExchange, options: DecodeOptions) -> Answer {
    let Some(response) = &exchange.response else {
        let content = match &exchange.end {
            RecordedEnd::Failed(why) => {
                AnswerContent::Failed(Box::new(Failure::new(FailureKind::Connect, why.clone())))
            }
            _ => AnswerContent::Stream,
        };
        return Answer { request_id: None, content };
    };
    let mut headers = response.headers.clone();
    let body: Vec<u8> = exchange.chunks().iter().flat_map(|chunk| &chunk.bytes).copied().collect();
    // The recorder could not write this body down.
    let is_missing = matches!(exchange.end, RecordedEnd::Failed(_)) && body.is_empty();
    if is_missing {
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-encoding"));
    }
    let host = exchange.request_headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
    let host = host.map_or_else(String::new, |(_, host)| format!("http://{}", String::from_utf8_lossy(host)));
    let url = format!("{host}{}", exchange.target);
    let (wire, transport, status) = (options.wire, options.transport, response.status);
    let answer = RecordedHead { wire, transport, url: &url, status, headers: &headers }.judge(&body);
    let content = match answer.content {
        AnswerContent::Failed(_) if is_missing && (200..300).contains(&status) => AnswerContent::Stream,
        content => content,
    };
    Answer { request_id: answer.opened.request_id, content }
}

/// What the request asked for.
fn transport(exchange: &RecordedExchange) -> TransportKind {
    let upgrades = |(name, value): &(String, Vec<u8>)| {
        name.eq_ignore_ascii_case("upgrade") && value.eq_ignore_ascii_case(b"websocket")
    };
    match exchange.response.as_ref().map(|response| &response.course) {
        Some(Course::WebSocket(_)) => TransportKind::WebSocket,
        _ if exchange.request_headers.iter().any(upgrades) => TransportKind::WebSocket,
        _ => TransportKind::Sse,
    }
}

/// Completes the end of the last stream with what the exchange tells beside it.
fn describe(end: &mut StreamEnd, exchange: &RecordedExchange, request_id: Option<&str>) {
    let Some(failure) = end.failure.as_mut() else { return };
    if failure.kind == FailureKind::Truncated {
        if let Some(closed) = closed(exchange) {
            let (phase, output_delivered) = (failure.phase, failure.output_delivered);
            *failure = closed.in_phase(phase);
            failure.output_delivered = output_delivered;
        } else if let RecordedEnd::Failed(why) = &exchange.end {
            failure.message = format!("the recording ends early: {why}");
        }
    }
    failure.request_id = failure.request_id.take().or_else(|| request_id.map(str::to_owned));
}

/// What the end of a WebSocket is which comes before the answer was whole, where it is known.
fn closed(exchange: &RecordedExchange) -> Option<Failure> {
    let is_close = |frame: &&RecordedFrame| frame.from == Peer::Server && frame.kind == FrameKind::Close;
    let broke = matches!(exchange.end, RecordedEnd::Cut | RecordedEnd::Reset);
    match exchange.frames().iter().rfind(is_close) {
        Some(close) => {
            let reason = close.content.bytes().and_then(|payload| std::str::from_utf8(payload.get(2..)?).ok());
            Some(socket_failure(Some((close.close_code().unwrap_or(1005), reason.unwrap_or_default()))))
        }
        None => (broke && !exchange.frames().is_empty()).then(|| socket_failure(None)),
    }
}

/// A message of the server as an event of a stream.
fn event(text: &[u8]) -> Vec<u8> {
    let mut event = Vec::with_capacity(text.len() + 8);
    for line in text.split(|byte| matches!(byte, b'\n' | b'\r')) {
        event.extend(b"data: ");
        event.extend(line);
        event.push(b'\n');
    }
    event.push(b'\n');
    event
}
