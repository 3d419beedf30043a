//! The system's own bundle, where the platform's loader would miss it.

use rustls::pki_types::CertificateDer;

use crate::environment::Environment;

use super::{Origin, Path, read};

/// As the distributions have them.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// An empty `SSL_CERT_FILE` is as good as none, but not for the loader of Unix systems: it looks for a file without a
/// name, and finds no roots at all.
pub(super) fn instead_of_an_empty_name(environment: &Environment) -> Vec<CertificateDer<'static>> {
    let is_empty = environment.raw("SSL_CERT_FILE").is_some_and(|value| value.is_empty());
    if is_empty && cfg!(all(unix, not(target_vendor = "apple"))) { first_of(&BUNDLES) } else { Vec::new() }
}

fn first_of(bundles: &[&str]) -> Vec<CertificateDer<'static>> {
    let mut readable = bundles.iter().map(Path::new).filter_map(|path| read(&Origin::File(path), path).ok());
    readable.next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{BUNDLES, Environment, first_of, instead_of_an_empty_name};

    #[test]
    fn only_an_empty_name_is_replaced() {
        let with = |value: Option<&'static str>| Environment::from_fn(move |_| value.map(Into::into));
        assert!(instead_of_an_empty_name(&with(None)).is_empty());
        assert!(instead_of_an_empty_name(&with(Some("/x"))).is_empty());
        if cfg!(all(unix, not(target_vendor = "apple"))) {
            assert_eq!(instead_of_an_empty_name(&with(Some(""))), first_of(&BUNDLES));
        }
        assert!(first_of(&["/no/such/file", "/"]).is_empty());
    }
}
