//! The clients, each used as its documentation shows.

mod async_openai;
mod codex;
mod python;
mod rig;

use std::path::PathBuf;

use crate::{scenarios::Wire, seen::Seen};

/// How far a stream is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// To its end.
    End,
    /// To the first text; then the stream is dropped.
    Text,
}

/// Who is asked to ask.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    Codex,
    Rig,
    AsyncOpenai,
    /// `openai-python`, with the interpreter that has it.
    Python(PathBuf),
}

impl Subject {
    /// All that can be run here. `COMPARE_PYTHON` names an interpreter that has the package `openai`.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![Self::Codex, Self::Rig, Self::AsyncOpenai];
        all.extend(std::env::var_os("COMPARE_PYTHON").map(|python| Self::Python(python.into())));
        all
    }

    /// The heading of its column; the versions are those of `Cargo.toml` and of `cargo xtask compare`.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Codex => "codex-api",
            Self::Rig => "rig-core",
            Self::AsyncOpenai => "async-openai",
            Self::Python(_) => "openai-python",
        }
        .to_owned()
    }

    /// Makes one streamed request. What is seen is there also when nobody waits for the end.
    pub(crate) async fn ask(&self, base_url: &str, wire: Wire, until: Until, seen: &mut Seen) {
        match self {
            Self::Codex => codex::ask(base_url, wire, until, seen).await,
            Self::Rig => rig::ask(base_url, wire, until, seen).await,
            Self::AsyncOpenai => async_openai::ask(base_url, wire, until, seen).await,
            Self::Python(python) => python::ask(python, base_url, wire, until, seen).await,
        }
    }
}
