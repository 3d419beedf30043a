//! What keeps a command from doing its work, as opposed to a request that fails.

use std::{fmt::Display, io};

use codex_stream::ExitStatus;

use crate::diagnostics;

#[derive(Debug)]
pub(crate) enum Problem {
    /// The arguments, the environment or a named file cannot be used; one sentence.
    Usage(String),
    /// Standard output does not take any more.
    Output(io::Error),
}

impl Problem {
    pub(crate) fn report(self) -> ExitStatus {
        match self {
            Self::Usage(message) => {
                diagnostics::error(&message);
                ExitStatus::Usage
            }
            // Whoever read the output has seen enough (`| head`).
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitStatus::Success,
            Self::Output(error) => {
                diagnostics::error(&format!("cannot write the output: {error}"));
                ExitStatus::Usage
            }
        }
    }
}

impl From<io::Error> for Problem {
    /// Only writing fails with a bare I/O error; everything else names its file or address.
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

pub(crate) fn usage(message: impl Display) -> Problem {
    Problem::Usage(message.to_string())
}
