//! Looking up a host.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::error::{Error, ErrorKind};
use crate::phase::Phase;
use crate::target::Endpoint;

/// A look-up under way. The system's resolver blocks, so tokio runs it on its blocking pool; a literal address
/// needs no look-up.
pub(super) enum Resolve {
    Literal(SocketAddr),
    Lookup(Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>),
}

impl Resolve {
    pub(super) fn start(endpoint: &Endpoint) -> Self {
        let (host, port) = (endpoint.host.clone(), endpoint.port);
        match host.parse::<IpAddr>() {
            Ok(address) => Self::Literal(SocketAddr::new(address, port)),
            Err(_) => Self::Lookup(Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })),
        }
    }

    /// At least one address.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, endpoint: &Endpoint) -> Poll<Result<Vec<SocketAddr>, Error>> {
        let failed = |cause: io::Error| {
            let message = format!("cannot resolve {}", endpoint.host_name());
            Err(Error::new(ErrorKind::Dns, Phase::Dns, message).with_source(cause))
        };
        Poll::Ready(match self {
            Self::Literal(address) => Ok(vec![*address]),
            Self::Lookup(lookup) => match ready!(lookup.as_mut().poll(cx)) {
                Ok(addresses) if addresses.is_empty() => {
                    failed(io::Error::new(io::ErrorKind::NotFound, "the host has no address"))
                }
                Ok(addresses) => Ok(addresses),
                Err(cause) => failed(cause),
            },
        })
    }
}
