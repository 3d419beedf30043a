//! What a recorded exchange means, whatever shows it.

use std::{borrow::Cow, io, time::Duration};

use codex_stream::{Decoded, StreamDecoder};
use response_events::{ApiError, Classifier, Failure, FailureKind, TurnEvent};
use stream_replay::{FrameKind, Peer, RecordedEnd, RecordedExchange, RecordedFrame};

/// What an exchange means that has no stream.
pub(super) fn refusal(exchange: &RecordedExchange) -> Option<Failure> {
    let Some(response) = &exchange.response else {
        let RecordedEnd::Failed(why) = &exchange.end else { return None };
        return Some(Failure::new(FailureKind::Connect, why.clone()));
    };
    let status = response.status;
    if status == 101 || (200..300).contains(&status) {
        return None;
    }
    let body: Vec<u8> = exchange.chunks().iter().flat_map(|chunk| &chunk.bytes).copied().collect();
    let mut failure = match codex_api::error_in_body(&body) {
        Some(mut error) => {
            error.status = Some(status);
            Failure::from_api(error)
        }
        None => Failure::new(FailureKind::Status, format!("the service answered with status {status}")),
    };
    failure.status = Some(status);
    failure.request_id = request_id(exchange);
    Some(failure)
}

/// The failure of a stream, completed with what the exchange tells beside the stream.
pub(super) fn describe(mut failure: Failure, exchange: &RecordedExchange) -> Failure {
    failure.request_id = failure.request_id.or_else(|| request_id(exchange));
    let close = exchange.frames().iter().rfind(|frame| frame.from == Peer::Server && frame.kind == FrameKind::Close);
    if let (FailureKind::Truncated, Some(close)) = (failure.kind, close) {
        let reason = close.content.bytes().and_then(|payload| std::str::from_utf8(payload.get(2..)?).ok());
        match ApiError::from_close_reason(reason.unwrap_or_default(), &Classifier::new()) {
            Some(error) => {
                let reported = Failure::from_api(error).in_phase(failure.phase);
                let before = failure;
                failure = reported;
                (failure.output_delivered, failure.request_id) = (before.output_delivered, before.request_id);
            }
            None => failure.kind = FailureKind::Closed,
        }
        failure.close_code = close.close_code();
    } else if let (FailureKind::Truncated, RecordedEnd::Failed(why)) = (failure.kind, &exchange.end) {
        failure.message = format!("the recording ends early: {why}");
    }
    failure
}

/// The service's id of the request.
pub(super) fn request_id(exchange: &RecordedExchange) -> Option<String> {
    let id = exchange.response.as_ref()?.header("x-request-id")?;
    Some(String::from_utf8_lossy(id).into_owned())
}

/// The stream of an exchange as it came, piece by piece.
pub(super) fn pieces(exchange: &RecordedExchange) -> impl Iterator<Item = (Duration, Cow<'_, [u8]>)> {
    // An exchange has the ones or the others.
    let chunks = exchange.chunks().iter().map(|chunk| (chunk.at, Cow::Borrowed(&chunk.bytes[..])));
    chunks.chain(exchange.frames().iter().map(|frame| (frame.at, Cow::Owned(event(frame)))))
}

/// Ends the stream of an exchange as the exchange ended.
pub(super) fn finish(
    stream: StreamDecoder,
    exchange: &RecordedExchange,
    show: &mut dyn FnMut(&TurnEvent) -> io::Result<()>,
) -> io::Result<Decoded> {
    if exchange.end == RecordedEnd::Finish { stream.finish(show) } else { stream.finish_cut(show) }
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
