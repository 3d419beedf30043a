//! `decode --output html` of a cassette: every exchange is an attempt, with the times that it was recorded with.

use std::{io, time::Duration};

use codex_stream::{AttemptHead, DecodeOptions, Decoded, ExitStatus, StreamDecoder, TimelineBuilder, html_page};
use response_events::{ApiError, Failure, FailureKind, Ledger, TransportKind, TurnEvent};
use stream_replay::{Cassette, Course, FrameKind, Peer, RecordedEnd, RecordedExchange, RecordedFrame};

use crate::{
    diagnostics::{self, Subject},
    problem::{Problem, usage},
};

/// The status is that of the last exchange, as for a turn with retries.
pub(super) fn decode(
    cassette: &[u8],
    name: &str,
    options: DecodeOptions,
    out: &mut dyn io::Write,
) -> Result<ExitStatus, Problem> {
    let cassette = Cassette::parse(cassette).map_err(|error| usage(format_args!("{name}: {error}")))?;
    let mut builder = TimelineBuilder::new();
    let mut last = None;
    for exchange in cassette.exchanges() {
        last = add(&mut builder, exchange, options)?;
    }
    out.write_all(html_page(&builder.finish(), name).as_bytes())?;
    out.flush()?;
    if let Some(failure) = &last {
        diagnostics::failure(Subject::Recording, failure);
    }
    Ok(ExitStatus::of(last.as_ref()))
}

/// Adds an exchange, and gives the failure that ended it.
fn add(
    builder: &mut TimelineBuilder,
    exchange: &RecordedExchange,
    options: DecodeOptions,
) -> io::Result<Option<Failure>> {
    let since = |at: Duration| Some(exchange.at + at);
    builder.begin(since(Duration::ZERO), head(exchange));
    if let Some(failure) = refusal(exchange) {
        for chunk in exchange.chunks() {
            builder.bytes(since(chunk.at), chunk.bytes.len());
        }
        builder.end(since(exchange.end_at), Some(&failure), &Ledger::default());
        return Ok(Some(failure));
    }
    let mut stream = StreamDecoder::new(options);
    let mut settled = None;
    let mut feed = |at: Duration, bytes: &[u8]| {
        if !bytes.is_empty() {
            builder.bytes(since(at), bytes.len());
        }
        stream.feed(bytes, &mut |event: &TurnEvent| {
            builder.event(since(at), event);
            Ok(())
        })?;
        if stream.is_settled() {
            settled = settled.or(Some(at));
        }
        Ok::<(), io::Error>(())
    };
    match exchange.response.as_ref().map(|response| &response.course) {
        Some(Course::Body(chunks)) => chunks.iter().try_for_each(|chunk| feed(chunk.at, &chunk.bytes))?,
        Some(Course::WebSocket(frames)) => frames.iter().try_for_each(|frame| feed(frame.at, &event(frame)))?,
        None => {}
    }
    let end = since(settled.unwrap_or(exchange.end_at));
    let Decoded { ledger, mut failure, .. } = stream.finish(&mut |event| {
        builder.event(end, event);
        Ok(())
    })?;
    let close = exchange.frames().iter().rfind(|frame| frame.from == Peer::Server && frame.kind == FrameKind::Close);
    if let (Some(failure), Some(close)) = (&mut failure, close) {
        if failure.kind == FailureKind::Truncated {
            (failure.kind, failure.close_code) = (FailureKind::Closed, close.close_code());
        }
    }
    builder.end(end, failure.as_ref(), &ledger);
    Ok(failure)
}

/// What is known of the way; of the headers nothing but the id of the request.
fn head(exchange: &RecordedExchange) -> AttemptHead {
    let Some(response) = &exchange.response else { return AttemptHead::default() };
    let id = response.header("x-request-id").map(|id| String::from_utf8_lossy(id).into_owned());
    let transport = match response.course {
        Course::Body(_) => TransportKind::Sse,
        Course::WebSocket(_) => TransportKind::WebSocket,
    };
    AttemptHead { transport: Some(transport), status: Some(response.status), request_id: id }
}

/// What an exchange means that has no stream.
fn refusal(exchange: &RecordedExchange) -> Option<Failure> {
    let Some(response) = &exchange.response else {
        let RecordedEnd::Failed(why) = &exchange.end else { return None };
        return Some(Failure::new(FailureKind::Connect, why.clone()));
    };
    let status = response.status;
    if status == 101 || (200..300).contains(&status) {
        return None;
    }
    let body: Vec<u8> = exchange.chunks().iter().flat_map(|chunk| &chunk.bytes).copied().collect();
    let mut failure = match ApiError::from_body(&body) {
        Some(mut error) => {
            error.status = Some(status);
            Failure::from_api(error)
        }
        None => Failure::new(FailureKind::Status, format!("the service answered with status {status}")),
    };
    failure.status = Some(status);
    Some(failure)
}

/// A message of the server as an event of a stream; what else is said is none.
fn event(frame: &RecordedFrame) -> Vec<u8> {
    let (Peer::Server, FrameKind::Text, Some(text)) = (frame.from, frame.kind, frame.content.bytes()) else {
        return Vec::new();
    };
    let lines = text.split(|byte| matches!(byte, b'\n' | b'\r'));
    let mut event: Vec<u8> = lines.flat_map(|line| [b"data: ", line, b"\n"].concat()).collect();
    event.push(b'\n');
    event
}
