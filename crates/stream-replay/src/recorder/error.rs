//! Why a recorder could not start.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::{error, fmt, io};

/// Why a [`Recorder`](crate::Recorder) could not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum RecorderError {
    /// The service's URL cannot be used.
    Upstream {
        /// What is wrong with it, as the end of a sentence.
        message: String,
    },
    /// The folder for cassettes cannot be made or looked into.
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// The way to the service cannot be set up: a file of root certificates, or a proxy's URL.
    Transport {
        /// What is wrong.
        source: Box<dyn error::Error + Send + Sync>,
    },
    /// The address cannot be listened on.
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

impl fmt::Display for RecorderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upstream { message } => write!(f, "cannot use the upstream URL: {message}"),
            Self::Folder { path, .. } => write!(f, "cannot write cassettes to {}", path.display()),
            Self::Transport { .. } => write!(f, "cannot set up the way to the service"),
            Self::Listen { addr, .. } => write!(f, "cannot listen on {addr}"),
        }
    }
}

impl error::Error for RecorderError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Upstream { .. } => None,
            Self::Folder { source, .. } | Self::Listen { source, .. } => Some(source),
            Self::Transport { source } => Some(source.as_ref()),
        }
    }
}
