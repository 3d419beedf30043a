//! The layer over the body of an exchange.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::chain;
use super::decoder::Decoder;
use super::limits::DecodeLimits;
use super::name::Coding;
use crate::classify;
use crate::error::Error;
use crate::head::Head;
use crate::target::Endpoint;
use crate::upgrade::Switch;

/// What a transport does about content codings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decoding {
    /// Asks for the codings that are built in ([`Coding::ASKED_FOR`]), where the request has no `accept-encoding` and
    /// no `range` of its own, and decodes whatever comes in a built-in coding, asked for or not. Without any of the
    /// features nothing is asked for and nothing decoded.
    #[default]
    Automatic,
    /// Bodies are handed out as they are, and no header is added.
    Raw,
}

impl Decoding {
    /// Adds `accept-encoding`, if it is ours to choose.
    pub(crate) fn ask(self, headers: &mut HeaderMap) {
        let is_chosen = headers.contains_key(header::ACCEPT_ENCODING)
            // A part of a compressed body cannot be decoded (RFC 9110, section 14.1.1).
            || headers.contains_key(header::RANGE)
            // An upgraded connection has no body.
            || Switch::asked_by(headers) != Switch::Excluded;
        if self == Self::Raw || is_chosen || Coding::ASKED_FOR.is_empty() {
            return;
        }
        let names: Vec<_> = Coding::ASKED_FOR.iter().map(|coding| coding.as_str()).collect();
        if let Ok(value) = HeaderValue::try_from(names.join(", ")) {
            headers.insert(header::ACCEPT_ENCODING, value);
        }
    }
}

/// A body that is decoded as it is read.
pub(crate) struct CodedBody {
    endpoint: Arc<Endpoint>,
    decoder: Decoder,
    input: Bytes,
    received: u64,
}

impl CodedBody {
    /// What is to be done about the body behind `head`, if anything; the head then tells no more of the codings and of
    /// the length that the body had with them.
    pub(crate) fn behind(
        head: &mut Head,
        endpoint: &Arc<Endpoint>,
        decoding: Decoding,
        limits: DecodeLimits,
    ) -> Option<Self> {
        // The other statuses without a body need no care: none is decoded to none.
        let is_part = head.status == StatusCode::PARTIAL_CONTENT || head.status == StatusCode::SWITCHING_PROTOCOLS;
        if decoding == Decoding::Raw || is_part {
            return None;
        }
        let codings = chain::named_in(&head.headers).filter(|codings| !codings.is_empty())?;
        let decoder = Decoder::new(&codings, limits)?;
        head.headers.remove(header::CONTENT_ENCODING);
        head.headers.remove(header::CONTENT_LENGTH);
        Some(Self { endpoint: Arc::clone(endpoint), decoder, input: Bytes::new(), received: 0 })
    }

    /// The next decoded bytes; `poll` has the next coded ones. They are asked for only when those that are there have
    /// nothing left to give.
    pub(crate) fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>>,
    ) -> Poll<Option<Result<Bytes, Error>>> {
        loop {
            let failure = match self.decoder.decode(&mut self.input) {
                Ok(Some(piece)) => return Poll::Ready(Some(Ok(piece))),
                Ok(None) => match ready!(poll(cx)) {
                    Some(Ok(data)) => {
                        self.received += data.len() as u64;
                        self.input = data;
                        continue;
                    }
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => self.decoder.finish().err(),
                },
                Err(failure) => Some(failure),
            };
            return Poll::Ready(failure.map(|cause| Err(classify::decoding(&self.endpoint, cause))));
        }
    }

    /// Bytes of the coded body that have come.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }
}
