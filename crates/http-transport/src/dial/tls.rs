//! The TLS stage: rustls with ring and the platform's roots.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use tokio_rustls::{Connect, TlsConnector};

use crate::classify;
use crate::error::{Error, ErrorKind};
use crate::phase::Phase;
use crate::target::Endpoint;

use super::stream::BoxStream;

/// Roots and session cache, shared by all connections of a transport.
///
/// The platform's roots are loaded for the first `https` connection: plain ones work on a machine that has none.
#[derive(Debug)]
pub(crate) struct TlsSettings {
    extra_roots: Vec<CertificateDer<'static>>,
    config: OnceLock<Result<Arc<ClientConfig>, rustls::Error>>,
}

impl TlsSettings {
    /// Errors when one of the DER certificates cannot be a root.
    pub(crate) fn new(extra_roots: Vec<Vec<u8>>) -> Result<Self, Error> {
        let extra_roots: Vec<_> = extra_roots.into_iter().map(CertificateDer::from).collect();
        let mut store = RootCertStore::empty();
        for (index, root) in extra_roots.iter().enumerate() {
            store.add(root.clone()).map_err(|cause| {
                let message = format!("extra root certificate {} cannot be used", index + 1);
                Error::new(ErrorKind::Config, Phase::Tls, message).with_source(cause)
            })?;
        }
        Ok(Self { extra_roots, config: OnceLock::new() })
    }

    /// Starts the handshake over `stream`.
    pub(super) fn start(&self, endpoint: &Endpoint, stream: BoxStream) -> Result<Handshake, Error> {
        let config = self.config.get_or_init(|| self.load()).clone().map_err(|cause| {
            let message = "cannot load the platform's root certificates";
            Error::new(ErrorKind::Config, Phase::Tls, message).with_source(cause)
        })?;
        let name = ServerName::try_from(endpoint.host.clone()).map_err(|cause| {
            let message = format!("{} is not a name that a certificate can have", endpoint.host);
            Error::new(ErrorKind::Config, Phase::Tls, message).with_source(cause)
        })?;
        Ok(Handshake(Box::new(TlsConnector::from(config).connect(name, stream))))
    }

    fn load(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        // An explicit provider: what the process has installed as its default is not this library's business.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Verifier::new_with_extra_roots(self.extra_roots.iter().cloned(), Arc::clone(&provider))?;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous() // rustls' word for any verifier but its own
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// A handshake under way.
pub(super) struct Handshake(Box<Connect<BoxStream>>);

impl Handshake {
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, endpoint: &Endpoint) -> Poll<Result<BoxStream, Error>> {
        Poll::Ready(match ready!(Pin::new(&mut *self.0).poll(cx)) {
            Ok(stream) => Ok(Box::new(stream)),
            Err(cause) => Err(classify::handshake(endpoint, cause)),
        })
    }
}
