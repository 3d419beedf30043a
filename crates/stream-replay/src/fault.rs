//! Fault scripts: what is done to a connection, line by line.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::gate::Gate;

mod course;
mod data;
mod error;
mod h2;
mod line;
mod parse;
mod player;
mod section;
mod tls;
mod words;

pub use error::ScriptError;
pub(crate) use player::play_fault;
pub(crate) use section::Section;

/// What is done to raw TCP connections, written in a small language: one step a line.
///
/// ```
/// # use stream_replay::FaultScript;
/// let script = FaultScript::parse(
///     r#"
///     connection 1:                    # the first connection breaks off inside a chunk
///       read-request
///       head 200 "content-type: text/event-stream" "transfer-encoding: chunked"
///       chunk "data: {}\n\n"
///       send "ff\r\ndata: "
///       rst
///     connection 2:                    # it and all later ones get the answers of the server
///       serve
///     "#,
/// )?;
/// # Ok::<(), stream_replay::ScriptError>(())
/// ```
///
/// A line may be indented, and `#` begins a comment. The steps of a connection follow `connection N:` (from 1, in
/// ascending order); they hold for all later connections up to the next such line, and need no heading when every
/// connection is treated alike. Numbers are decimal.
///
/// | step | what it does |
/// | --- | --- |
/// | `read-head` | waits for a request head, and records it without a body |
/// | `read-request` | waits for a whole request, and records it |
/// | `read N` | waits for N bytes, whatever they are |
/// | `head STATUS "NAME: VALUE" …` | sends a response head with these headers and no others |
/// | `send DATA` | sends bytes |
/// | `send-hex 0d0a ff …` | sends bytes |
/// | `send-file "PATH"` | sends a file, which is read when the script is; relative to the script's folder, or to the current one |
/// | `chunk DATA` | sends one chunk of the chunked coding (RFC 9112 §7.1) |
/// | `last-chunk` | sends the chunk that ends a body |
/// | `h2-frame TYPE FLAGS STREAM 00ff …` | sends an HTTP/2 frame (RFC 9113 §4.1) with this payload; TYPE is a name (`goaway`, `rst_stream`, …) or a number |
/// | `tls-alert NAME` | waits for a TLS record (a `ClientHello`), and answers with a fatal alert: a name of RFC 8446 §6 (`handshake_failure`, `protocol_version`, …) or a number |
/// | `answer-connect STATUS "TEXT"` | waits for a request head (of a `CONNECT`) and answers it; a refusal has the text as its body, a grant (2xx) has none |
/// | `wait 200ms` | waits; `ms`, `s`, `m` or `h`, by tokio's clock |
/// | `gate` | waits until [`FaultScript::gate`] lets one pass |
/// | `repeat N STEP`, `repeat forever STEP` | does the step that often; without a step, all steps up to the line `end` |
/// | `fin` | FIN: nothing more is sent; what the client still sends is read and thrown away |
/// | `rst` | RST, which may overtake bytes that were sent |
/// | `hold` | stays silent until the client hangs up |
/// | `serve` | goes on as if there were no script: the next request gets the next [`Response`](crate::Response) |
///
/// The last four end a connection's steps; without one of them they end as with `fin`. DATA is one or more texts, each
/// of them repeated where a number follows: `send "data: " "x" * 1000 "\n\n"`. Texts know the escapes `\r`, `\n`, `\t`,
/// `\0`, `\\`, `\"` and `\xHH`.
///
/// A script also stops where the client hangs up. Clones share the gate.
#[derive(Clone)]
pub struct FaultScript {
    sections: Arc<[(usize, Section)]>,
    gate: Gate,
}

impl FaultScript {
    /// Reads a script. Errors name the line and the column of what is not understood.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        parse::script(text, Path::new(""))
    }

    /// Reads the script in a file. Errors with [`ScriptError::Read`] when there is none.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ScriptError> {
        let path = path.as_ref();
        let text =
            std::fs::read_to_string(path).map_err(|source| ScriptError::Read { path: path.to_path_buf(), source })?;
        parse::script(&text, path.parent().unwrap_or(Path::new("")))
    }

    /// The gate at which every `gate` step waits. It starts closed.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Whether some connection comes to the answers of the server, by `serve`.
    pub fn serves(&self) -> bool {
        self.sections.iter().any(|(_, section)| section.serves())
    }

    /// What is done to connection number `index`, from 0.
    pub(crate) fn section(&self, index: usize) -> Section {
        let begun = self.sections.iter().rev().find(|(first, _)| *first <= index);
        begun.map(|(_, section)| section.clone()).unwrap_or_default()
    }
}

/// Leaves out the steps, which hold whole bodies.
impl fmt::Debug for FaultScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultScript").field("sections", &self.sections.len()).finish_non_exhaustive()
    }
}
