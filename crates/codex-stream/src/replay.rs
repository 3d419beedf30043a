//! `replay`: recorded streams on a loopback port.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use codex_stream::ExitStatus;
use stream_replay::{FaultScript, ReplayServer, Response, ScriptError};

use crate::{
    cli::ReplayArgs,
    diagnostics,
    problem::{Problem, not_yet, usage},
};

pub(crate) fn run(args: &ReplayArgs) -> Result<ExitStatus, Problem> {
    let mut server = ReplayServer::builder().listen(args.listen);
    if let Some(path) = &args.fault {
        server = server.fault(fault_script(path, args)?);
    }
    for path in &args.cassettes {
        server = server.respond(response(path, args)?);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| usage(format_args!("cannot start: {error}")))?;
    runtime.block_on(async {
        // Before anybody is told the address: whoever knows it may ask to stop.
        let mut stop = Stop::new().map_err(|error| usage(format_args!("cannot wait for signals: {error}")))?;
        let server = server.start().await;
        let server = server.map_err(|error| usage(format_args!("cannot listen on {}: {error}", args.listen)))?;
        if let Some(path) = &args.port_file {
            write_port(path, server.addr().port())
                .map_err(|error| usage(format_args!("cannot write {}: {error}", path.display())))?;
        }
        let mut out = io::stdout().lock();
        writeln!(out, "{}", server.base_url())?;
        out.flush()?;
        let status = stop.wait().await;
        server.shutdown().await;
        Ok(status)
    })
}

/// The script, if it goes together with the recordings.
fn fault_script(path: &Path, args: &ReplayArgs) -> Result<FaultScript, Problem> {
    let script = FaultScript::load(path).map_err(|error| match &error {
        ScriptError::Read { source, .. } => usage(format_args!("{error}: {source}")),
        ScriptError::File { source, .. } => usage(format_args!("{}: {error}: {source}", path.display())),
        _ => usage(format_args!("{}: {error}", path.display())),
    })?;
    match (script.serves(), args.cassettes.is_empty()) {
        (true, true) => Err(usage(format_args!("{} says `serve`, but no CASSETTE is given", path.display()))),
        (false, false) => {
            diagnostics::note(&format!("no CASSETTE is played, because {} never says `serve`", path.display()));
            Ok(script)
        }
        _ => Ok(script),
    }
}

fn response(path: &Path, args: &ReplayArgs) -> Result<Response, Problem> {
    if path.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("sse")) {
        return Err(not_yet(&format!("a cassette other than a .sse file ({})", path.display())));
    }
    // At either speed: a plain event stream has no times.
    let response = Response::sse_file(path).map_err(|error| match std::error::Error::source(&error) {
        Some(cause) => usage(format_args!("{error}: {cause}")),
        None => usage(error),
    })?;
    Ok(match args.hold_open.and_then(|hold| hold.0) {
        Some(hold) => response.hold_open(hold),
        None => response,
    })
}

/// In one step, so that nobody who waits for the file reads half a number.
fn write_port(path: &Path, port: u16) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".part");
    fs::write(&unfinished, format!("{port}\n"))?;
    fs::rename(&unfinished, path)
}

/// The signals that end the server.
struct Stop {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Stop {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// To be told to end is the usual end of a server; to be interrupted is what it is for every subcommand.
    async fn wait(&mut self) -> ExitStatus {
        tokio::select! {
            _ = self.interrupt.recv() => ExitStatus::Interrupted,
            _ = self.terminate.recv() => ExitStatus::Success,
        }
    }
}

#[cfg(not(unix))]
impl Stop {
    #[expect(clippy::unnecessary_wraps, reason = "the same shape on every system")]
    fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    async fn wait(&mut self) -> ExitStatus {
        // Without a handler the system ends the process itself.
        let _ = tokio::signal::ctrl_c().await;
        ExitStatus::Interrupted
    }
}
