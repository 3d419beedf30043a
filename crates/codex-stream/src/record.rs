//! `record`: a proxy that writes cassettes.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use codex_stream::ExitStatus;
use stream_replay::{Bodies, Recorder};

use crate::{
    cli::RecordArgs,
    diagnostics,
    problem::{Problem, usage},
    serving::{self, Stop},
};

pub(crate) fn run(args: RecordArgs) -> Result<ExitStatus, Problem> {
    let failed = Arc::new(AtomicBool::new(false));
    let any_failed = Arc::clone(&failed);
    let bodies = if args.keep_bodies { Bodies::Keep } else { Bodies::Withhold };
    let recorder = Recorder::builder(args.upstream).folder(args.out).listen(args.listen).bodies(bodies).on_written(
        move |path, written| match written {
            Ok(()) => diagnostics::note(&format!("wrote {}", path.display())),
            Err(error) => {
                any_failed.store(true, Ordering::Relaxed);
                diagnostics::error(&format!("cannot write {}: {error}", path.display()));
            }
        },
    );
    let status = serving::runtime()?.block_on(async {
        // Before anybody is told the address: whoever knows it may ask to stop.
        let mut stop = Stop::new()?;
        let recorder = recorder.start().await.map_err(|error| match error.source() {
            Some(cause) => usage(format_args!("{error}: {cause}")),
            None => usage(error),
        })?;
        serving::announce(args.port_file.as_deref(), recorder.addr().port(), &recorder.base_url())?;
        let status = stop.wait().await;
        // Writes what is still under way.
        recorder.shutdown().await;
        Ok::<_, Problem>(status)
    })?;
    // Who was told to write and could not must not look as if all was well.
    Ok(if failed.load(Ordering::Relaxed) { ExitStatus::Usage } else { status })
}
