//! The stream that a dial ends with.

use tokio::io::{AsyncRead, AsyncWrite};

/// What HTTP needs of a connection.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for S {}

/// Plain, encrypted or tunnelled: the layers above do not care.
pub(crate) type BoxStream = Box<dyn Stream>;
