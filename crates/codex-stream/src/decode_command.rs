//! `decode`: a recorded stream from a file or standard input.

mod exchange;
mod picture;
mod recording;
mod section;

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use codex_stream::{DecodeOptions, ExitStatus, HtmlRenderer, OutputFormat, Render, StreamDecoder, renderer};
use response_events::{TurnEvent, Wire};
use stream_replay::Cassette;

use self::section::Ending;
use crate::{
    cli::DecodeArgs,
    diagnostics::{self, Subject},
    interrupt,
    problem::{Problem, usage},
};

/// Larger pieces are read in pieces: nobody can tell them apart.
const MOST_READ_BYTES: usize = 64 << 20;

const READ_BYTES: usize = 64 << 10;

/// Enough to tell a cassette from an event stream.
const CASSETTE_HEAD_BYTES: usize = 32;

pub(crate) fn run(args: &DecodeArgs) -> Result<ExitStatus, Problem> {
    interrupt::exit_at_once();
    let path = args.file.as_deref().filter(|path| *path != Path::new("-"));
    let unreadable = |error: io::Error| match path {
        Some(path) => usage(format_args!("cannot read {}: {error}", path.display())),
        None => usage(format_args!("cannot read standard input: {error}")),
    };
    let mut input: Box<dyn Read> = match path {
        Some(path) => Box::new(File::open(path).map_err(unreadable)?),
        None => Box::new(io::stdin().lock()),
    };
    let mut head = vec![0; CASSETTE_HEAD_BYTES];
    let read = fill(&mut input, &mut head).map_err(unreadable)?;
    head.truncate(read);
    if Cassette::is_cassette(&head) {
        input.read_to_end(&mut head).map_err(unreadable)?;
        let name = path.map_or("standard input".into(), Path::to_string_lossy);
        let cassette = Cassette::parse(&head).map_err(|error| usage(format_args!("{name}: {error}")))?;
        if cassette.exchanges().is_empty() {
            return Err(usage(format_args!("{name}: the cassette holds no exchange")));
        }
        return match args.output {
            OutputFormat::Html => picture::decode(&cassette, &name_of(path), options(args), &mut io::stdout().lock()),
            _ => recording::decode(&cassette, args),
        };
    }

    let mut input = io::Cursor::new(head).chain(input);
    let wire = Wire::from(args.wire);
    let mut stream = StreamDecoder::new(options(args));
    let mut renderer: Box<dyn Render> = match args.output {
        OutputFormat::Html => Box::new(HtmlRenderer::new(name_of(path))),
        format => renderer(format, wire, diagnostics::stdout_style()),
    };
    let out = &mut io::stdout().lock();
    renderer.begin(None, out)?;
    let mut show = |event: &TurnEvent| renderer.event(None, event, out);
    let mut buffer = vec![0; args.chunk_bytes.map_or(READ_BYTES, |bytes| usize::from(bytes).min(MOST_READ_BYTES))];
    loop {
        let read = match args.chunk_bytes {
            Some(_) => fill(&mut input, &mut buffer),
            None => read_some(&mut input, &mut buffer),
        };
        let read = read.map_err(unreadable)?;
        if read == 0 {
            break;
        }
        stream.feed(&buffer[..read], &mut show)?;
    }
    let decoded = stream.finish(&mut show)?;
    let failure = decoded.failure.as_ref();
    renderer.end(failure, &decoded.ledger, out)?;
    renderer.finish(out)?;
    report(args, &Ending { failure, ledger: &decoded.ledger, tail_discarded: decoded.tail_discarded });
    Ok(ExitStatus::of(failure))
}

fn options(args: &DecodeArgs) -> DecodeOptions {
    let mut options = DecodeOptions::new(Wire::from(args.wire));
    options.max_event_bytes = args.max_event_bytes;
    options
}

/// Says on standard error what the output does not say.
fn report(args: &DecodeArgs, end: &Ending<'_>) {
    diagnostics::after_answer(args.output, end.failure, end.ledger);
    if end.tail_discarded {
        diagnostics::note("the input ends inside an event, which does not count");
    }
    if let Some(failure) = end.failure {
        diagnostics::failure(Subject::Recording, failure);
    }
}

/// What a picture is called: no folder of somebody's machine goes into a page that is passed on.
fn name_of(path: Option<&Path>) -> String {
    let name = path.and_then(Path::file_name);
    name.map_or_else(|| "standard input".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn read_some(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Reads until the buffer is full or the input at its end.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match read_some(input, &mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}
