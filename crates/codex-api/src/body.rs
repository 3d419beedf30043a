//! A body that is read as a whole: that of a refusal, or an answer that is one document.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_transport::{BodyLimits, Exchange};
use tokio::time::{Sleep, sleep};

/// Reads a body within limits, and no longer than it takes: a document that is whole is not waited behind.
pub(crate) struct WholeBody {
    exchange: Exchange,
    bytes: Vec<u8>,
    limits: BodyLimits,
    deadline: Option<Pin<Box<Sleep>>>,
    document: DocumentEnd,
}

/// What reading came to.
pub(crate) enum BodyStep {
    /// Bytes arrived, and more may follow.
    More,
    /// That is all, or all there will be; the error is what broke it off.
    End(Bytes, Option<http_transport::Error>),
}

impl WholeBody {
    /// Goes on behind `bytes`, which have arrived already.
    pub(crate) fn new(exchange: Exchange, bytes: &[u8], limits: BodyLimits) -> Self {
        let mut body = Self { exchange, bytes: Vec::new(), limits, deadline: None, document: DocumentEnd::default() };
        body.take_in(bytes);
        body
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<BodyStep> {
        if self.document.is_reached() || self.bytes.len() >= self.limits.bytes {
            return Poll::Ready(self.end(None));
        }
        match self.exchange.poll_data(cx) {
            Poll::Ready(Some(Ok(data))) => {
                self.take_in(&data);
                Poll::Ready(BodyStep::More)
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(self.end(Some(error))),
            Poll::Ready(None) => Poll::Ready(self.end(None)),
            Poll::Pending => {
                let time = self.limits.time;
                let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(time)));
                match deadline.as_mut().poll(cx) {
                    Poll::Ready(()) => Poll::Ready(self.end(None)),
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }

    /// Lets go of the exchange. Behind a document nothing of interest follows; behind anything else, what follows is
    /// not worth its connection.
    pub(crate) fn finish(self) {
        if self.document.is_reached() {
            self.exchange.finish();
        }
    }

    fn take_in(&mut self, data: &[u8]) {
        let room = self.limits.bytes - self.bytes.len();
        let data = &data[..data.len().min(room)];
        self.document.feed(data);
        self.bytes.extend_from_slice(data);
    }

    fn end(&mut self, error: Option<http_transport::Error>) -> BodyStep {
        BodyStep::End(std::mem::take(&mut self.bytes).into(), error)
    }
}

/// Finds the end of a JSON object or list, byte by byte, without judging what is in it.
#[derive(Clone, Copy, Debug, Default)]
struct DocumentEnd {
    state: State,
    depth: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Before,
    /// It begins with something else, and has no end that could be seen.
    NoDocument,
    Inside,
    InString,
    Escaped,
    Reached,
}

impl DocumentEnd {
    fn is_reached(self) -> bool {
        self.state == State::Reached
    }

    fn feed(&mut self, data: &[u8]) {
        for &byte in data {
            self.state = match (self.state, byte) {
                (State::Before, b' ' | b'\t' | b'\r' | b'\n') => State::Before,
                (State::Before | State::Inside, b'{' | b'[') => {
                    self.depth += 1;
                    State::Inside
                }
                (State::Before, _) => State::NoDocument,
                (State::Inside, b'}' | b']') => {
                    self.depth -= 1;
                    if self.depth == 0 { State::Reached } else { State::Inside }
                }
                (State::Inside, b'"') | (State::Escaped, _) => State::InString,
                (State::InString, b'"') => State::Inside,
                (State::InString, b'\\') => State::Escaped,
                (state, _) => state,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, end: Option<usize>) {
        let mut document = DocumentEnd::default();
        let reached = text.bytes().position(|byte| {
            document.feed(&[byte]);
            document.is_reached()
        });
        assert_eq!(reached.map(|at| at + 1), end, "{text}");
    }

    #[test]
    fn the_end_of_a_document_is_its_last_bracket() {
        check(r#"{"a":1}"#, Some(7));
        check(" \n[1,[2],{}] ", Some(12));
        check(r#"{"a":"}\"}\\"}x"#, Some(14));
        check(r#"{"a":{"b":[]"#, None);
        check("<html>{}", None);
        check("", None);
    }
}
