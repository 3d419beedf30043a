//! A scripted answer, as a caller describes it.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;

use crate::cassette::{self, Cassette, CassetteError, RecordedExchange};
use crate::cut::Cut;
use crate::fault::FaultScript;
use crate::gate::Gate;
use crate::pace::Pace;
use crate::redact;
use crate::speed::Speed;
use crate::websocket::WebSocketScript;

mod answer_head;
mod fault;
mod recorded;
mod steps;
mod upgrade;

pub(crate) use answer_head::AnswerHead;
use fault::Fault;
pub(crate) use upgrade::Answer;
use upgrade::Upgrade;

/// A scripted answer.
///
/// The head is followed by the body, in the chunks that were asked for, each written and flushed on
/// its own (so the borders are those of the chunked coding; how many of them a client reads at once
/// is up to TCP). Then the connection is held, where asked for, and then comes the [`Cut`].
///
/// The body is sent with a `content-length`, and with the chunked coding as soon as its course
/// matters: after [`sse`](Self::sse) and after each of the methods that shape it (chunks, gate,
/// pace, hold, cut). With a `content-length` or `transfer-encoding` header of your own no framing
/// is added: the body's bytes go out as they are, right or wrong.
#[derive(Clone)]
pub struct Response {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    /// Yields to a header of the same name.
    default_content_type: Option<&'static str>,
    body: Vec<Piece>,
    /// Whether anything at all is answered, before the hold and the cut.
    opening: Opening,
    /// Before the head.
    head_pause: Duration,
    /// Pieces of the body are split to at most this many bytes.
    max_chunk: usize,
    framing: Framing,
    head_gate: Option<Gate>,
    chunk_gate: Option<Gate>,
    pace: Pace,
    hold: Hold,
    cut: Cut,
    /// The offset in the body at which it stops.
    cut_at: usize,
    upgrade: Upgrade,
    fault: Option<Fault>,
}

/// A part of the body, and how long to wait before it.
#[derive(Debug, Clone)]
struct Piece {
    pause: Duration,
    bytes: Bytes,
}

