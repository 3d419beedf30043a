//! Whose cryptography TLS is made of.

use rustls::crypto::{self, CryptoProvider};

/// Who does the cryptography of TLS. It is given to each connection; what the process has installed as its default for
/// rustls is neither used nor changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsProvider {
    /// ring: quick to build, on every common platform.
    #[default]
    Ring,
    /// aws-lc-rs: also hybrid post-quantum key exchange, and a FIPS variant upstream. Needs the feature `aws-lc-rs`.
    #[cfg(feature = "aws-lc-rs")]
    AwsLcRs,
}

impl TlsProvider {
    pub(crate) fn load(self) -> CryptoProvider {
        match self {
            Self::Ring => crypto::ring::default_provider(),
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLcRs => crypto::aws_lc_rs::default_provider(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hybrid key exchange tells them apart.
    #[track_caller]
    fn check(provider: TlsProvider, is_hybrid: bool) {
        let groups: Vec<_> = provider.load().kx_groups.iter().map(|group| format!("{:?}", group.name())).collect();
        assert_eq!(groups.iter().any(|name| name.contains("MLKEM")), is_hybrid, "{groups:?}");
    }

    #[test]
    fn a_provider_is_the_one_that_was_chosen() {
        check(TlsProvider::default(), false);
        #[cfg(feature = "aws-lc-rs")]
        check(TlsProvider::AwsLcRs, true);
    }
}
