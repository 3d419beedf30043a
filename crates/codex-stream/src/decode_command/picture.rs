//! `decode --output html` of a cassette: every exchange is an attempt, with the times that it was recorded with.

use std::{io, time::Duration};

use codex_stream::{AttemptHead, DecodeOptions, Decoded, ExitStatus, StreamDecoder, TimelineBuilder, html_page};
use response_events::{Failure, Ledger, TransportKind, TurnEvent};
use stream_replay::{Cassette, Course, RecordedExchange};

use super::exchange::{describe, finish, pieces, refusal, request_id};
use crate::{
    diagnostics::{self, Subject},
    problem::Problem,
};

/// The status is that of the last exchange, as for a turn with retries.
pub(super) fn decode(
    cassette: &Cassette,
    name: &str,
    options: DecodeOptions,
    out: &mut dyn io::Write,
) -> Result<ExitStatus, Problem> {
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
    pieces(exchange).try_for_each(|(at, bytes)| feed(at, &bytes))?;
    let end = since(settled.unwrap_or(exchange.end_at));
    let Decoded { ledger, failure, .. } = finish(stream, exchange, &mut |event| {
        builder.event(end, event);
        Ok(())
    })?;
    let failure = failure.map(|failure| describe(failure, exchange));
    builder.end(end, failure.as_ref(), &ledger);
    Ok(failure)
}

/// What is known of the way; of the headers nothing but the id of the request.
fn head(exchange: &RecordedExchange) -> AttemptHead {
    let Some(response) = &exchange.response else { return AttemptHead::default() };
    let transport = match response.course {
        Course::Body(_) => TransportKind::Sse,
        Course::WebSocket(_) => TransportKind::WebSocket,
    };
    AttemptHead { transport: Some(transport), status: Some(response.status), request_id: request_id(exchange) }
}
