//! `replay`: recorded streams on a loopback port.

use std::{fs, path::Path};

use codex_stream::ExitStatus;
use stream_replay::{Cassette, FaultScript, ReplayServer, ReplayServerBuilder, Response, ScriptError};

use crate::{
    cli::{ReplayArgs, Speed},
    diagnostics,
    problem::{Problem, usage},
    serving::{self, Stop},
};

pub(crate) fn run(args: &ReplayArgs) -> Result<ExitStatus, Problem> {
    let mut server = ReplayServer::builder().listen(args.listen);
    if let Some(path) = &args.fault {
        server = server.fault(fault_script(path, args)?);
    }
    for path in &args.cassettes {
        server = responses(path, args)?.into_iter().fold(server, ReplayServerBuilder::respond);
    }
    let runtime = serving::runtime()?;
    runtime.block_on(async {
        // Before anybody is told the address: whoever knows it may ask to stop.
        let mut stop = Stop::new()?;
        let server = server.start().await;
        let server = server.map_err(|error| usage(format_args!("cannot listen on {}: {error}", args.listen)))?;
        serving::announce(args.port_file.as_deref(), server.addr().port(), &server.base_url())?;
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

/// The answers of one file.
fn responses(path: &Path, args: &ReplayArgs) -> Result<Vec<Response>, Problem> {
    let shown = path.display();
    let content = fs::read(path);
    let content = content.map_err(|error| usage(format_args!("cannot read the recorded stream {shown}: {error}")))?;
    let is_cassette = Cassette::is_cassette(&content);
    let is_stream = !is_cassette && path.extension().is_some_and(|name| name.eq_ignore_ascii_case("sse"));
    let responses = if is_stream {
        // At either speed: a plain event stream has no times.
        vec![Response::sse(content)]
    } else {
        let cassette = Cassette::parse(&content).map_err(|error| {
            let hint = if is_cassette { "" } else { "; an event stream is served from a file that is named `.sse`" };
            usage(format_args!("{shown}: {error}{hint}"))
        })?;
        recorded(&cassette, args.speed)
    };
    if responses.is_empty() {
        return Err(usage(format_args!("{shown}: the cassette holds no exchange")));
    }
    Ok(match args.hold_open.and_then(|hold| hold.0) {
        Some(hold) => responses.into_iter().map(|response| response.hold_open(hold)).collect(),
        None => responses,
    })
}

/// The answers of a cassette, as many as it has exchanges.
fn recorded(cassette: &Cassette, speed: Speed) -> Vec<Response> {
    let speed = match speed {
        Speed::Recorded => stream_replay::Speed::Recorded,
        Speed::Max => stream_replay::Speed::Max,
    };
    Response::all_recorded(cassette, speed).collect()
}
