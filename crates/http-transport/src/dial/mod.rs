//! From a name to a stream that HTTP can be spoken on.
//!
//! Stages follow one another: look up, connect, get through the proxy (TLS to it, a tunnel), secure. Each is a value
//! with a `poll`, and a deadline lies over look-up with connect, and over each of the others.

mod decrypted;
mod issuer;
mod race;
mod resolve;
mod socks;
mod tcp;
mod tls;
mod tunnel;
mod verifier;

use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::net::TcpStream;

use crate::classify;
use crate::connector::{ByteStream, Connecting, Destination, Plug};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::phase::Phase;
use crate::proxy::{Protocol, Route};
use crate::target::{Endpoint, Security};
use crate::versions::{Offer, Spoken};

use self::race::Race;
use self::resolve::Resolve;
use self::socks::Socks;
use self::tls::Handshake;
use self::tunnel::Tunnel;

pub(crate) use self::tls::TlsSettings;
pub(crate) use self::verifier::RefusedCertificate;

/// Plain, encrypted or tunnelled: the layers above do not care.
pub(crate) type BoxStream = Box<dyn ByteStream>;

/// One dial, from the first look-up to the ready stream.
pub(crate) struct Dial {
    endpoint: Arc<Endpoint>,
    route: Route,
    tls: Arc<TlsSettings>,
    offer: Offer,
    timeout: Option<Duration>,
    deadline: Deadline,
    stage: Stage,
}

enum Stage {
    /// In place of the next two.
    Plugged(Connecting),
    Resolve(Resolve),
    Connect(Race<TcpStream>),
    ProxyTls(Handshake),
    Tunnel(Tunnel),
    Socks(Socks),
    Tls(Handshake),
}

enum Step {
    Next(Stage),
    Done(BoxStream, Spoken),
}

