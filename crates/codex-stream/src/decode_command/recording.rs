//! `decode` of a cassette: every exchange on its own, with the times that it was recorded with.

use std::{
    io::{self, Write},
    time::Duration,
};

use codex_stream::{ExitStatus, Render, StreamDecoder, renderer};
use response_events::{Ledger, TurnEvent, Wire};
use stream_replay::{Cassette, RecordedExchange};

use super::{
    exchange::{describe, finish, pieces, refusal},
    options, report,
};
use crate::{
    cli::DecodeArgs,
    diagnostics::{self, Subject},
    problem::Problem,
};

/// The status is that of the last exchange, as for a turn with retries.
pub(super) fn decode(cassette: &Cassette, args: &DecodeArgs) -> Result<ExitStatus, Problem> {
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
    pieces(exchange).try_for_each(|(at, bytes)| feed(at, &bytes))?;
    let mut show = |event: &TurnEvent| renderer.event(Some(exchange.end_at), event, out);
    let mut decoded = finish(stream, exchange, &mut show)?;
    decoded.failure = decoded.failure.map(|failure| describe(failure, exchange));
    renderer.end(decoded.failure.as_ref(), &decoded.ledger, out)?;
    Ok(report(args, &decoded))
}
