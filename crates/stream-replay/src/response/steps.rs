//! From the description of an answer to the steps that play it.

use std::iter;
use std::time::Duration;

use bytes::Bytes;

use super::answer_head::AnswerHead;
use super::{Framing, Hold, Opening, Piece, Response};
use crate::chunked::{self, LAST_CHUNK};
use crate::cut::Cut;
use crate::head::Persistence;
use crate::script::{End, Step};

/// What goes round the bytes of the body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrapping {
    Length,
    Chunked,
    /// The caller's own header says, or the status has no body.
    AsIs,
}

impl Response {
    /// The steps of this answer, made as they are asked for: a body in chunks of one byte costs no
    /// more memory than a whole one.
    pub(crate) fn steps(&self, asked: Persistence) -> impl Iterator<Item = Step> + Send + '_ {
        let wrapping = self.wrapping();
        let answers = self.opening == Opening::Answer;
        let head = iter::once(Step::Send(self.head(wrapping, asked)));
        let head = pause(self.head_pause).into_iter().chain(head).filter(move |_| answers);
        let frames = self.frames(wrapping).enumerate().flat_map(move |(index, (recorded, frame))| {
            let paced = self.pace.before(index).map(Step::Pause);
            let pass = self.chunk_gate.clone().map(Step::Pass);
            [pause(recorded), paced, pass, Some(Step::Send(frame))].into_iter().flatten()
        });
        let frames = frames.filter(move |_| answers);
        let hold = match &self.hold {
            Hold::No => None,
            Hold::For(hold) => Some(Step::Pause(*hold)),
            Hold::Until(gate) => Some(Step::Pass(gate.clone())),
        };
        let last_chunk = (wrapping == Wrapping::Chunked && self.cut == Cut::Finish).then_some(Step::Send(LAST_CHUNK));
        let end = match self.cut {
            Cut::Finish if asked == Persistence::Close || self.says_close() => End::Close,
            Cut::Finish => End::KeepAlive,
            Cut::Close => End::Close,
            Cut::Reset => End::Reset,
        };
        let head_gate = self.head_gate.clone().map(Step::Pass);
        head_gate.into_iter().chain(head).chain(frames).chain(hold).chain(last_chunk).chain([Step::End(end)])
    }

    fn head(&self, wrapping: Wrapping, asked: Persistence) -> Bytes {
        let mut head = AnswerHead::new(self.status);
        for (name, value) in &self.headers {
            head.line(name, value);
        }
        if let Some(content_type) = self.default_content_type.filter(|_| !self.has("content-type")) {
            head.line("content-type", content_type.as_bytes());
        }
        match wrapping {
            Wrapping::Length => {
                head.line("content-length", self.body_length().to_string().as_bytes());
            }
            Wrapping::Chunked => head.line("transfer-encoding", b"chunked"),
            Wrapping::AsIs => {}
        }
        if asked == Persistence::Close && !self.has("connection") {
            head.line("connection", b"close");
        }
        head.end()
    }

    fn wrapping(&self) -> Wrapping {
        let own = self.has("content-length") || self.has("transfer-encoding");
        match self.framing {
            _ if own || matches!(self.status, 100..=199 | 204 | 304) => Wrapping::AsIs,
            Framing::Length => Wrapping::Length,
            Framing::Chunked => Wrapping::Chunked,
        }
    }

    /// The body as it goes out, chunk by chunk, up to the cut.
    fn frames(&self, wrapping: Wrapping) -> impl Iterator<Item = (Duration, Bytes)> + Send + '_ {
        let mut left = self.cut_at;
        self.pieces().map_while(move |(pause, piece)| {
            if left == 0 {
                return None;
            }
            let sent = piece.len().min(left);
            left -= sent;
            let frame = match (wrapping, self.cut) {
                (Wrapping::Chunked, Cut::Finish) => chunked::chunk(&piece[..sent], sent),
                (Wrapping::Chunked, Cut::Close | Cut::Reset) => chunked::chunk(&piece, sent),
                (Wrapping::Length | Wrapping::AsIs, _) => piece.slice(..sent),
            };
            Some((pause, frame))
        })
    }

    /// The body in the pieces that the caller asked for; none of them is empty.
    fn pieces(&self) -> impl Iterator<Item = (Duration, Bytes)> + Send + '_ {
        self.body.iter().flat_map(|Piece { pause, bytes }| {
            let starts = (0..bytes.len()).step_by(self.max_chunk);
            starts.map(|start| {
                let end = start.saturating_add(self.max_chunk).min(bytes.len());
                (if start == 0 { *pause } else { Duration::ZERO }, bytes.slice(start..end))
            })
        })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    fn says_close(&self) -> bool {
        self.headers
            .iter()
            .any(|(name, value)| name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case(b"close"))
    }
}

fn pause(pause: Duration) -> Option<Step> {
    (!pause.is_zero()).then_some(Step::Pause(pause))
}
