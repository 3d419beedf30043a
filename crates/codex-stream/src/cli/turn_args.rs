//! The arguments of `turn`.

use std::{num::NonZeroU32, path::PathBuf};

use clap::{Args, ValueEnum};
use codex_api::{OnCut, Transport};
use codex_stream::OutputFormat;

use super::{Deadline, MAX_EVENT_BYTES, WireArg, at_least_one, size};

/// The variable that holds the key where nothing else is said.
pub(crate) const DEFAULT_KEY: &str = "OPENAI_API_KEY";

/// What holds for several options, and how it looks.
const NOTES: &str = "\
D is a duration: 500ms, 300s, 2m. `0` or `off` switches a deadline off.

Examples:
  codex-stream turn \"Say hello\"
  codex-stream turn \"Say hello\" \"Once more\" --base-url http://localhost:8080/v1 --wire chat
  codex-stream turn \"What time is it?\" --tool tools.json --tool-output clock=noon

Exit status: 0 an answer, 1 the service reported a failure, 2 wrong usage, 3 a failure on the way to \
the service, 130 interrupted";

/// Options whose value may be a secret are plain texts here and read later: clap repeats a value that it refuses.
#[derive(Debug, Args)]
#[command(next_line_help = false, after_help = NOTES, allow_negative_numbers = true)]
pub(crate) struct TurnArgs {
    /// What the user says: one turn each, all of the same session; `-` reads one prompt a line from standard input
    #[arg(value_name = "PROMPT", required = true)]
    pub(crate) prompts: Vec<String>,
    /// The service, as http(s)://host/v1; without it and without a key a bundled recording is played
    #[arg(long, value_name = "URL", env = "OPENAI_BASE_URL", hide_env_values = true, help_heading = "Service")]
    pub(crate) base_url: Option<String>,
    /// The model [default: gpt-5]
    #[arg(long, value_name = "M", env = "CODEX_STREAM_MODEL", hide_env_values = true, help_heading = "Request")]
    pub(crate) model: Option<String>,
    /// The environment variable that holds the key; unset: no `authorization` header
    #[arg(long, value_name = "NAME", default_value = DEFAULT_KEY, help_heading = "Service")]
    pub(crate) api_key_env: String,
    /// The API to speak
    #[arg(long, value_enum, default_value_t = WireArg::Responses, help_heading = "Service")]
    pub(crate) wire: WireArg,
    /// What carries the requests: `sse` and `ws` never fall back, `auto` tries a WebSocket first
    #[arg(long, value_enum, default_value_t = TransportArg::Sse, help_heading = "Service")]
    pub(crate) transport: TransportArg,
    /// The form in which the turns are shown
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) output: OutputFormat,
    /// Instructions that stand before the input
    #[arg(long, value_name = "TEXT", help_heading = "Request")]
    pub(crate) instructions: Option<String>,
    /// How hard the model should think
    #[arg(long, value_name = "E", help_heading = "Request")]
    pub(crate) reasoning_effort: Option<String>,
    /// A header of every request (repeatable; a name that is given twice is sent twice)
    #[arg(long = "header", value_name = "K: V", help_heading = "Service")]
    pub(crate) headers: Vec<String>,
    /// Set any body field, last; the value `null` removes it (repeatable)
    #[arg(long = "set", value_name = "PATH=JSON", help_heading = "Request")]
    pub(crate) fields: Vec<String>,
    /// Tool definitions: a JSON array as in the wire's API
    #[arg(long = "tool", value_name = "FILE", help_heading = "Request")]
    pub(crate) tools: Option<PathBuf>,
    /// What a tool answers when the model calls it (repeatable)
    #[arg(long = "tool-output", value_name = "NAME=TEXT", help_heading = "Request")]
    pub(crate) tool_outputs: Vec<String>,
    /// Most follow-up requests in a turn
    #[arg(long, value_name = "N", default_value_t = 8, help_heading = "Request")]
    pub(crate) max_follow_ups: u32,
    /// Attempts of each request in all, the first included; 1 switches retries off
    #[arg(long, value_name = "N", default_value = "9", value_parser = at_least_one::<NonZeroU32>, help_heading = "Retries")]
    pub(crate) max_attempts: NonZeroU32,
    /// Waiting between the attempts of a request in all
    #[arg(long, value_name = "D", default_value = "120s", help_heading = "Retries")]
    pub(crate) max_wait: Deadline,
    /// After a cut that had delivered output: void it, say so and retry, or stop
    #[arg(long, value_enum, default_value_t = OnCutArg::Discard, help_heading = "Retries")]
    pub(crate) on_cut: OnCutArg,
    /// Deadline of each part of connecting (name and TCP, proxy, TLS, upgrade)
    #[arg(long, value_name = "D", default_value = "10s", help_heading = "Limits")]
    pub(crate) connect_timeout: Deadline,
    /// Request sent to response head
    #[arg(long, value_name = "D", default_value = "120s", help_heading = "Limits")]
    pub(crate) head_timeout: Deadline,
    /// Response head to first event
    #[arg(long, value_name = "D", default_value = "300s", help_heading = "Limits")]
    pub(crate) first_event_timeout: Deadline,
    /// No byte at all
    #[arg(long, value_name = "D", default_value = "300s", help_heading = "Limits")]
    pub(crate) idle_timeout: Deadline,
    /// No event, whatever else arrives
    #[arg(long, value_name = "D", default_value = "15m", help_heading = "Limits")]
    pub(crate) progress_timeout: Deadline,
    /// The whole turn
    #[arg(long, value_name = "D", default_value = "off", help_heading = "Limits")]
    pub(crate) turn_timeout: Deadline,
    /// Refuse a larger event
    #[arg(long, value_name = "N", default_value_t = MAX_EVENT_BYTES, value_parser = size, help_heading = "Limits")]
    pub(crate) max_event_bytes: usize,
    /// Root certificates to trust, too [default: `CODEX_CA_CERTIFICATE`, then `SSL_CERT_FILE`]
    #[arg(long, value_name = "FILE", help_heading = "Service")]
    pub(crate) ca: Option<PathBuf>,
    /// The proxy to go through [default: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`]
    #[arg(long, value_name = "URL", help_heading = "Service")]
    pub(crate) proxy: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TransportArg {
    Sse,
    Ws,
    Auto,
}

impl From<TransportArg> for Transport {
    fn from(transport: TransportArg) -> Self {
        match transport {
            TransportArg::Sse => Self::Sse,
            TransportArg::Ws => Self::WebSocket,
            TransportArg::Auto => Self::Auto,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnCutArg {
    Discard,
    Fail,
}

impl From<OnCutArg> for OnCut {
    fn from(on_cut: OnCutArg) -> Self {
        match on_cut {
            OnCutArg::Discard => Self::Discard,
            OnCutArg::Fail => Self::Fail,
        }
    }
}
