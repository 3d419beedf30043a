//! A certificate authority of the suite's own, and the proxies' certificate.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// The name of the issuer, as messages show it.
pub(crate) const NAME: &str = "codex-api end-to-end CA";

/// The files of an authority.
#[derive(Clone, Debug)]
pub(crate) struct Authority {
    /// Its root, in PEM.
    pub(crate) root: PathBuf,
    /// A certificate for the loopback address with its key, in PEM.
    pub(crate) server: PathBuf,
}

impl Authority {
    /// Makes the certificates and writes them into `folder`.
    pub(crate) fn create(folder: &Path) -> Result<Self, String> {
        let pems = pems().map_err(|error| format!("no certificates: {error}"))?;
        let authority = Self { root: folder.join("root.pem"), server: folder.join("server.pem") };
        for (path, pem) in [(&authority.root, pems.0), (&authority.server, pems.1)] {
            fs::write(path, pem).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(authority)
    }
}

fn pems() -> Result<(String, String), rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate()?;
    let root = params.self_signed(&key)?.pem();
    let issuer = Issuer::new(params, key);
    let server_key = KeyPair::generate()?;
    let server = CertificateParams::new(["127.0.0.1".to_owned()])?.signed_by(&server_key, &issuer)?;
    Ok((root, server.pem() + &server_key.serialize_pem()))
}
