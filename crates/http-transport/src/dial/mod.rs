//! From a name to a stream that HTTP can be spoken on.
//!
//! Stages follow one another: look up, connect, secure. Each is a value with a `poll`, and a deadline lies over
//! look-up with connect, and over the handshake. A proxy's tunnel is one more stage between the last two.

mod race;
mod resolve;
mod stream;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::net::TcpStream;

use crate::classify;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::phase::Phase;
use crate::target::{Endpoint, Security};

use self::race::{Attempt, Race};
use self::resolve::Resolve;
use self::tls::Handshake;

pub(crate) use self::stream::BoxStream;
pub(crate) use self::tls::TlsSettings;

/// One dial, from the first look-up to the ready stream.
pub(crate) struct Dial {
    endpoint: Arc<Endpoint>,
    tls: Arc<TlsSettings>,
    timeout: Option<Duration>,
    deadline: Deadline,
    stage: Stage,
}

enum Stage {
    Resolve(Resolve),
    Connect(Race<TcpStream>),
    Tls(Handshake),
}

enum Step {
    Next(Stage),
    Done(BoxStream),
}

impl Dial {
    /// Starts the first stage and its deadline. Needs a tokio runtime.
    pub(crate) fn start(endpoint: Arc<Endpoint>, tls: Arc<TlsSettings>, timeout: Option<Duration>) -> Self {
        Self {
            stage: Stage::Resolve(Resolve::start(&endpoint)),
            deadline: Deadline::after(timeout),
            endpoint,
            tls,
            timeout,
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.stage {
            Stage::Resolve(_) => Phase::Dns,
            Stage::Connect(_) => Phase::Connect,
            Stage::Tls(_) => Phase::Tls,
        }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<BoxStream, Error>> {
        loop {
            match self.poll_step(cx)? {
                Poll::Ready(Step::Next(stage)) => self.stage = stage,
                Poll::Ready(Step::Done(stream)) => return Poll::Ready(Ok(stream)),
                Poll::Pending => break,
            }
        }
        let limit = ready!(self.deadline.poll_expired(cx));
        Poll::Ready(Err(self.timed_out(limit)))
    }

    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Result<Step, Error>> {
        let step = match &mut self.stage {
            Stage::Resolve(resolve) => {
                let addresses = ready!(resolve.poll(cx, &self.endpoint))?;
                Step::Next(Stage::Connect(Race::new(addresses, open_tcp)))
            }
            Stage::Connect(race) => match ready!(race.poll(cx)) {
                Ok(stream) => self.connected(Box::new(stream))?,
                Err(lost) => {
                    return Poll::Ready(Err(classify::connect(&self.endpoint, lost.tried, lost.cause)));
                }
            },
            Stage::Tls(handshake) => Step::Done(ready!(handshake.poll(cx, &self.endpoint))?),
        };
        Poll::Ready(Ok(step))
    }

    fn connected(&mut self, stream: BoxStream) -> Result<Step, Error> {
        match self.endpoint.security {
            Security::Plain => Ok(Step::Done(stream)),
            Security::Tls => {
                let handshake = self.tls.start(&self.endpoint, stream)?;
                self.deadline = Deadline::after(self.timeout);
                Ok(Step::Next(Stage::Tls(handshake)))
            }
        }
    }

    fn timed_out(&self, limit: Duration) -> Error {
        let endpoint = &self.endpoint;
        let phase = self.phase();
        let message = match self.stage {
            Stage::Resolve(_) => format!("cannot resolve {}: timed out after {limit:?}", endpoint.host),
            Stage::Connect(_) => format!("timed out connecting to {endpoint} after {limit:?}"),
            Stage::Tls(_) => {
                format!("timed out in the TLS handshake with {endpoint} after {limit:?}")
            }
        };
        Error::new(ErrorKind::Timeout, phase, message)
    }
}

fn open_tcp(address: SocketAddr) -> Attempt<TcpStream> {
    Box::pin(async move {
        let stream = TcpStream::connect(address).await?;
        // Small writes must not wait for acknowledgements. A socket that refuses the option still works.
        let _ = stream.set_nodelay(true);
        Ok(stream)
    })
}

#[cfg(test)]
mod tests;
