//! The TLS stage: rustls with the platform's roots.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{AlertDescription, ClientConfig};
use rustls_platform_verifier::Verifier;
use tokio_rustls::{Connect, TlsConnector};

use crate::classify;
use crate::error::{Error, ErrorKind};
use crate::phase::Phase;
use crate::provider::TlsProvider;
use crate::target::Endpoint;
use crate::versions::{Offer, Spoken};

use super::BoxStream;
use super::decrypted::Decrypted;
use super::verifier::NamingVerifier;

/// Roots and session cache, shared by all connections of a transport.
///
/// The platform's roots are loaded for the first handshake, on the thread that polls it: plain connections work on a
/// machine that has none, and do not pay for them. It takes 2 ms where the roots are files, once; others who shake
/// hands meanwhile wait for it.
pub(crate) struct TlsSettings {
    provider: TlsProvider,
    extra_roots: Vec<CertificateDer<'static>>,
    config: OnceLock<Result<Arc<ClientConfig>, rustls::Error>>,
}

impl TlsSettings {
    /// The certificates have been checked.
    pub(crate) fn new(provider: TlsProvider, extra_roots: Vec<CertificateDer<'static>>) -> Self {
        Self { provider, extra_roots, config: OnceLock::new() }
    }

    /// Starts the handshake over `stream`.
    pub(super) fn start(
        &self,
        endpoint: &Endpoint,
        stream: BoxStream,
        phase: Phase,
        offer: Offer,
    ) -> Result<Handshake, Error> {
        let config = self.config.get_or_init(|| self.load()).clone().map_err(|cause| {
            let message = "cannot load the platform's root certificates";
            Error::new(ErrorKind::Config, phase, message).with_source(cause)
        })?;
        let name = ServerName::try_from(endpoint.host.clone()).map_err(|cause| {
            let message = format!("{} is not a name that a certificate can have", endpoint.host);
            Error::new(ErrorKind::Config, phase, message).with_source(cause)
        })?;
        // The copy shares roots and session cache.
        let mut config = (*config).clone();
        config.alpn_protocols = offer.protocols();
        Ok(Handshake { offer, connect: Box::new(TlsConnector::from(Arc::new(config)).connect(name, stream)) })
    }

    fn load(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        // An explicit provider: what the process has installed as its default is not this library's business.
        let provider = Arc::new(self.provider.load());
        let verifier = Verifier::new_with_extra_roots(self.extra_roots.iter().cloned(), Arc::clone(&provider))?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous() // rustls' word for any verifier but its own
            .with_custom_certificate_verifier(Arc::new(NamingVerifier(verifier)))
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}

impl fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.extra_roots.len();
        f.debug_struct("TlsSettings")
            .field("extra_roots", &format_args!("{count} certificates"))
            .finish_non_exhaustive()
    }
}

/// A handshake under way.
pub(super) struct Handshake {
    offer: Offer,
    connect: Box<Connect<BoxStream>>,
}

impl Handshake {
    /// The stream, and what the server has chosen to speak on it.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        endpoint: &Endpoint,
        phase: Phase,
    ) -> Poll<Result<(BoxStream, Spoken), Error>> {
        Poll::Ready(match ready!(Pin::new(&mut *self.connect).poll(cx)) {
            Ok(stream) => match self.offer.agreed(stream.get_ref().1.alpn_protocol()) {
                Some(spoken) => Ok((Box::new(Decrypted::new(stream)), spoken)),
                None => Err(classify::no_http2(endpoint, phase)),
            },
            Err(cause) if self.offer == Offer::Http2 && is_protocol_refusal(&cause) => {
                Err(classify::no_http2(endpoint, phase).with_source(cause))
            }
            Err(cause) => Err(classify::handshake(endpoint, phase, cause)),
        })
    }
}

/// RFC 7301, section 3.2: the server knows none of the protocols that were offered.
fn is_protocol_refusal(cause: &io::Error) -> bool {
    matches!(classify::find(cause), Some(rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol)))
}
