//! The client: what all conversations with a service share.

use std::{fmt, path::PathBuf, sync::Arc};

use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT},
};
use http_transport::{
    Coding, DecodeLimits, Decoding, Environment, HttpVersions, ProxySettings, RequestCompression, TlsProvider,
    Transport, TransportBuilder, connector::Connector,
};
use response_events::InterpreterOptions;
use retry_policy::{Policy, SharedBudget};
use sse_codec::Limits;
use turn_session::{OnCut, Target, Timeouts};

use crate::{
    Auth, Classifier, Error, Provider, Session, Wire, checks, endpoint::Endpoint, failures, headers, seed::Seeds,
};

/// A service with credentials and settings. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct Client(Arc<Settings>);

pub(crate) struct Settings {
    pub(crate) provider: Provider,
    /// Where streams are asked for.
    target: Target,
    pub(crate) wire: Wire,
    pub(crate) auth: Auth,
    pub(crate) headers: HeaderMap,
    pub(crate) timeouts: Timeouts,
    pub(crate) limits: Limits,
    pub(crate) max_answer_bytes: usize,
    pub(crate) policy: Policy,
    pub(crate) on_cut: OnCut,
    pub(crate) classifier: Classifier,
    pub(crate) budget: SharedBudget,
    pub(crate) seeds: Seeds,
    pub(crate) compression: RequestCompression,
    pub(crate) transport: Transport,
    /// The same, with the deadline of a handshake.
    pub(crate) socket_transport: Transport,
    pub(crate) transport_choice: turn_session::Transport,
}

impl Settings {
    /// Where requests go.
    pub(crate) fn target(&self, endpoint: Endpoint) -> Target {
        if endpoint == Endpoint::of(self.wire) {
            return self.target.clone();
        }
        Target::new(self.provider.url(endpoint))
    }
}

/// Of the headers only the names: any of them may hold a secret.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("provider", &self.provider)
            .field("wire", &self.wire)
            .field("transport", &self.transport_choice)
            .field("auth", &self.auth)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("timeouts", &self.timeouts)
            .field("policy", &self.policy)
            .field("on_cut", &self.on_cut)
            .finish_non_exhaustive()
    }
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
            max_answer_bytes: None,
            policy: Policy::default(),
            on_cut: OnCut::default(),
            classifier: Classifier::default(),
            budget: SharedBudget::default(),
            seed: None,
            compression: RequestCompression::default(),
            decoding: Decoding::default(),
            transport_choice: turn_session::Transport::default(),
            dial: Transport::builder(),
        }
    }

    /// Begins a conversation.
    pub fn session(&self) -> Session {
        Session::new(Arc::clone(&self.0))
    }
}

/// Settings of a [`Client`]. `Debug` shows the names of headers, and no value.
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder {
    provider: Provider,
    wire: Wire,
    auth: Auth,
    headers: HeaderMap,
    timeouts: Timeouts,
    limits: Limits,
    max_answer_bytes: Option<usize>,
    policy: Policy,
    on_cut: OnCut,
    classifier: Classifier,
    budget: SharedBudget,
    seed: Option<u64>,
    compression: RequestCompression,
    decoding: Decoding,
    transport_choice: turn_session::Transport,
    /// How to reach the service.
    dial: TransportBuilder,
}

impl ClientBuilder {
    /// The API to speak. Default: [`Wire::Responses`].
    pub fn wire(mut self, wire: Wire) -> Self {
        self.wire = wire;
        self
    }

    /// The transport. Default: [`Transport::Sse`](turn_session::Transport::Sse); a WebSocket needs the Responses API.
    pub fn transport(mut self, transport: turn_session::Transport) -> Self {
        self.transport_choice = transport;
        self
    }