impl From<Bytes> for Piece {
    fn from(bytes: Bytes) -> Self {
        Self { pause: Duration::ZERO, bytes }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opening {
    /// Head and body.
    Answer,
    Silence,
}

/// How the client is told where the body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length,
    Chunked,
}

#[derive(Debug, Clone)]
enum Hold {
    No,
    For(Duration),
    Until(Gate),
}

impl Response {
    /// An answer without headers and body. The status is written as it is, three digits or not;
    /// 1xx, 204 and 304 are sent without framing headers, as they have no body (RFC 9112 §6.3).
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            default_content_type: None,
            body: Vec::new(),
            opening: Opening::Answer,
            head_pause: Duration::ZERO,
            max_chunk: usize::MAX,
            framing: Framing::Length,
            head_gate: None,
            chunk_gate: None,
            pace: Pace::Max,
            hold: Hold::No,
            cut: Cut::Finish,
            cut_at: usize::MAX,
            upgrade: Upgrade::No,
            fault: None,
        }
    }

    /// A `200 text/event-stream` with the chunked coding; the body is one chunk unless split.
    ///
    /// A WebSocket handshake that meets this response is granted: each message of the client is
    /// answered with the data of every event of the body, as by
    /// [`Exchange::sse`](crate::Exchange::sse), so that one recording serves both transports. Own
    /// headers go to the 101. [`gate`](Self::gate) and [`pace`](Self::pace) are for messages
    /// instead of chunks; an event that [`cut_at`](Self::cut_at) cuts is not sent. A cut by
    /// [`Cut::Close`] or [`Cut::Reset`] comes after the hold, behind the first answer; without one
    /// the WebSocket stays open, whatever the hold.
    pub fn sse(body: impl Into<Bytes>) -> Self {
        let response = Self { default_content_type: Some("text/event-stream"), ..Self::new(200) };
        Self { upgrade: Upgrade::Body, ..response }.body(body).chunked()
    }

    /// Grants a WebSocket handshake (101, RFC 6455 §4.2.2) and plays the script. Any other request
    /// is told so by a 426 with a text, and the connection can be used again.
    ///
    /// Own headers are added to the 101 and replace those of the handshake, right or wrong. Of the
    /// other methods only [`gate_head`](Self::gate_head) matters here. Extensions and subprotocols
    /// are not taken.
    pub fn websocket(script: WebSocketScript) -> Self {
        Self { upgrade: Upgrade::Script(script), ..Self::new(101) }
    }

    /// Plays a script instead of an answer, behind the request, which was read and recorded. A `connection N:` of the
    /// script is here the N-th request that gets this response (or a clone of it); `serve` ends the script and goes on
    /// with the next request on the connection.
    ///
    /// Nothing else matters here: no header, body, hold or cut.
    pub fn fault(script: FaultScript) -> Self {
        Self { fault: Some(Fault::new(script)), ..Self::new(200) }
    }

    /// The script that is played in its place.
    #[cfg(feature = "tls")]
    pub(crate) fn script(&self) -> Option<&FaultScript> {
        self.fault.as_ref().map(Fault::script)
    }

    /// [`sse`](Self::sse) with the bytes of a file, read at once. Fails when the file cannot be
    /// read; the error names the path.
    pub fn sse_file(path: impl AsRef<Path>) -> Result<Self, CassetteError> {
        cassette::read_sse(path.as_ref()).map(Self::sse)
    }

    /// Plays a recorded exchange: the same head, the chunks with the borders that they had, and the same end; a
    /// WebSocket answers message N with what came after the N-th message of the recording. The request does not matter.
    ///
    /// With [`Speed::Recorded`] everything waits, by tokio's clock, for as long as it took. The length of a body is
    /// told as it was told then, by a `content-length` or by chunks. After
    /// [`RecordedEnd::Open`](crate::RecordedEnd::Open) and [`RecordedEnd::HangUp`](crate::RecordedEnd::HangUp) the
    /// connection stays open until the client leaves; after [`RecordedEnd::Failed`](crate::RecordedEnd::Failed) the
    /// answer is a 502 with the reason, as it was then. A recorded event stream serves WebSocket handshakes as
    /// [`sse`](Self::sse) does, at full speed.
    pub fn recorded(exchange: &RecordedExchange, speed: Speed) -> Self {
        recorded::response(exchange, speed)
    }

    /// The answers of a whole recording, one for each exchange, in order ([`recorded`](Self::recorded)).
    pub fn all_recorded(cassette: &Cassette, speed: Speed) -> impl Iterator<Item = Self> {
        cassette.exchanges().iter().map(move |exchange| Self::recorded(exchange, speed))
    }

    /// An `application/json` answer.
    pub fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self { default_content_type: Some("application/json"), ..Self::new(status) }.body(body)
    }

    /// An answer in words, for whoever configured the server or spoke to it wrongly.
    pub(crate) fn text(status: u16, text: impl Into<Bytes>) -> Self {
        Self { default_content_type: Some("text/plain; charset=utf-8"), ..Self::new(status) }.body(text)
    }

    /// Adds a header, written as it is; names may repeat. It replaces the `content-type` and the
    /// framing that the server would have added. With `connection: close` the server closes the
    /// connection after the answer.
    pub fn header(mut self, name: impl Into<String>, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.into(), value.as_ref().to_vec()));
        self
    }

    /// Sets the body, replacing what was there.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = vec![body.into().into()];
        self
    }

    /// Splits the body into chunks of `n` bytes (the last one may be shorter). 0 does not split.
    /// Chunks that [`chunks`](Self::chunks) has set before are split one by one.
    pub fn chunk_bytes(mut self, n: usize) -> Self {
        self.max_chunk = if n == 0 { usize::MAX } else { n };
        self.chunked()
    }

    /// Sets the body by its exact chunks, replacing body and [`chunk_bytes`](Self::chunk_bytes).
    /// Empty ones are left out: on the wire they would be the end.
    pub fn chunks(mut self, chunks: impl IntoIterator<Item = Bytes>) -> Self {
        self.body = chunks.into_iter().map(Piece::from).collect();
        self.max_chunk = usize::MAX;
        self.chunked()
    }

    /// Keeps the connection, and so the body, open for this long after the last byte of the body;
    /// then comes the [`Cut`]. Replaces [`hold_until`](Self::hold_until).
    pub fn hold_open(mut self, hold: Duration) -> Self {
        self.hold = Hold::For(hold);
        self.chunked()
    }

    /// As [`hold_open`](Self::hold_open), until the gate lets one pass. With a gate that is never
    /// released the connection stays open until the client or the server goes away.
    pub fn hold_until(mut self, gate: Gate) -> Self {
        self.hold = Hold::Until(gate);
        self.chunked()
    }

    /// Every chunk of the body waits at this gate, and uses up one release. The head does not wait,
    /// nor does the end of the body.
    pub fn gate(mut self, gate: Gate) -> Self {
        self.chunk_gate = Some(gate);
        self.chunked()
    }

    /// The head waits at this gate: the request is read, and the server stays silent.
    pub fn gate_head(mut self, gate: Gate) -> Self {
        self.head_gate = Some(gate);
        self
    }

    /// Ends the answer like this, after all bytes of the body (and the hold).
    pub fn cut(self, cut: Cut) -> Self {
        self.cut_at(usize::MAX, cut)
    }

    /// Ends the answer after the first `offset` bytes of the body (and the hold). With
    /// [`Cut::Close`] and [`Cut::Reset`] a chunk can be cut in its middle, after a size line that
    /// announced all of it; with [`Cut::Finish`] the shortened body ends properly.
    pub fn cut_at(mut self, offset: usize, cut: Cut) -> Self {
        self.cut = cut;
        self.cut_at = offset;
        self.chunked()
    }

    /// Pauses between chunks.
    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self.chunked()
    }

    fn body_length(&self) -> usize {
        self.body.iter().map(|piece| piece.bytes.len()).sum()
    }

    fn chunked(mut self) -> Self {
        self.framing = Framing::Chunked;
        self
    }
}

/// Leaves out the body (its length is shown) and header values that can be secret.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &redact::Headers(&self.headers))
            .field("body_bytes", &self.body_length())
            .field("cut", &self.cut)
            .field("upgrade", &self.upgrade)
            .field("fault", &self.fault)
            .finish_non_exhaustive()
    }
}
