//! What stands in for HTTP/2 where it is not compiled in: types without values.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};

use crate::dial::BoxStream;
use crate::error::{Error, ErrorKind};
use crate::phase::Phase;
use crate::pool::Lead;
use crate::target::Endpoint;

pub(crate) enum Connection {}

impl Connection {
    pub(crate) fn is_open(&self) -> bool {
        match *self {}
    }

    pub(crate) fn room(&self) -> usize {
        match *self {}
    }

    pub(crate) fn place(self: &Arc<Self>) -> Option<Place> {
        match **self {}
    }
}

pub(crate) enum Place {}

impl Place {
    pub(crate) fn send(self, _: &Endpoint, _: Request<Bytes>) -> Result<Http2, Error> {
        match self {}
    }
}

/// Nothing comes here: HTTP/2 is not offered.
pub(crate) async fn connect(_: BoxStream, endpoint: &Endpoint, _: Lead) -> Result<Place, Error> {
    let message = format!("cannot speak HTTP/2 to {endpoint}: it is not compiled in");
    Err(Error::new(ErrorKind::Config, Phase::Sending, message))
}

pub(crate) enum Http2 {}

impl Http2 {
    pub(crate) fn poll_response(
        &mut self,
        _: &mut Context<'_>,
        _: &Endpoint,
        _: Phase,
    ) -> Poll<Result<Response<()>, Error>> {
        match *self {}
    }

    pub(crate) fn poll_data(&mut self, _: &mut Context<'_>, _: &Endpoint) -> Poll<Option<Result<Bytes, Error>>> {
        match *self {}
    }

    pub(crate) fn written(&self) -> u64 {
        match *self {}
    }

    pub(crate) fn is_sent(&self) -> bool {
        match *self {}
    }

    pub(crate) fn is_interim_flood(&self) -> bool {
        match *self {}
    }

    pub(crate) fn is_unseen(&self, _: &Error) -> bool {
        match *self {}
    }

    pub(crate) fn distrust(&self, _: &Error) {
        match *self {}
    }

    pub(crate) fn retire(&self) {
        match *self {}
    }
}

/// Nobody says anything over HTTP/2.
pub(crate) fn wants_http1(_: &Error) -> bool {
    false
}
