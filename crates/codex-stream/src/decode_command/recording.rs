//! `decode` of a cassette: every exchange on its own, with the times that it was recorded with.

use std::{
    io::{self, Write},
    time::Duration,
};

use codex_stream::{Decoded, ExitStatus, Render, StreamDecoder, renderer};
use response_events::{ApiError, Failure, FailureKind, Ledger, TurnEvent, Wire};
use stream_replay::{
    Cassette, Course, FrameKind, Peer, RecordedEnd, RecordedExchange, RecordedFrame, RecordedResponse,
};

use super::{options, report};
use crate::{
    cli::DecodeArgs,
    diagnostics::{self, Subject},
    problem::{Problem, usage},
};

/// The status is that of the last exchange, as for a turn with retries.
pub(super) fn decode(cassette: &Cassette, args: &DecodeArgs) -> Result<ExitStatus, Problem> {
    if cassette.exchanges().is_empty() {
        return Err(usage("the cassette holds no exchange"));
    }
    let mut renderer = renderer(args.output, Wire::from(args.wire), diagnostics::stdout_style());
    let out = &mut io::stdout().lock();
    let mut status = ExitStatus::Success;
    for exchange in cassette.exchanges() {
        renderer.begin(None, out)?;
        status = match refusal(exchange) {
            Some(failure) => {
                renderer.end(Some(&failure), &Ledger::default(), out)?;
                diagnostics::failure(Subject::Recording, &failure);
                ExitStatus::of(Some(&failure))
            }
            None => stream(exchange, args, renderer.as_mut(), out)?,
        };
    }
    Ok(status)
}

/// What an exchange means that has no stream.
fn refusal(exchange: &RecordedExchange) -> Option<Failure> {
    match (&exchange.response, &exchange.end) {
        (None, RecordedEnd::Failed(why)) => Some(Failure::new(FailureKind::Connect, why.clone())),
        (Some(RecordedResponse { status, .. }), _) if *status != 101 && !(200..300).contains(status) => {
            let body: Vec<u8> = exchange.chunks().iter().flat_map(|chunk| &chunk.bytes).copied().collect();
            let mut failure = match ApiError::from_body(&body) {
                Some(error) => Failure::from_api(error),
                None => Failure::new(FailureKind::Status, format!("the service answered with status {status}")),
            };
            failure.status = Some(*status);
            Some(failure)
        }
        _ => None,
    }
}

fn stream(
    exchange: &RecordedExchange,
    args: &DecodeArgs,
    renderer: &mut dyn Render,
    out: &mut dyn Write,
) -> io::Result<ExitStatus> {
    let mut stream = StreamDecoder::new(options(args));
    let mut feed = |at: Duration, bytes: &[u8]| {
        let size = args.chunk_bytes.map_or(bytes.len().max(1), usize::from);
        let mut show = |event: &TurnEvent| renderer.event(Some(at), event, out);
        bytes.chunks(size).try_for_each(|piece| stream.feed(piece, &mut show))
    };
    match exchange.response.as_ref().map(|response| &response.course) {
        Some(Course::Body(chunks)) => chunks.iter().try_for_each(|chunk| feed(chunk.at, &chunk.bytes))?,
        Some(Course::WebSocket(frames)) => frames.iter().try_for_each(|frame| feed(frame.at, &event(frame)))?,
        None => {}
    }
    let mut show = |event: &TurnEvent| renderer.event(Some(exchange.end_at), event, out);
    let mut decoded: Decoded = stream.finish(&mut show)?;
    let close = exchange.frames().iter().rfind(|frame| frame.from == Peer::Server && frame.kind == FrameKind::Close);
    if let (Some(failure), Some(close)) = (&mut decoded.failure, close) {
        if failure.kind == FailureKind::Truncated {
            failure.kind = FailureKind::Closed;
            failure.close_code = close.close_code();
        }
    }
    renderer.end(decoded.failure.as_ref(), &decoded.ledger, out)?;
    Ok(report(args, &decoded))
}

/// A message of the server as an event of a stream; what else is said is none.
fn event(frame: &RecordedFrame) -> Vec<u8> {
    let (Peer::Server, FrameKind::Text, Some(text)) = (frame.from, frame.kind, frame.content.bytes()) else {
        return Vec::new();
    };
    let mut event = Vec::with_capacity(text.len() + 8);
    for line in text.split(|byte| matches!(byte, b'\n' | b'\r')) {
        event.extend(b"data: ");
        event.extend(line);
        event.push(b'\n');
    }
    event.push(b'\n');
    event
}