impl Dial {
    /// Starts the first stage and its deadline. Needs a tokio runtime.
    pub(crate) fn start(
        endpoint: Arc<Endpoint>,
        route: Route,
        tls: Arc<TlsSettings>,
        offer: Offer,
        timeout: Option<Duration>,
        plug: &Plug,
    ) -> Self {
        let hop = first_hop(&route, &endpoint);
        Self {
            stage: match &plug.0 {
                Some(connector) => Stage::Plugged(connector.connect(Destination::of(hop))),
                None => Stage::Resolve(Resolve::start(hop)),
            },
            deadline: Deadline::after(timeout),
            endpoint,
            route,
            tls,
            offer,
            timeout,
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.stage {
            Stage::Resolve(_) => Phase::Dns,
            Stage::Plugged(_) | Stage::Connect(_) => Phase::Connect,
            Stage::ProxyTls(_) | Stage::Tunnel(_) | Stage::Socks(_) => Phase::Proxy,
            Stage::Tls(_) => Phase::Tls,
        }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(BoxStream, Spoken), Error>> {
        loop {
            match self.poll_step(cx)? {
                Poll::Ready(Step::Next(stage)) => self.stage = stage,
                Poll::Ready(Step::Done(stream, spoken)) => return Poll::Ready(Ok((stream, spoken))),
                Poll::Pending => break,
            }
        }
        let limit = ready!(self.deadline.poll_expired(cx));
        Poll::Ready(Err(self.timed_out(limit)))
    }

    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Result<Step, Error>> {
        let hop = first_hop(&self.route, &self.endpoint);
        let step = match &mut self.stage {
            Stage::Plugged(connecting) => match ready!(connecting.as_mut().poll(cx)) {
                Ok(stream) => self.connected(stream)?,
                Err(cause) => return Poll::Ready(Err(classify::connect(hop, 1, cause))),
            },
            Stage::Resolve(resolve) => {
                let addresses = ready!(resolve.poll(cx, hop))?;
                Step::Next(Stage::Connect(Race::new(addresses, tcp::open)))
            }
            Stage::Connect(race) => match ready!(race.poll(cx)) {
                Ok(stream) => self.connected(Box::new(stream))?,
                Err(lost) => return Poll::Ready(Err(classify::connect(hop, lost.tried, lost.cause))),
            },
            Stage::ProxyTls(handshake) => {
                let (stream, _) = ready!(handshake.poll(cx, hop, Phase::Proxy))?;
                self.at_the_proxy(stream)?
            }
            Stage::Tunnel(tunnel) => {
                let stream = ready!(tunnel.poll(cx))?;
                self.at_the_server(stream)?
            }
            Stage::Socks(socks) => {
                let stream = ready!(socks.as_mut().poll(cx))?;
                self.at_the_server(stream)?
            }
            Stage::Tls(handshake) => {
                let (stream, spoken) = ready!(handshake.poll(cx, &self.endpoint, Phase::Tls))?;
                Step::Done(stream, spoken)
            }
        };
        Poll::Ready(Ok(step))
    }

    fn connected(&mut self, stream: BoxStream) -> Result<Step, Error> {
        match self.route.proxy() {
            Some(proxy) if proxy.endpoint.security == Security::Tls => {
                let handshake = self.tls.start(&proxy.endpoint, stream, Phase::Proxy, Offer::Http1)?;
                Ok(self.next(Stage::ProxyTls(handshake)))
            }
            _ => self.at_the_proxy(stream),
        }
    }

    fn at_the_proxy(&mut self, stream: BoxStream) -> Result<Step, Error> {
        let stage = match &self.route {
            Route::Direct => return self.at_the_server(stream),
            Route::Forward(_) => return Ok(Step::Done(stream, Spoken::Http1)),
            Route::Tunnel(proxy) => {
                let (proxy, endpoint) = (Arc::clone(proxy), Arc::clone(&self.endpoint));
                match proxy.protocol {
                    Protocol::Http => Stage::Tunnel(Tunnel::start(stream, proxy, endpoint)?),
                    Protocol::Socks5 => Stage::Socks(socks::start(stream, proxy, endpoint)),
                }
            }
        };
        Ok(self.next(stage))
    }

    fn at_the_server(&mut self, stream: BoxStream) -> Result<Step, Error> {
        match self.endpoint.security {
            Security::Plain => Ok(Step::Done(stream, self.offer.unnegotiated())),
            Security::Tls => {
                let handshake = self.tls.start(&self.endpoint, stream, Phase::Tls, self.offer)?;
                Ok(self.next(Stage::Tls(handshake)))
            }
        }
    }

    fn next(&mut self, stage: Stage) -> Step {
        self.deadline = Deadline::after(self.timeout);
        Step::Next(stage)
    }

    fn timed_out(&self, limit: Duration) -> Error {
        let endpoint = &self.endpoint;
        let hop = first_hop(&self.route, endpoint);
        let message = match &self.stage {
            Stage::Resolve(_) => {
                format!("cannot resolve {}: timed out after {limit:?} (connect timeout)", hop.host_name())
            }
            Stage::Plugged(_) | Stage::Connect(_) => {
                format!("timed out connecting to {hop} after {limit:?} (connect timeout)")
            }
            Stage::ProxyTls(_) | Stage::Tls(_) => {
                let peer = if matches!(self.stage, Stage::Tls(_)) { endpoint } else { hop };
                format!("timed out in the TLS handshake with {peer} after {limit:?} (connect timeout)")
            }
            Stage::Tunnel(tunnel) => match tunnel.refusal() {
                // Only the text of the refusal is late.
                Some(refusal) => return refusal.error(),
                None => format!("{hop} did not connect to {endpoint} within {limit:?} (connect timeout)"),
            },
            Stage::Socks(_) => format!("{hop} did not connect to {endpoint} within {limit:?} (connect timeout)"),
        };
        Error::new(ErrorKind::Timeout, self.phase(), message)
    }
}

/// Whom the TCP connection is to.
fn first_hop<'a>(route: &'a Route, endpoint: &'a Arc<Endpoint>) -> &'a Arc<Endpoint> {
    route.proxy().map_or(endpoint, |proxy| &proxy.endpoint)
}

#[cfg(test)]
mod tests;
