//! Root certificates besides those of the platform.

mod pem;
mod system;

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use crate::environment::Environment;
use crate::error::{Error, ErrorKind};
use crate::phase::Phase;

/// The first of these that has a value names a file.
const VARIABLES: [&str; 2] = ["CODEX_CA_CERTIFICATE", "SSL_CERT_FILE"];
/// The certificates of all the world's authorities take 300 KB.
const FILE_LIMIT: u64 = 16 * 1024 * 1024;

/// What the caller wants to be trusted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// In place of the file that the environment names.
    pub(crate) file: Option<PathBuf>,
    pub(crate) pem: Vec<Vec<u8>>,
    pub(crate) der: Vec<Vec<u8>>,
}

/// Where certificates come from, as messages have it.
enum Origin<'a> {
    Variable(&'static str, &'a Path),
    File(&'a Path),
    Given,
}

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name, path) => write!(f, "the CA file {} (from {name})", path.display()),
            Self::File(path) => write!(f, "the CA file {}", path.display()),
            Self::Given => f.write_str("the extra root PEM"),
        }
    }
}

impl Wanted {
    /// Reads and checks everything. Errors name the file, and the variable that it comes from.
    pub(crate) fn load(self, environment: &Environment) -> Result<Vec<CertificateDer<'static>>, Error> {
        let mut roots = match &self.file {
            Some(path) => read(&Origin::File(path), path)?,
            None => match environment.first(&VARIABLES) {
                Some((name, value)) => read_variable(name, value)?,
                None => system::instead_of_an_empty_name(environment),
            },
        };
        for pem in &self.pem {
            roots.extend(parse(&Origin::Given, pem)?);
        }
        for (index, der) in self.der.into_iter().map(CertificateDer::from).enumerate() {
            check(&der)
                .map_err(|cause| failed(format!("extra root certificate {} cannot be used", index + 1), cause))?;
            roots.push(der);
        }
        Ok(roots)
    }
}

fn read_variable(name: &'static str, value: OsString) -> Result<Vec<CertificateDer<'static>>, Error> {
    let path = PathBuf::from(value);
    read(&Origin::Variable(name, &path), &path)
}

fn read(origin: &Origin<'_>, path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let text = read_limited(path).map_err(|cause| failed(format!("{origin} cannot be read"), cause))?;
    parse(origin, &text)
}

fn read_limited(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(FILE_LIMIT + 1).read_to_end(&mut text)?;
    if text.len() as u64 > FILE_LIMIT {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is larger than 16 MiB"));
    }
    Ok(text)
}

/// A bundle may hold a few certificates that no root can be made of, as those of systems do; not only such.
fn parse(origin: &Origin<'_>, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let blocks = pem::certificates(text)
        .map_err(|error| failed(format!("{origin} is not valid PEM in {}", error.place), error.cause))?;
    let mut roots = Vec::with_capacity(blocks.len());
    let mut unusable = None;
    for block in blocks {
        match check(&block.der) {
            Ok(()) => roots.push(block.der),
            Err(cause) => {
                unusable.get_or_insert((block.place, cause));
            }
        }
    }
    match unusable {
        _ if !roots.is_empty() => Ok(roots),
        Some((place, cause)) => {
            Err(failed(format!("{origin} has no certificate that can be a root; the first is {place}"), cause))
        }
        None => Err(Error::new(ErrorKind::Config, Phase::Tls, format!("{origin} has no certificate in it"))),
    }
}

fn check(der: &CertificateDer<'_>) -> Result<(), rustls::Error> {
    RootCertStore::empty().add(der.clone())
}

fn failed(message: String, cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Config, Phase::Tls, message).with_source(cause)
}
