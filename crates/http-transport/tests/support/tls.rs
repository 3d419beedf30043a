//! Certificates of a private authority.

use std::sync::Arc;

use http_transport::{Environment, Transport, TransportBuilder};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

/// A private CA called `ca`: its root in DER, and the settings of a server that speaks HTTP/1.1, with a certificate for
/// `name`.
pub(crate) fn authority(ca: &str, name: &str) -> (Vec<u8>, TlsAcceptor) {
    authority_offering(ca, name, &["http/1.1"])
}

/// The same for a server that picks the first of these protocols (RFC 7301) that it is offered.
pub(crate) fn authority_offering(ca: &str, name: &str, protocols: &[&str]) -> (Vec<u8>, TlsAcceptor) {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, ca);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let root = params.self_signed(&key).unwrap().der().to_vec();
    let issuer = Issuer::new(params, key);
    let leaf_key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&leaf_key, &issuer).unwrap();
    (root, acceptor(leaf.der(), &leaf_key, protocols))
}

/// The same for a certificate that is its own authority, as `openssl req -x509` makes them.
pub(crate) fn own_authority(name: &str) -> (Vec<u8>, TlsAcceptor) {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (certificate.der().to_vec(), acceptor(certificate.der(), &key, &["http/1.1"]))
}

/// A server's settings with this certificate.
pub(crate) fn acceptor(certificate: &CertificateDer<'static>, key: &KeyPair, protocols: &[&str]) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

pub(crate) fn trusting(root: Vec<u8>) -> Transport {
    trusting_builder(root).build().unwrap()
}

pub(crate) fn trusting_builder(root: Vec<u8>) -> TransportBuilder {
    Transport::builder().environment(Environment::empty()).extra_root_certificate(root)
}

pub(crate) fn https(uri: &str, host: &str) -> String {
    uri.replace("http://127.0.0.1", &format!("https://{host}"))
}
