//! Recorded streams on disk.

use std::path::{Path, PathBuf};
use std::{error, fmt, fs, io};

use bytes::Bytes;

/// Why a recorded stream could not be loaded.
#[derive(Debug)]
#[non_exhaustive]
pub enum CassetteError {
    /// The file could not be read.
    Read {
        /// The file that was asked for.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
}

impl fmt::Display for CassetteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, .. } => {
                write!(f, "cannot read the recorded stream {}", path.display())
            }
        }
    }
}

impl error::Error for CassetteError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Read { source, .. } => Some(source),
        }
    }
}

/// The bytes of a plain `.sse` file, as they are.
pub(crate) fn read_sse(path: &Path) -> Result<Bytes, CassetteError> {
    match fs::read(path) {
        Ok(bytes) => Ok(bytes.into()),
        Err(source) => Err(CassetteError::Read { path: path.to_path_buf(), source }),
    }
}
