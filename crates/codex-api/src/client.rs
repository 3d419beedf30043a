//! The client: what all conversations with a service share.

use std::sync::Arc;

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT},
};
use http_transport::Transport;
use sse_codec::Limits;
use turn_session::Timeouts;

use crate::{Auth, Error, Provider, Session, Wire, failures};

/// A service with credentials and settings. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct Client(Arc<Settings>);

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) provider: Provider,
    pub(crate) wire: Wire,
    pub(crate) auth: Auth,
    pub(crate) headers: HeaderMap,
    pub(crate) timeouts: Timeouts,
    pub(crate) limits: Limits,
    pub(crate) transport: Transport,
}

impl Client {
    /// Starts from a provider and the default settings.
    pub fn builder(provider: Provider) -> ClientBuilder {
        ClientBuilder {
            provider,
            wire: Wire::default(),
            auth: Auth::none(),
            headers: HeaderMap::new(),
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            extra_roots: Vec::new(),
        }
    }

    /// Begins a conversation.
    pub fn session(&self) -> Session {
        Session::new(Arc::clone(&self.0))
    }
}

/// Settings of a [`Client`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder {
    provider: Provider,
    wire: Wire,
    auth: Auth,
    headers: HeaderMap,
    timeouts: Timeouts,
    limits: Limits,
    extra_roots: Vec<Vec<u8>>,
}

impl ClientBuilder {
    /// The API to speak. Default: [`Wire::Responses`].
    pub fn wire(mut self, wire: Wire) -> Self {
        self.wire = wire;
        self
    }

    /// The credentials. Default: none.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// Adds a header to every request; it replaces one of ours of that name.
    ///
    /// Errors with [`FailureKind::Config`](crate::FailureKind::Config) when name or value cannot be a header. The
    /// message does not repeat the value.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        let wrong = || Error::config(format!("{name:?} cannot be a header with that value"));
        let name = HeaderName::try_from(name).map_err(|cause| wrong().with_source(cause))?;
        let value = HeaderValue::try_from(value).map_err(|_| wrong())?;
        self.headers.append(name, value);
        Ok(self)
    }

    /// The deadlines.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// The largest event that is taken in, in bytes. Default 32 MiB.
    pub fn max_event_bytes(mut self, bytes: usize) -> Self {
        self.limits = self.limits.max_event_bytes(bytes);
        self
    }

    /// Trusts one more root certificate (DER), besides those of the platform.
    pub fn extra_root_certificate(mut self, der: impl Into<Vec<u8>>) -> Self {
        self.extra_roots.push(der.into());
        self
    }

    /// Errors with [`FailureKind::Config`](crate::FailureKind::Config) when a setting cannot be used.
    pub fn build(self) -> Result<Client, Error> {
        let mut transport =
            Transport::builder().connect_timeout(self.timeouts.connect).head_timeout(self.timeouts.head);
        for root in self.extra_roots {
            transport = transport.extra_root_certificate(root);
        }
        let transport = transport.build().map_err(|cause| {
            let (failure, source) = failures::of_transport(cause);
            Error::new(failure, source)
        })?;
        // An endpoint that cannot be a URL is a matter of the settings, not of the first request.
        self.provider.endpoint(self.wire)?;
        Ok(Client(Arc::new(Settings {
            provider: self.provider,
            wire: self.wire,
            auth: self.auth,
            headers: with_defaults(self.headers),
            timeouts: self.timeouts,
            limits: self.limits,
            transport,
        })))
    }
}

/// The headers of every request; those of the caller win.
fn with_defaults(mut headers: HeaderMap) -> HeaderMap {
    let ours = [
        (ACCEPT, HeaderValue::from_static("text/event-stream")),
        // Without decompression, compressed text would only be noise.
        (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (USER_AGENT, HeaderValue::from_static(concat!("codex-api/", env!("CARGO_PKG_VERSION")))),
    ];
    for (name, value) in ours {
        headers.entry(name).or_insert(value);
    }
    headers
}
