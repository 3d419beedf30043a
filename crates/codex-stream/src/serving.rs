//! What servers of the command line have in common: how they say where they are, and what ends them.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use codex_stream::ExitStatus;
use tokio::runtime::{Builder, Runtime};

use crate::problem::{Problem, usage};

pub(crate) fn runtime() -> Result<Runtime, Problem> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| usage(format_args!("cannot start: {error}")))
}

/// Tells the address to whoever waits for it.
pub(crate) fn announce(port_file: Option<&Path>, port: u16, base_url: &str) -> Result<(), Problem> {
    if let Some(path) = port_file {
        write_port(path, port).map_err(|error| usage(format_args!("cannot write {}: {error}", path.display())))?;
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{base_url}")?;
    Ok(out.flush()?)
}

/// In one step, so that nobody who waits for the file reads half a number.
fn write_port(path: &Path, port: u16) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".part");
    fs::write(&unfinished, format!("{port}\n"))?;
    fs::rename(&unfinished, path)
}

/// The signals that end the server.
pub(crate) struct Stop {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Stop {
    pub(crate) fn new() -> Result<Self, Problem> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).map_err(|error| usage(format_args!("cannot wait for signals: {error}")));
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// To be told to end is the usual end of a server; to be interrupted is what it is for every subcommand.
    pub(crate) async fn wait(&mut self) -> ExitStatus {
        tokio::select! {
            _ = self.interrupt.recv() => ExitStatus::Interrupted,
            _ = self.terminate.recv() => ExitStatus::Success,
        }
    }
}

#[cfg(not(unix))]
impl Stop {
    #[expect(clippy::unnecessary_wraps, reason = "the same shape on every system")]
    pub(crate) fn new() -> Result<Self, Problem> {
        Ok(Self {})
    }

    pub(crate) async fn wait(&mut self) -> ExitStatus {
        // Without a handler the system ends the process itself.
        let _ = tokio::signal::ctrl_c().await;
        ExitStatus::Interrupted
    }
}
