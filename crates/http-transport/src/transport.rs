//! The entry point: settings that exchanges share.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::coding::{DecodeLimits, Decoding};
use crate::connector::{Connector, Plug};
use crate::dial::TlsSettings;
use crate::environment::Environment;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::pool::Pool;
use crate::provider::TlsProvider;
use crate::proxy::{self, ProxySettings};
use crate::request::Request;
use crate::roots::Wanted;
use crate::versions::HttpVersions;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const HEAD_TIMEOUT: Duration = Duration::from_secs(120);

/// Opens exchanges. Clones are cheap and share the settings, the connections that wait for another
/// request, and the TLS session cache.
#[derive(Clone, Debug)]
pub struct Transport {
    settings: Arc<Settings>,
}

/// What every exchange of a transport needs to know.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) head_timeout: Option<Duration>,
    pub(crate) tls: Arc<TlsSettings>,
    pub(crate) proxies: Arc<proxy::Table>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) versions: HttpVersions,
    pub(crate) plug: Plug,
    pub(crate) decoding: Decoding,
    pub(crate) decode_limits: DecodeLimits,
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
            proxy: ProxySettings::default(),
            versions: HttpVersions::default(),
            tls_provider: TlsProvider::default(),
            roots: Wanted::default(),
            environment: Environment::default(),
            plug: Plug::default(),
            decoding: Decoding::default(),
            decode_limits: DecodeLimits::default(),
        }
    }

    /// The same transport with another limit for response heads: handshakes are answered sooner than models. What is
    /// shared stays shared.
    pub fn with_head_timeout(&self, limit: Option<Duration>) -> Self {
        Self { settings: Arc::new(Settings { head_timeout: limit, ..(*self.settings).clone() }) }
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
    proxy: ProxySettings,
    versions: HttpVersions,
    tls_provider: TlsProvider,
    roots: Wanted,
    environment: Environment,
    plug: Plug,
    decoding: Decoding,
    decode_limits: DecodeLimits,
}

impl TransportBuilder {
    /// The limit for name look-up with TCP connect (all addresses together), again for TLS to a proxy, for its tunnel,
    /// and for the TLS handshake with the server. Default: 10 s. `None`: no limit.
    pub fn connect_timeout(mut self, limit: Option<Duration>) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// The limit from the end of the request to the end of the response head; bytes that arrive in between, and
    /// interim answers, do not extend it. The same length of time is allowed without progress while the request is
    /// being written. Over HTTP/2 a request is written when the connection has taken all of it. Default: 120 s. `None`:
    /// no limit.
    pub fn head_timeout(mut self, limit: Option<Duration>) -> Self {
        self.head_timeout = limit;
        self
    }

    /// Which requests go through a proxy. Default: [`ProxySettings::Environment`].
    pub fn proxy(mut self, settings: impl Into<ProxySettings>) -> Self {
        self.proxy = settings.into();
        self
    }

    /// Which versions of HTTP are spoken. Default: [`HttpVersions::Auto`].
    pub fn http_versions(mut self, versions: HttpVersions) -> Self {
        self.versions = versions;
        self
    }

    /// Who does the cryptography of TLS. Default: [`TlsProvider::Ring`].
    pub fn tls_provider(mut self, provider: TlsProvider) -> Self {
        self.tls_provider = provider;
        self
    }

    /// Trusts the certificates in this file as roots, too, besides those of the platform: PEM, one or many, among them
    /// OpenSSL's `TRUSTED CERTIFICATE`; CRLs and keys in it are passed over.
    ///
    /// Default: the file that `CODEX_CA_CERTIFICATE` names, or else `SSL_CERT_FILE` (which OpenSSL's users expect to
    /// stand for the system's own file, and on Unix systems other than Apple's it does).
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.roots.file = Some(path.into());
        self
    }

    /// Trusts the certificates in this PEM as roots, too, as with [`ca_file`](Self::ca_file), in addition to all
    /// others.
    pub fn extra_root_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.pem.push(pem.into());
        self
    }

    /// Trusts one more root certificate (DER), in addition to all others.
    pub fn extra_root_certificate(mut self, der: impl Into<Vec<u8>>) -> Self {
        self.roots.der.push(der.into());
        self
    }

    /// Where variables are looked up. Default: [`Environment::process`]. The platform's own loader of roots has no part
    /// in it: where roots are files, it looks at `SSL_CERT_FILE` and `SSL_CERT_DIR` of the process at the first TLS
    /// handshake.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Opens connections in place of name look-up and TCP. Default: none; see [`connector`](crate::connector).
    pub fn connector(mut self, connector: impl Connector) -> Self {
        self.plug = Plug(Some(Arc::new(connector)));
        self
    }

    /// What is done about content codings. Default: [`Decoding::Automatic`].
    pub fn decoding(mut self, decoding: Decoding) -> Self {
        self.decoding = decoding;
        self
    }

    /// How far coded bodies may expand. Default: 200 bytes for one, and no end.
    pub fn decode_limits(mut self, limits: DecodeLimits) -> Self {
        self.decode_limits = limits;
        self
    }

    /// Reads the environment and the CA file.
    ///
    /// Errors with [`ErrorKind::Config`](crate::ErrorKind::Config) when a CA file cannot be read, is broken, or holds
    /// no certificate, or when an extra root certificate cannot be used. The message names the file, the variable that
    /// it comes from, and the place in it.
    pub fn build(self) -> Result<Transport, Error> {
        Ok(Transport {
            settings: Arc::new(Settings {
                connect_timeout: self.connect_timeout,
                head_timeout: self.head_timeout,
                tls: Arc::new(TlsSettings::new(self.tls_provider, self.roots.load(&self.environment)?)),
                proxies: Arc::new(proxy::Table::new(&self.proxy, &self.environment)),
                pool: Arc::default(),
                versions: self.versions,
                plug: self.plug,
                decoding: self.decoding,
                decode_limits: self.decode_limits,
            }),
        })
    }
}