    /// The credentials. Default: none.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// Sets a header of every request. It takes the place of what was set of that name here, and of a default of ours.
    ///
    /// [`Session::header`] and [`Turn::header`](crate::Turn::header) do the same for fewer requests. For each name, a
    /// turn's own value is sent, else the session's, else the client's: a level replaces the one before it, and adds
    /// nothing to it.
    ///
    /// Errors with [`FailureKind::Config`](crate::FailureKind::Config) when name or value cannot be a header, or when
    /// it is the turn state's, which turns set by themselves. The message does not repeat the value.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        let (name, value) = headers::parse(name, value)?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// The same, beside the values that were set of that name here: for headers that may come several times
    /// (RFC 9110, section 5.3). Each value is a line of its own, in this order.
    ///
    /// Errors as [`header`](Self::header).
    pub fn append_header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        let (name, value) = headers::parse(name, value)?;
        self.headers.append(name, value);
        Ok(self)
    }

    /// The deadlines: each above zero (but [`finish_grace`](Timeouts::finish_grace)) and of at most 30 days.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// How failures are retried. Default: up to 9 attempts for a request, with growing waits of 120 s in all.
    pub fn retry(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// What happens to an attempt that fails after output of it was delivered. Default: [`OnCut::Discard`].
    pub fn on_cut(mut self, on_cut: OnCut) -> Self {
        self.on_cut = on_cut;
        self
    }

    /// What error codes and HTTP statuses mean, with rows of one's own.
    pub fn classifier(mut self, classifier: Classifier) -> Self {
        self.classifier = classifier;
        self
    }

    /// The budget that paces retries. Default: one of this client's own, which all its sessions share. Give the same
    /// one to all clients of a service and account.
    pub fn retry_budget(mut self, budget: SharedBudget) -> Self {
        self.budget = budget;
        self
    }

    /// Fixes the seed of all random waits, for tests. Default: a seed of the process.
    pub fn retry_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The largest event that is taken in, in bytes, at least 1. Default 32 MiB.
    pub fn max_event_bytes(mut self, bytes: usize) -> Self {
        self.limits = self.limits.max_event_bytes(bytes);
        self
    }

    /// The most that is collected of an answer, in bytes as the service sends them: all its finished items together.
    /// Beyond it, as beyond 10,000 items, the request fails with
    /// [`FailureKind::TooLarge`](crate::FailureKind::TooLarge). At least 1; default 64 MiB, or twice
    /// [`max_event_bytes`](Self::max_event_bytes) where that is more.
    pub fn max_answer_bytes(mut self, bytes: usize) -> Self {
        self.max_answer_bytes = Some(bytes);
        self
    }

    /// Compresses the bodies of requests over HTTP, from 1 KiB on: for a service that is known to take it. Not applied
    /// to messages of a WebSocket, nor where a [`header`](Self::header) names a `content-encoding`. Default:
    /// [`RequestCompression::Off`].
    pub fn compress_requests(mut self, compression: RequestCompression) -> Self {
        self.compression = compression;
        self
    }

    /// What is done about compressed answers. Default: [`Decoding::Automatic`], which asks for the codings that are
    /// built in (features `gzip`, `zstd`, `brotli`) and decodes them. [`Decoding::Raw`] asks for `identity`, and an
    /// answer in another coding is refused, as without the features. An `accept-encoding` that is set as a
    /// [`header`](Self::header) is sent in place of either.
    pub fn decoding(mut self, decoding: Decoding) -> Self {
        self.decoding = decoding;
        self.dial = self.dial.decoding(decoding);
        self
    }

    /// How far compressed answers may expand. Default: 200 bytes for one, judged from 1 MiB on, and no limit for the
    /// whole. Beyond it, the request fails with [`FailureKind::TooLarge`](crate::FailureKind::TooLarge).
    pub fn decode_limits(mut self, limits: DecodeLimits) -> Self {
        self.dial = self.dial.decode_limits(limits);
        self
    }

    /// Opens connections in place of name look-up and TCP: see [`connector`](crate::connector). TLS, proxies, deadlines
    /// and the reuse of connections stay as they are, for WebSockets, too. Default: none.
    pub fn connector(mut self, connector: impl Connector) -> Self {
        self.dial = self.dial.connector(connector);
        self
    }

    /// Who does the cryptography of TLS. Default: ring.
    pub fn tls_provider(mut self, provider: TlsProvider) -> Self {
        self.dial = self.dial.tls_provider(provider);
        self
    }

    /// Trusts one more root certificate (DER), besides those of the platform.
    pub fn extra_root_certificate(mut self, der: impl Into<Vec<u8>>) -> Self {
        self.dial = self.dial.extra_root_certificate(der);
        self
    }

    /// Trusts the root certificates in this PEM, one or many, besides those of the platform and of a
    /// [file](Self::ca_file). It is read by [`build`](Self::build).
    pub fn extra_root_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.dial = self.dial.extra_root_pem(pem);
        self
    }

    /// The proxy to go through. Default: what the environment says (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`,
    /// `NO_PROXY`). A proxied host is not resolved locally.
    pub fn proxy(mut self, proxy: impl Into<ProxySettings>) -> Self {
        self.dial = self.dial.proxy(proxy);
        self
    }

    /// The versions of HTTP to speak. Default: [`HttpVersions::Auto`]. WebSockets are opened over HTTP/1.1 in any case.
    pub fn http_versions(mut self, versions: HttpVersions) -> Self {
        self.dial = self.dial.http_versions(versions);
        self
    }

    /// A file of root certificates (PEM) to trust besides those of the platform, in place of the one that
    /// `CODEX_CA_CERTIFICATE` or `SSL_CERT_FILE` names. It is read by [`build`](Self::build).
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.dial = self.dial.ca_file(path);
        self
    }

    /// Where environment variables are looked up. Default: in the process's environment.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.dial = self.dial.environment(environment);
        self
    }

    /// Errors with [`FailureKind::Config`](crate::FailureKind::Config) when a setting cannot be used; the message names
    /// it. Where that is one of the retry policy, the [`source`](std::error::Error::source) is a
    /// [`RetryPolicyError`](crate::RetryPolicyError).
    pub fn build(self) -> Result<Client, Error> {
        self.policy.validate().map_err(|cause| Error::config(format!("retry policy: {cause}")).with_source(cause))?;
        checks::timeouts(&self.timeouts)?;
        checks::limits(self.limits, self.max_answer_bytes)?;
        if self.wire == Wire::Chat && self.transport_choice == turn_session::Transport::WebSocket {
            return Err(Error::config("the chat wire has no WebSocket transport"));
        }
        let transport = self.dial.connect_timeout(self.timeouts.connect).head_timeout(self.timeouts.head);
        let transport = transport.build().map_err(|cause| {
            let (failure, source) = failures::of_transport(cause);
            Error::new(failure, source)
        })?;
        // An endpoint that cannot be a URL is a matter of the settings, not of the first request.
        self.provider.check(Endpoint::of(self.wire))?;
        Ok(Client(Arc::new(Settings {
            target: Target::new(self.provider.url(Endpoint::of(self.wire))),
            provider: self.provider,
            wire: self.wire,
            auth: self.auth,
            headers: with_defaults(self.headers, self.decoding),
            timeouts: self.timeouts,
            limits: self.limits,
            max_answer_bytes: self.max_answer_bytes.unwrap_or_else(|| {
                InterpreterOptions::default().with_max_event_bytes(self.limits.get_max_event_bytes()).max_answer_bytes
            }),
            policy: self.policy,
            on_cut: self.on_cut,
            classifier: self.classifier,
            budget: self.budget,
            seeds: Seeds::new(self.seed),
            compression: self.compression,
            socket_transport: transport.with_head_timeout(self.timeouts.connect),
            transport,
            transport_choice: self.transport_choice,
        })))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("provider", &self.provider)
            .field("wire", &self.wire)
            .field("transport", &self.transport_choice)
            .field("auth", &self.auth)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("timeouts", &self.timeouts)
            .field("policy", &self.policy)
            .field("on_cut", &self.on_cut)
            .finish_non_exhaustive()
    }
}

/// The headers of every request; those of the caller win.
fn with_defaults(mut headers: HeaderMap, decoding: Decoding) -> HeaderMap {
    let ours = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (USER_AGENT, HeaderValue::from_static(concat!("codex-api/", env!("CARGO_PKG_VERSION")))),
    ];
    for (name, value) in ours {
        headers.entry(name).or_insert(value);
    }
    // The transport asks for what it decodes. If that is nothing, compressed text would only be noise.
    if Coding::ASKED_FOR.is_empty() || decoding == Decoding::Raw {
        headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("identity"));
    }
    headers
}
