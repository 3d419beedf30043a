//! Fault scripts: what is done to a connection, line by line.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::gate::Gate;

mod alert;
mod course;
mod data;
mod error;
mod h2;
mod line;
mod order;
mod parse;
mod player;
mod section;
#[cfg(feature = "tls")]
mod tls;
mod words;

pub(crate) use data::hex_words;
pub use error::ScriptError;
pub(crate) use error::Wrong;
pub(crate) use player::play_fault;
pub(crate) use section::Section;
pub(crate) use words::{Words, hex};

/// What is done to TCP connections, written in a small language: one step a line.
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
/// | `tls-alert NAME` | waits for a TLS record (a `ClientHello`), and answers with a fatal alert: a name of RFC 8446 §6 (`handshake_failure`, `protocol_version`, …) or a number |
/// | `answer-connect STATUS "TEXT"` | waits for a request head (of a `CONNECT`) and answers it; a refusal has the text as its body, a grant (2xx) has none |
/// | `wait 200ms` | waits; `ms`, `s`, `m` or `h`, by tokio's clock |
/// | `gate` | waits until [`FaultScript::gate`] lets one pass |
/// | `repeat N STEP`, `repeat forever STEP` | does the step that often; without a step, all steps up to the line `end` |
/// | `fin` | FIN: nothing more is sent (over TLS, no `close_notify` either); what the client still sends is read and thrown away |
/// | `rst` | RST, which may overtake bytes that were sent |
/// | `hold` | stays silent until the client hangs up |
/// | `serve` | goes on as if there were no script: the next request gets the next [`Response`](crate::Response) |
///
/// `fin`, `rst`, `hold` and `serve` end a connection's steps; without one of them they end as with `fin`. DATA is one
/// or more texts, each of them repeated where a number follows: `send "data: " "x" * 1000 "\n\n"`. Texts know the
/// escapes `\r`, `\n`, `\t`, `\0`, `\\`, `\"` and `\xHH`.
///
/// # TLS
///
/// | step | what it does |
/// | --- | --- |
/// | `tls-read-hello` | waits for a TLS record (a `ClientHello`) and throws it away; with `hold` behind it the handshake stalls |
/// | `tls-begin N …` | waits for a `ClientHello` and sends the first N bytes of what a server answers, and no more |
/// | `tls-accept …` | makes the handshake; from here on everything goes through TLS, `serve` included |
/// | `tls-close-notify` | says that nothing more comes (RFC 8446 §6.1), which `fin` and `rst` do not say |
/// | `tcp-send DATA` | sends bytes past TLS: records that cannot be read |
///
/// Where `…` stands, `alpn "h2" …` names the protocols to choose from (RFC 7301), and `certificate "CHAIN" "KEY"` the
/// files, in PEM, of what is shown; without it, the server makes a certificate for `localhost` and the loopback
/// addresses, to be trusted by `ReplayServer::root_certificate`. `tls-begin`, `tls-accept` and `tls-close-notify` need
/// the crate's feature `tls`.
///
/// # HTTP/2
///
/// ```text
/// h2-preface
/// h2-settings max_concurrent_streams=10
/// read-request
/// h2-headers 200 "content-type: text/event-stream"
/// h2-data "data: {}\n\n"
/// h2-rst-stream internal_error
/// hold
/// ```
///
/// | step | what it does |
/// | --- | --- |
/// | `h2-preface` | waits for the client's preface (RFC 9113 §3.4). From here on `read-head` and `read-request` read HTTP/2, and while the script waits for whatever it is, the client's settings and pings are acknowledged and its windows kept open |
/// | `h2-settings NAME=NUMBER …` | sends SETTINGS: names of §6.5.2, or numbers |
/// | `h2-headers STATUS "NAME: VALUE" …` | sends the head of a response; names are lower-case in HTTP/2, unless they are to be wrong |
/// | `h2-data DATA` | sends DATA, whether the client's window is open or not |
/// | `h2-trailers "NAME: VALUE" …` | sends a header block without a status, which ends the stream |
/// | `h2-rst-stream REASON` | sends `RST_STREAM`: an error code of §7 (`refused_stream`, `internal_error`, …), or a number |
/// | `h2-goaway REASON`, `h2-goaway REASON last N` | sends GOAWAY that names the highest stream of the client, or N |
/// | `h2-ping` | sends a PING |
/// | `h2-ignore-pings` | leaves the client's pings unanswered from now on |
/// | `h2-read TYPE` | waits for a frame of the client, which counts once: `h2-read rst_stream` |
/// | `h2-frame TYPE FLAGS STREAM 00ff …` | sends any frame (§4.1); TYPE is a name (`goaway`, `window_update`, …) or a number, and STREAM a number or `this` |
///
/// `h2-headers`, `h2-data`, `h2-trailers` and `h2-rst-stream` belong to the stream of the request that was read last,
/// unless `stream N` stands behind the name: `h2-data stream 3 "x"`. `end-stream` at the end of a line with headers or
/// data ends the stream. It is all the same whether the client speaks HTTP/2 over TCP ("prior knowledge") or over TLS,
/// with `tls-accept alpn "h2"` before it. `serve` is HTTP/1.1 only.
///
/// # Ends
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

    /// Whether TLS is spoken with a certificate that the server has to make.
    #[cfg(feature = "tls")]
    pub(crate) fn wants_authority(&self) -> bool {
        self.sections.iter().any(|(_, section)| section.wants_authority())
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
