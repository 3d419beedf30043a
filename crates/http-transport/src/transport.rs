//! The entry point: settings that exchanges share.

use std::sync::Arc;
use std::time::Duration;

use crate::dial::TlsSettings;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::pool::Pool;
use crate::request::Request;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const HEAD_TIMEOUT: Duration = Duration::from_secs(120);

/// Opens exchanges. Clones are cheap and share the settings, the connections that wait for another
/// request, and the TLS session cache.
#[derive(Clone, Debug)]
pub struct Transport {
    settings: Arc<Settings>,
}

/// What every exchange of a transport needs to know.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) head_timeout: Option<Duration>,
    pub(crate) tls: Arc<TlsSettings>,
    pub(crate) pool: Arc<Pool>,
}

impl Transport {
    /// A transport with the default settings.
    pub fn new() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// Starts from the default settings.
    pub fn builder() -> TransportBuilder {
        TransportBuilder {
            connect_timeout: Some(CONNECT_TIMEOUT),
            head_timeout: Some(HEAD_TIMEOUT),
            extra_roots: Vec::new(),
        }
    }

    /// The same transport with another limit for response heads: handshakes are answered sooner than models. What is
    /// shared stays shared.
    pub fn with_head_timeout(&self, limit: Option<Duration>) -> Self {
        let Settings { connect_timeout, tls, pool, .. } = &*self.settings;
        let (tls, pool) = (Arc::clone(tls), Arc::clone(pool));
        let settings = Settings { connect_timeout: *connect_timeout, head_timeout: limit, tls, pool };
        Self { settings: Arc::new(settings) }
    }

    /// Prepares an exchange. Nothing happens before it is polled, and a request that cannot be sent is reported
    /// by that first poll.
    pub fn open(&self, request: Request) -> Exchange {
        Exchange::new(Arc::clone(&self.settings), request)
    }
}

/// Settings of a [`Transport`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct TransportBuilder {
    connect_timeout: Option<Duration>,
    head_timeout: Option<Duration>,
    extra_roots: Vec<Vec<u8>>,
}

impl TransportBuilder {
    /// The limit for name look-up with TCP connect (all addresses together), and again for the TLS handshake.
    /// Default: 10 s. `None`: no limit.
    pub fn connect_timeout(mut self, limit: Option<Duration>) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// The limit from the end of the request to the end of the response head; bytes that arrive in between, and
    /// interim answers, do not extend it. The same length of time is allowed without progress while the request is
    /// being written. Default: 120 s. `None`: no limit.
    pub fn head_timeout(mut self, limit: Option<Duration>) -> Self {
        self.head_timeout = limit;
        self
    }

    /// Trusts one more root certificate (DER), besides those of the platform.
    pub fn extra_root_certificate(mut self, der: impl Into<Vec<u8>>) -> Self {
        self.extra_roots.push(der.into());
        self
    }

    /// Errors with [`ErrorKind::Config`](crate::ErrorKind::Config) when an extra root certificate cannot be used.
    pub fn build(self) -> Result<Transport, Error> {
        Ok(Transport {
            settings: Arc::new(Settings {
                connect_timeout: self.connect_timeout,
                head_timeout: self.head_timeout,
                tls: Arc::new(TlsSettings::new(self.extra_roots)?),
                pool: Arc::default(),
            }),
        })
    }
}
