//! Recorded exchanges on disk.

use std::path::Path;
use std::{fmt, fs, io};

use bytes::Bytes;

mod content;
mod data;
mod error;
mod exchange;
mod frame;
mod offset;
mod read;
mod source;
mod write;

pub use content::Content;
pub use error::CassetteError;
pub use exchange::{Course, RecordedChunk, RecordedEnd, RecordedExchange, RecordedResponse};
pub use frame::{FrameKind, Peer, RecordedFrame};

/// The words that the first line of every cassette begins with; the version follows.
const MAGIC: &str = "codex-cassette";
/// The version that is written, and the only one that is read.
const VERSION: u32 = 1;

/// A recording: one exchange or several, in the order in which they began.
///
/// # The format
///
/// A text file with one statement a line, made to be read, compared and edited by people:
///
/// ```text
/// codex-cassette 1
///
/// request +0s POST "/v1/responses"
/// header content-type "application/json"
/// header authorization "[redacted]"
/// body withheld 512 bytes sha256 471be6558b665e4f6dd49f1184814d1491b0315d466beea768c153cc5500c836
/// response +0.214s 200
/// header content-type "text/event-stream"
/// chunk +0.215s
///   | event: response.created
///   | data: {"type":"response.created"}
///   |
/// chunk +0.301s
///   : data: {"type":"respo
/// end +0.302s fin
/// ```
///
/// | statement | what it says |
/// | --- | --- |
/// | `codex-cassette 1` | the first line: what the file is, and the version of the format |
/// | `request +TIME METHOD "TARGET"` | begins an exchange; its time counts from the beginning of the recording, all others of the exchange from here |
/// | `header NAME "VALUE"` | a header of the request, or of the response below one; in the order of the wire |
/// | `body`, `body withheld N bytes sha256 DIGEST` | the request's body, with its data below, or what is known of it; without the statement it is empty |
/// | `response +TIME STATUS` | the head of the response came; nothing at all came where there is none |
/// | `response +TIME 101 websocket` | the same, and a WebSocket follows |
/// | `chunk +TIME` | a piece of the response's body, with its data below |
/// | `server +TIME KIND`, `client +TIME KIND` | a message or control frame of a WebSocket: `text`, `binary`, `ping`, `pong`, `close`, `close CODE` (its data is the reason); `withheld N bytes sha256 DIGEST` may follow |
/// | `end +TIME HOW` | ends the exchange: `finish`, `fin`, `rst`, `open`, `hang-up` or `failed "WHY"` ([`RecordedEnd`]) |
///
/// TIME is in seconds, as in `+1.25s`. Data stands on lines of its own, as many as it takes: `| TEXT` is a line with
/// its line feed, `: TEXT` one without; `"TEXT"` knows the escapes `\r`, `\n`, `\t`, `\0`, `\\`, `\"` and `\xHH` and
/// adds nothing; `hex 00ff …` is bytes. Lines are indented for the eye only. Empty lines, and lines that begin with
/// `#`, are passed over; a carriage return at the end of a line is no part of it.
///
/// What is written is one of many forms that would be read the same, and always the same one for equal cassettes: data
/// is text line by line where it can be, and hexadecimal where more than a quarter of it would have to be escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cassette {
    exchanges: Vec<RecordedExchange>,
}

impl Cassette {
    /// A cassette without exchanges.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether these are the first bytes of a cassette of any version, as opposed to those of a plain event stream. 16
    /// bytes are enough to tell.
    pub fn is_cassette(head: &[u8]) -> bool {
        let head = head.strip_prefix(source::BYTE_ORDER_MARK).unwrap_or(head);
        let rest = head.strip_prefix(MAGIC.as_bytes());
        rest.is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))
    }

    /// Reads a cassette. Errors with [`CassetteError::Syntax`], which says where and what was expected there.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, CassetteError> {
        read::cassette(text.as_ref()).map_err(|wrong| wrong.in_file(None))
    }

    /// Reads the cassette in a file. Errors name the file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, CassetteError> {
        let path = path.as_ref();
        let text = fs::read(path).map_err(|source| CassetteError::Read { path: path.to_path_buf(), source })?;
        read::cassette(&text).map_err(|wrong| wrong.in_file(Some(path)))
    }

    /// Adds an exchange behind the others.
    pub fn push(&mut self, exchange: RecordedExchange) {
        self.exchanges.push(exchange);
    }

    /// The exchanges, in order.
    pub fn exchanges(&self) -> &[RecordedExchange] {
        &self.exchanges
    }

    /// Writes the file's text. Errors only when `out` does.
    pub fn write_to(&self, mut out: impl io::Write) -> io::Result<()> {
        write!(out, "{self}")
    }

    /// Writes the file so that nobody ever sees half of it: beside its place, under its name with `.part` behind it,
    /// and then renamed. What cannot be written whole is removed again; the error is that of the file system.
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref();
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".part");
        let saved = fs::write(&unfinished, self.to_string()).and_then(|()| fs::rename(&unfinished, path));
        if saved.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        saved
    }
}

impl FromIterator<RecordedExchange> for Cassette {
    fn from_iter<I: IntoIterator<Item = RecordedExchange>>(exchanges: I) -> Self {
        Self { exchanges: exchanges.into_iter().collect() }
    }
}

/// The file's text.
impl fmt::Display for Cassette {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write::cassette(self, f)
    }
}

/// The bytes of a plain `.sse` file, as they are.
pub(crate) fn read_sse(path: &Path) -> Result<Bytes, CassetteError> {
    match fs::read(path) {
        Ok(bytes) => Ok(bytes.into()),
        Err(source) => Err(CassetteError::Read { path: path.to_path_buf(), source }),
    }
}
