//! Certificates in PEM (RFC 7468).

use std::error::Error as StdError;
use std::fmt;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};

use crate::der;

/// A certificate, and where it was found.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) place: Place,
    pub(super) der: CertificateDer<'static>,
}

/// Both count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Among all blocks, whatever they hold.
    pub(super) block: usize,
    pub(super) line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "block {} (line {})", self.block, self.line)
    }
}

/// A block that is broken.
#[derive(Debug)]
pub(super) struct PemError {
    pub(super) place: Place,
    pub(super) cause: Cause,
}

#[derive(Debug)]
pub(super) enum Cause {
    /// No `END` line before the next `BEGIN` line or the end.
    NoEnd,
    /// A `BEGIN` line that is none.
    Begin,
    Base64(pem::Error),
    /// OpenSSL's own format does not begin with a certificate.
    NotTrusted,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoEnd => "it has no END line",
            Self::Begin => "its BEGIN line is cut or too long",
            Self::Base64(_) => "it is not valid Base64",
            Self::NotTrusted => "it does not begin with a certificate",
        })
    }
}

impl StdError for Cause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Base64(cause) => Some(cause),
            _ => None,
        }
    }
}

/// All certificates in `text`. Blocks with other labels (CRLs, keys) are passed over.
pub(super) fn certificates(text: &[u8]) -> Result<Vec<Block>, PemError> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut found = Vec::new();
    let mut place = Place { block: 0, line: 0 };
    let mut lines = (1..).zip(text.split(|byte| *byte == b'\n')).map(|(number, line)| (number, line.trim_ascii()));
    while let Some((number, line)) = lines.next() {
        let Some(label) = line.strip_prefix(b"-----BEGIN ") else {
            continue;
        };
        place = Place { block: place.block + 1, line: number };
        let broken = |cause| PemError { place, cause };
        let label = label.strip_suffix(b"-----").ok_or_else(|| broken(Cause::Begin))?;
        let end = [b"-----END ", label, b"-----"].concat();
        let mut body = Vec::new();
        loop {
            match lines.next() {
                Some((_, line)) if line == end => break,
                Some((_, line)) if !line.starts_with(b"-----") => body.extend([line, b"\n"].concat()),
                _ => return Err(broken(Cause::NoEnd)),
            }
        }
        match label {
            b"CERTIFICATE" | b"X509 CERTIFICATE" => {
                let der = decode(&body).map_err(broken)?;
                found.push(Block { place, der });
            }
            // A certificate, and behind it what OpenSSL trusts it for (openssl-x509(1)).
            b"TRUSTED CERTIFICATE" => {
                let der = decode(&body).map_err(broken)?;
                let certificate = der::take(&mut &*der).ok_or_else(|| broken(Cause::NotTrusted))?;
                found.push(Block { place, der: certificate.whole.to_vec().into() });
            }
            _ => {}
        }
    }
    Ok(found)
}

fn decode(body: &[u8]) -> Result<CertificateDer<'static>, Cause> {
    let block = [b"-----BEGIN CERTIFICATE-----\n", body, b"-----END CERTIFICATE-----\n"].concat();
    CertificateDer::from_pem_slice(&block).map_err(Cause::Base64)
}
