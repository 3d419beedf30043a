//! One request on a shared connection: a stream of it, driven by whoever polls it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::header::CONTENT_LENGTH;
use http::{Request, Response, StatusCode};
use std::future::Future;

use crate::error::{Error, ErrorKind};
use crate::http1::INTERIM_LIMIT;
use crate::phase::Phase;
use crate::target::Endpoint;

use super::connection::Slot;
use super::failure::{self, Circumstances};
use super::message;

/// Headers of one head, as many as over HTTP/1.1.
const HEADER_COUNT: usize = 100;
/// Bytes of a request body that are handed over at a time.
const PIECE: usize = 16 * 1024;

/// A stream. Dropping it before its end resets it (CANCEL).
pub(crate) struct Http2 {
    state: State,
    upload: Option<SendStream<Bytes>>,
    /// What the connection has yet to take of the request's body.
    unsent: Bytes,
    handed: u64,
    interim: usize,
    /// Bytes of the body that its length announces and that have not come.
    missing: Option<u64>,
    /// Bytes of the connection when the request came to it.
    read_before: u64,
    written_before: u64,
    // Last, so that the stream has ended when its place is free.
    slot: Slot,
}

enum State {
    /// The connection took no stream.
    Refused(h2::Error),
    Waiting(ResponseFuture),
    Body(RecvStream),
    Ended,
}

impl Http2 {
    pub(super) fn start(
        sender: &mut SendRequest<Bytes>,
        slot: Slot,
        endpoint: &Endpoint,
        request: Request<Bytes>,
    ) -> Result<Self, Error> {
        let (head, unsent) = message::split(endpoint, request)?;
        let (read_before, written_before) = (slot.progress().read(), slot.progress().written());
        let (state, upload) = match sender.send_request(head, unsent.is_empty()) {
            Ok((response, upload)) => (State::Waiting(response), Some(upload).filter(|_| !unsent.is_empty())),
            Err(cause) => (State::Refused(cause), None),
        };
        Ok(Self { state, upload, unsent, handed: 0, interim: 0, missing: None, read_before, written_before, slot })
    }

    pub(crate) fn poll_response(
        &mut self,
        cx: &mut Context<'_>,
        endpoint: &Endpoint,
        phase: Phase,
    ) -> Poll<Result<Response<()>, Error>> {
        let response = ready!(self.poll_head(cx));
        let response = match response {
            Ok(response) => response,
            Err(cause) => return Poll::Ready(Err(failure::head(endpoint, phase, &self.circumstances(), cause))),
        };
        if response.headers().len() > HEADER_COUNT {
            let message = format!("the response head of {endpoint} has more than {HEADER_COUNT} headers");
            return Poll::Ready(Err(Error::new(ErrorKind::TooLarge, phase, message)));
        }
        if response.status() == StatusCode::MISDIRECTED_REQUEST {
            // RFC 9110, section 15.5.20: another try needs another connection.
            self.retire();
        }
        let (parts, body) = response.into_parts();
        self.missing = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        self.state = State::Body(body);
        Poll::Ready(Ok(Response::from_parts(parts, ())))
    }

    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<Response<RecvStream>, h2::Error>> {
        self.upload(cx);
        match &mut self.state {
            State::Waiting(response) => {
                while self.interim <= INTERIM_LIMIT {
                    match response.poll_informational(cx) {
                        Poll::Ready(Some(Ok(_))) => self.interim += 1,
                        // The response itself tells the error.
                        Poll::Ready(Some(Err(_)) | None) | Poll::Pending => break,
                    }
                }
                Pin::new(response).poll(cx)
            }
            State::Refused(_) => match std::mem::replace(&mut self.state, State::Ended) {
                State::Refused(cause) => Poll::Ready(Err(cause)),
                _ => Poll::Pending,
            },
            // Not polled again after its end.
            State::Body(_) | State::Ended => Poll::Pending,
        }
    }

    /// The next bytes of the body, or `None` at its clean end. Trailers are passed over.
    pub(crate) fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
        endpoint: &Endpoint,
    ) -> Poll<Option<Result<Bytes, Error>>> {
        self.upload(cx);
        let State::Body(body) = &mut self.state else {
            return Poll::Ready(None);
        };
        loop {
            let failed = match ready!(body.poll_data(cx)) {
                Some(Ok(data)) => {
                    // Whoever takes the bytes makes room for as many; an error would mean that the stream has ended.
                    let _ = body.flow_control().release_capacity(data.len());
                    self.missing = self.missing.map(|missing| missing.saturating_sub(data.len() as u64));
                    if data.is_empty() {
                        continue;
                    }
                    return Poll::Ready(Some(Ok(data)));
                }
                Some(Err(cause)) => Some(cause),
                None => ready!(body.poll_trailers(cx)).err(),
            };
            let error = failed.map(|cause| failure::body(endpoint, &self.circumstances(), cause));
            match &error {
                Some(error) => self.distrust(error),
                None => self.slot.note_done(),
            }
            return Poll::Ready(error.map(Err));
        }
    }

    /// Hands over as much of the request's body as the connection takes.
    fn upload(&mut self, cx: &mut Context<'_>) {
        let Some(stream) = &mut self.upload else { return };
        while !self.unsent.is_empty() {
            stream.reserve_capacity(self.unsent.len().min(PIECE));
            if stream.capacity() == 0 {
                match stream.poll_capacity(cx) {
                    Poll::Ready(Some(Ok(_))) => continue,
                    Poll::Pending => return,
                    // The response tells why.
                    Poll::Ready(Some(Err(_)) | None) => break,
                }
            }
            let piece = self.unsent.split_to(self.unsent.len().min(stream.capacity()).min(PIECE));
            self.handed += piece.len() as u64;
            if stream.send_data(piece, self.unsent.is_empty()).is_err() {
                break;
            }
        }
        self.upload = None;
    }

    pub(crate) fn written(&self) -> u64 {
        self.handed
    }

    pub(crate) fn is_sent(&self) -> bool {
        self.unsent.is_empty()
    }

    pub(crate) fn is_interim_flood(&self) -> bool {
        self.interim > INTERIM_LIMIT
    }

    /// See [`Call::is_unseen`](crate::call::Call::is_unseen).
    pub(crate) fn is_unseen(&self, error: &Error) -> bool {
        match error.kind() {
            ErrorKind::NotSent => true,
            // The connection had come to its end, and nobody had noticed.
            ErrorKind::Unanswered => self.slot.is_reused() && self.circumstances().read == 0,
            _ => false,
        }
    }

    /// Whatever went wrong may go wrong for others. Only a server that asks for patience is left as it is.
    pub(crate) fn distrust(&self, error: &Error) {
        if error.kind() != ErrorKind::Overloaded {
            self.retire();
        }
    }

    pub(crate) fn retire(&self) {
        self.slot.retire();
    }

    fn circumstances(&self) -> Circumstances {
        let progress = self.slot.progress();
        Circumstances {
            is_unresponsive: self.slot.is_unresponsive(),
            leave: self.slot.leave(),
            is_shared: self.slot.is_shared(),
            written: progress.written() - self.written_before,
            read: progress.read() - self.read_before,
            is_short: self.missing.is_some_and(|missing| missing > 0),
        }
    }
}
