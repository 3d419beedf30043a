//! What is wrong with a cassette.

use std::path::{Path, PathBuf};
use std::{error, fmt, io};

use crate::fault::Wrong;

/// Why a recording could not be loaded.
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
    /// A line that is not understood.
    Syntax {
        /// The file, unless the text came from elsewhere.
        path: Option<PathBuf>,
        /// The number of the line, from 1; one behind the last where something is missing at the end.
        line: usize,
        /// The number of the first wrong character in the line, from 1; one behind the last where something is
        /// missing.
        column: usize,
        /// What was expected there, as the end of a sentence.
        message: String,
    },
}

impl fmt::Display for CassetteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, .. } => {
                write!(f, "cannot read the recorded stream {}", path.display())
            }
            Self::Syntax { path, line, column, message } => {
                if let Some(path) = path {
                    write!(f, "{}: ", path.display())?;
                }
                write!(f, "line {line}, column {column}: {message}")
            }
        }
    }
}

impl error::Error for CassetteError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Read { source, .. } => Some(source),
            Self::Syntax { .. } => None,
        }
    }
}

/// What is wrong in which line, before the file is known.
#[derive(Debug)]
pub(super) struct WrongLine {
    pub(super) line: usize,
    pub(super) wrong: Wrong,
}

impl WrongLine {
    pub(super) fn in_file(self, path: Option<&Path>) -> CassetteError {
        let (column, message) = self.wrong.into_parts();
        CassetteError::Syntax { path: path.map(Path::to_path_buf), line: self.line, column, message }
    }
}
