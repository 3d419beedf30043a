//! An HTTP/1.1 connection between two requests.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::runtime::{Handle, Id};

use crate::dial::BoxStream;
use crate::outgoing::RequestBody;
use crate::progress::{Metered, Progress};

/// Bytes of a response head, trailers, and of hyper's read buffer.
pub(crate) const HEAD_LIMIT: usize = 64 * 1024;
/// Headers of one head.
const HEADER_COUNT: usize = 100;

pub(crate) type Link = Connection<TokioIo<Metered<BoxStream>>, RequestBody>;
pub(crate) type Sender = SendRequest<RequestBody>;

/// A connection that a request can be put on. It is a value: nobody polls it while it waits.
pub(crate) struct Idle {
    /// Boxed: it is large, and goes through many hands between two requests.
    pub(crate) connection: Box<Link>,
    pub(crate) sender: Sender,
    pub(crate) progress: Arc<Progress>,
    /// That of the socket, wherever its answers are read; `None` if it was opened without one.
    pub(crate) runtime: Option<Id>,
}

impl Idle {
    /// A connection that has seen no request yet.
    pub(crate) async fn new(stream: BoxStream) -> hyper::Result<Self> {
        let progress = Arc::new(Progress::default());
        let socket = TokioIo::new(Metered::new(stream, Arc::clone(&progress)));
        let (sender, connection) = Builder::new()
            .max_buf_size(HEAD_LIMIT)
            .max_header_size(HEAD_LIMIT)
            .max_headers(HEADER_COUNT)
            // One header that is none (control characters in a value) must not cost the whole answer.
            .ignore_invalid_headers_in_responses(true)
            // Nor is a header of framing to be overlooked.
            .allow_spaces_after_header_name_in_responses(true)
            .handshake(socket)
            .await?;
        let runtime = Handle::try_current().ok().map(|handle| handle.id());
        Ok(Self { connection: Box::new(connection), sender, progress, runtime })
    }

    /// Whether hyper waits for another request.
    pub(crate) fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }

    /// Looks once whether the connection still lives: the server may have closed it, or sent what nobody asked for.
    pub(crate) fn is_alive(&mut self) -> bool {
        // Nobody waits for it: the next request would wake its own task by being put on the connection.
        let mut cx = Context::from_waker(Waker::noop());
        Pin::new(&mut *self.connection).poll(&mut cx).is_pending() && self.is_ready()
    }
}
