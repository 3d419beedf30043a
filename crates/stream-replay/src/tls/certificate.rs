//! What the server shows to prove who it is.

use std::sync::Arc;
use std::{error, fmt, io};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, crypto};

/// The names that a generated certificate holds for: those of a loopback server.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A chain of certificates with the key of the first one.
pub(crate) struct Certificate {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Certificate {
    /// Errors with what is wrong, as the end of a sentence.
    pub(crate) fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, &'static str> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or("the first file holds no certificate in PEM")?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| "the second file holds no private key in PEM")?;
        let certificate = Self { chain, key };
        match certificate.config(&[]) {
            Ok(_) => Ok(certificate),
            Err(_) => Err("certificate and key do not belong together"),
        }
    }

    /// The settings of a server that shows it and speaks one of these protocols (RFC 7301); none asks for none.
    pub(crate) fn config(&self, protocols: &[Vec<u8>]) -> io::Result<Arc<ServerConfig>> {
        let provider = Arc::new(crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), self.key.clone_key())
            .map_err(io::Error::other)?;
        config.alpn_protocols = protocols.to_vec();
        Ok(Arc::new(config))
    }
}

/// Leaves out the key.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("chain", &self.chain.len()).finish_non_exhaustive()
    }
}

/// An authority made up for one server, and the certificate that it issued to it.
#[derive(Debug)]
pub(crate) struct TestAuthority {
    root: CertificateDer<'static>,
    pub(crate) certificate: Certificate,
}

impl TestAuthority {
    pub(crate) fn generate() -> io::Result<Self> {
        Self::try_generate().map_err(|error| io::Error::other(Generating(error)))
    }

    /// Its own certificate, in DER.
    pub(crate) fn root(&self) -> &[u8] {
        &self.root
    }

    fn try_generate() -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "stream-replay test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let root = params.self_signed(&key)?.der().clone();
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate()?;
        let leaf = CertificateParams::new(NAMES.map(str::to_owned))?.signed_by(&key, &issuer)?;
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        Ok(Self { root, certificate: Certificate { chain: vec![leaf.der().clone()], key } })
    }
}

/// No test certificate could be made.
#[derive(Debug)]
struct Generating(rcgen::Error);

impl fmt::Display for Generating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot make a test certificate")
    }
}

impl error::Error for Generating {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.0)
    }
}
