//! The client of an HTTP/2 connection, as far as the server has to know it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use bytes::{Buf, Bytes, BytesMut};

use super::frame::{self, Frame};
use super::names::{COMPRESSION_ERROR, ENHANCE_YOUR_CALM, PROTOCOL_ERROR};
use super::statement::Outgoing;
use crate::head::{MAX_BODY, MAX_HEAD};
use crate::request::RecordedRequest;

/// What every client says first (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What the client said that has no answer but a GOAWAY with this reason (RFC 9113 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken(u32);

/// Reads the client's frames, answers those that want an answer, and puts its requests together.
pub(crate) struct Peer {
    decoder: loona_hpack::Decoder<'static>,
    connection: usize,
    /// Requests that nobody has asked for yet, in the order in which they began.
    waiting: VecDeque<(u32, Request)>,
    /// A header block whose end has not come, and whether it ends its stream.
    block: BytesMut,
    block_ends: bool,
    /// How many frames of a type came that nobody has asked for yet.
    seen: BTreeMap<u8, u64>,
    /// The stream of the request that was taken last.
    this: u32,
    /// The highest stream that the client has opened.
    last: u32,
    pings: Pings,
    /// What is to be sent without the script.
    pub(crate) output: BytesMut,
}

struct Request {
    headers: Vec<(String, String)>,
    body: BytesMut,
    state: State,
}

/// How much of a request is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    Nothing,
    Head,
    Whole,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pings {
    Answered,
    Ignored,
}

impl Peer {
    pub(crate) fn new(connection: usize) -> Self {
        Self {
            decoder: loona_hpack::Decoder::new(),
            connection,
            waiting: VecDeque::new(),
            block: BytesMut::new(),
            block_ends: false,
            seen: BTreeMap::new(),
            this: 0,
            last: 0,
            pings: Pings::Answered,
            output: BytesMut::new(),
        }
    }

    /// Takes the preface; whether it was there already.
    pub(crate) fn take_preface(input: &mut BytesMut) -> Result<bool, Broken> {
        let length = input.len().min(PREFACE.len());
        if input[..length] != PREFACE[..length] {
            return Err(Broken(PROTOCOL_ERROR));
        }
        let whole = length == PREFACE.len();
        if whole {
            input.advance(length);
        }
        Ok(whole)
    }

    pub(crate) fn ignore_pings(&mut self) {
        self.pings = Pings::Ignored;
    }

    /// The next request of which so much is there; its stream is `this` one from now on.
    pub(crate) fn take_request(&mut self, wanted: State) -> Option<RecordedRequest> {
        if self.waiting.front().is_none_or(|(_, request)| request.state < wanted) {
            return None;
        }
        let (stream, request) = self.waiting.pop_front()?;
        self.this = stream;
        Some(request.record(self.connection))
    }

    /// Whether a frame of this type has come, which counts once.
    pub(crate) fn take_seen(&mut self, frame_type: u8) -> bool {
        let seen = self.seen.entry(frame_type).or_default();
        let any = *seen > 0;
        *seen -= u64::from(any);
        any
    }

    /// The bytes of a frame of the script.
    pub(crate) fn encode(&self, frame: &Outgoing) -> Bytes {
        frame.encode(self.this, self.last)
    }

    /// The last words to a client that cannot be understood.
    pub(crate) fn farewell(&self, broken: Broken) -> Bytes {
        frame::goaway(self.last, broken.0).into()
    }

    /// Takes the frames that are whole.
    pub(crate) fn handle_input(&mut self, input: &mut BytesMut) -> Result<(), Broken> {
        while let Some(frame) = Frame::take(input) {
            *self.seen.entry(frame.kind).or_default() += 1;
            self.handle_frame(frame)?;
        }
        Ok(())
    }

    fn handle_frame(&mut self, frame: Frame) -> Result<(), Broken> {
        match frame.kind {
            frame::SETTINGS if !frame.has(frame::ACK) => self.answer(frame::SETTINGS, &[]),
            frame::PING if !frame.has(frame::ACK) && self.pings == Pings::Answered => {
                self.answer(frame::PING, &frame.payload);
            }
            frame::HEADERS => {
                let (stream, whole) = (frame.stream, frame.has(frame::END_HEADERS));
                self.block_ends = frame.has(frame::END_STREAM);
                if stream > self.last {
                    self.last = stream;
                    let request = Request { headers: Vec::new(), body: BytesMut::new(), state: State::Nothing };
                    self.waiting.push_back((stream, request));
                }
                self.block = frame.content();
                if whole {
                    return self.handle_block(stream);
                }
            }
            frame::CONTINUATION => {
                if self.block.len() + frame.payload.len() > MAX_HEAD {
                    return Err(Broken(ENHANCE_YOUR_CALM));
                }
                self.block.extend_from_slice(&frame.payload);
                if frame.has(frame::END_HEADERS) {
                    return self.handle_block(frame.stream);
                }
            }
            frame::DATA => return self.handle_data(frame),
            frame::RST_STREAM => self.waiting.retain(|(stream, _)| *stream != frame.stream),
            _ => {}
        }
        Ok(())
    }

    fn answer(&mut self, frame_type: u8, payload: &[u8]) {
        self.output.extend_from_slice(&frame::encode(frame_type, frame::ACK, 0, payload));
    }

    fn handle_block(&mut self, stream: u32) -> Result<(), Broken> {
        // Of every block, so that the table keeps in step (RFC 7541 §2.2).
        let fields = self.decoder.decode(&std::mem::take(&mut self.block));
        let fields = fields.map_err(|_| Broken(COMPRESSION_ERROR))?;
        let ends = self.block_ends;
        if let Some(request) = self.request(stream) {
            if request.state == State::Nothing {
                let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
                request.headers.extend(fields.into_iter().map(|(name, value)| (text(name), text(value))));
                request.state = State::Head;
            }
            if ends {
                request.state = State::Whole;
            }
        }
        Ok(())
    }

    fn handle_data(&mut self, frame: Frame) -> Result<(), Broken> {
        let (stream, ends) = (frame.stream, frame.has(frame::END_STREAM));
        // The window is as wide as the client likes, padding included (§6.9.1).
        let length = u32::try_from(frame.payload.len()).unwrap_or_default();
        if length > 0 {
            for stream in [0, stream] {
                let update = frame::encode(frame::WINDOW_UPDATE, 0, stream, &length.to_be_bytes());
                self.output.extend_from_slice(&update);
            }
        }
        let content = frame.content();
        if let Some(request) = self.request(stream) {
            if request.body.len() + content.len() > MAX_BODY {
                return Err(Broken(ENHANCE_YOUR_CALM));
            }
            request.body.extend_from_slice(&content);
            if ends {
                request.state = State::Whole;
            }
        }
        Ok(())
    }

    fn request(&mut self, wanted: u32) -> Option<&mut Request> {
        self.waiting.iter_mut().find(|(stream, _)| *stream == wanted).map(|(_, request)| request)
    }
}

impl Request {
    fn record(mut self, connection: usize) -> RecordedRequest {
        let mut pseudo = |name: &str| {
            let at = self.headers.iter().position(|(known, _)| known == name)?;
            Some(self.headers.remove(at).1)
        };
        let (method, path) = (pseudo(":method").unwrap_or_default(), pseudo(":path").unwrap_or_default());
        RecordedRequest { connection, method, path, headers: self.headers, body: self.body.freeze() }
    }
}

/// Leaves out what the client sent.
impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("connection", &self.connection).field("this", &self.this).finish_non_exhaustive()
    }
}
