//! The arguments.

mod deadline;
mod pairs;
mod report;
mod turn_args;

use std::{
    net::SocketAddr,
    num::{IntErrorKind, NonZeroUsize, ParseIntError},
    path::PathBuf,
    str::FromStr,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use codex_stream::OutputFormat;
use response_events::Wire;

pub(crate) use deadline::Deadline;
pub(crate) use pairs::{Field, Header, ToolOutput};
pub(crate) use report::report;
pub(crate) use turn_args::{DEFAULT_KEY, TransportArg, TurnArgs};

/// What `decode --help` ends with.
const DECODE_NOTES: &str = "\
Exit status: 0 an answer, 1 the service reported a failure, 2 wrong usage, 3 the stream is cut or is none, \
130 interrupted; of a cassette with several answers, that of the last";

/// Runs streamed model turns, looks inside recorded ones, and replays them.
#[derive(Debug, Parser)]
#[command(name = "codex-stream", version, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run turns of one session and print them as they stream
    Turn(Box<TurnArgs>),
    /// Parse a recorded stream and print its events
    Decode(DecodeArgs),
    /// Serve recorded streams on a loopback port
    Replay(ReplayArgs),
    /// Proxy a service and write cassettes of what passes
    Record(RecordArgs),
}

#[derive(Debug, Args)]
#[command(after_help = DECODE_NOTES, allow_negative_numbers = true)]
pub(crate) struct DecodeArgs {
    /// Raw bytes of an event stream, or a cassette; `-` (or nothing) reads standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The API that the stream speaks
    #[arg(long, value_enum)]
    pub(crate) wire: WireArg,
    /// The form in which it is shown
    #[arg(long, value_enum, default_value_t = OutputFormat::Transcript)]
    pub(crate) output: OutputFormat,
    /// Decode N bytes at a time, to see that nothing depends on it [default: as they are read]
    #[arg(long, value_name = "N", value_parser = at_least_one::<NonZeroUsize>)]
    pub(crate) chunk_bytes: Option<NonZeroUsize>,
    /// Refuse a larger event
    #[arg(long, value_name = "N", default_value_t = MAX_EVENT_BYTES, value_parser = size)]
    pub(crate) max_event_bytes: usize,
}

/// 32 MiB.
pub(crate) const MAX_EVENT_BYTES: usize = 32 << 20;

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// Cassettes, or plain event streams (`.sse`): request N gets the N-th recorded exchange, later ones the last
    #[arg(required_unless_present = "fault", value_name = "CASSETTE")]
    pub(crate) cassettes: Vec<PathBuf>,
    /// Where to listen; port 0 lets the system choose
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = address)]
    pub(crate) listen: SocketAddr,
    /// Write the port number to a file once the server listens
    #[arg(long, value_name = "F")]
    pub(crate) port_file: Option<PathBuf>,
    /// As recorded, or as fast as possible; a plain `.sse` file has no times and is always played at once
    #[arg(long, value_enum, default_value_t = Speed::Recorded)]
    pub(crate) speed: Speed,
    /// Keep the connection open for this long after the last byte: 500ms, 300s, 2m
    #[arg(long, value_name = "D")]
    pub(crate) hold_open: Option<Deadline>,
    /// A file with what is done to each connection; where it says `serve`, the recorded streams follow
    #[arg(long, value_name = "SCRIPT")]
    pub(crate) fault: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Speed {
    #[value(name = "1x")]
    Recorded,
    Max,
}

#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// The service, as `http(s)://host/v1`; clients call this proxy instead of it
    #[arg(long, value_name = "URL")]
    pub(crate) upstream: String,
    /// The folder for cassettes, one for each request (or WebSocket), named by their order; secrets are redacted
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Where to listen; port 0 lets the system choose
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = address)]
    pub(crate) listen: SocketAddr,
    /// Write the port number to a file once the proxy listens
    #[arg(long, value_name = "F")]
    pub(crate) port_file: Option<PathBuf>,
    /// Keep the bodies of requests and the messages of clients (secrets redacted) [default: their length and digest]
    #[arg(long)]
    pub(crate) keep_bodies: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum WireArg {
    Responses,
    Chat,
}

impl From<WireArg> for Wire {
    fn from(wire: WireArg) -> Self {
        match wire {
            WireArg::Responses => Self::Responses,
            WireArg::Chat => Self::Chat,
        }
    }
}

/// Reads where to listen.
fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.trim().parse().map_err(|_| "expected an IP address and a port, such as 127.0.0.1:8080")
}

/// Reads a count that must not be zero.
fn at_least_one<T: FromStr<Err = ParseIntError>>(text: &str) -> Result<T, String> {
    text.trim().parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => format!("it must be at most {}", u64::MAX >> (64 - 8 * size_of::<T>())),
        _ => "it must be a whole number, and at least 1".to_owned(),
    })
}

/// Reads a number of bytes that must not be zero.
fn size(text: &str) -> Result<usize, String> {
    at_least_one(text).map(NonZeroUsize::get)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
