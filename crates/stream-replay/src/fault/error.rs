//! What is wrong with a script.

use std::path::PathBuf;
use std::{error, fmt, io};

/// Why a [`FaultScript`](crate::FaultScript) could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum ScriptError {
    /// The script's file could not be read.
    Read {
        /// The file that was asked for.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// A line that is not understood.
    Syntax {
        /// The number of the line, from 1.
        line: usize,
        /// The number of the first wrong character in the line, from 1; one behind the last where something is
        /// missing.
        column: usize,
        /// What is wrong, as the end of a sentence.
        message: String,
    },
    /// A file that is to be sent could not be read.
    File {
        /// The number of the line, from 1.
        line: usize,
        /// The number of the first character of the name in the line, from 1.
        column: usize,
        /// The file that was asked for.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, .. } => write!(f, "cannot read the fault script {}", path.display()),
            Self::Syntax { line, column, message } => write!(f, "line {line}, column {column}: {message}"),
            Self::File { line, column, path, .. } => {
                write!(f, "line {line}, column {column}: cannot read the file {}", path.display())
            }
        }
    }
}

impl error::Error for ScriptError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Read { source, .. } | Self::File { source, .. } => Some(source),
            Self::Syntax { .. } => None,
        }
    }
}

/// What is wrong in a line, before its number is known.
#[derive(Debug)]
pub(crate) struct Wrong {
    /// Where it is not the line that is being read.
    line: Option<usize>,
    column: usize,
    what: What,
}

#[derive(Debug)]
enum What {
    Syntax(String),
    File(PathBuf, io::Error),
}

impl Wrong {
    pub(crate) fn new(column: usize, message: impl Into<String>) -> Self {
        Self { line: None, column, what: What::Syntax(message.into()) }
    }

    pub(super) fn file(column: usize, path: PathBuf, source: io::Error) -> Self {
        Self { line: None, column, what: What::File(path, source) }
    }

    pub(super) fn earlier(self, line: usize) -> Self {
        Self { line: Some(line), ..self }
    }

    /// The error, in the line that is being read unless it is in an earlier one.
    pub(super) fn in_line(self, line: usize) -> ScriptError {
        let (line, column) = (self.line.unwrap_or(line), self.column);
        match self.what {
            What::Syntax(message) => ScriptError::Syntax { line, column, message },
            What::File(path, source) => ScriptError::File { line, column, path, source },
        }
    }

    /// Where in the line, and what; for whoever reads lines of another kind.
    pub(crate) fn into_parts(self) -> (usize, String) {
        let message = match self.what {
            What::Syntax(message) => message,
            What::File(path, _) => format!("cannot read the file {}", path.display()),
        };
        (self.column, message)
    }
}
