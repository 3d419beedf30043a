//! `record`: a proxy that writes cassettes.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use codex_stream::ExitStatus;
use response_events::Wire;
use stream_replay::{Bodies, Cassette, RecordedExchange, Recorder};

use crate::{
    cli::RecordArgs,
    diagnostics,
    problem::{Problem, usage},
    serving::{self, Stop},
};

pub(crate) fn run(args: RecordArgs) -> Result<ExitStatus, Problem> {
    if let Some(endpoint) = endpoint(&args.upstream) {
        return Err(usage(format_args!("--upstream ends with {endpoint}, which clients add to it")));
    }
    let failed = Arc::new(AtomicBool::new(false));
    let any_failed = Arc::clone(&failed);
    let bodies = if args.keep_bodies { Bodies::Keep } else { Bodies::Withhold };
    let recorder = Recorder::builder(args.upstream).folder(args.out).listen(args.listen).bodies(bodies).on_written(
        move |path, written| match written {
            Ok(cassette) => diagnostics::note(&format!("wrote {}{}", path.display(), lack(cassette))),
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

/// The path of an endpoint, if the URL ends with one. A host may have the name of an endpoint, too.
fn endpoint(url: &str) -> Option<&'static str> {
    let (_, behind_scheme) = url.trim().split_once("://")?;
    let path = behind_scheme[behind_scheme.find('/')?..].trim_end_matches('/');
    [Wire::Responses.path(), Wire::Chat.path()].into_iter().find(|endpoint| path.ends_with(endpoint))
}

/// What is not in a cassette although it came: a body that nobody could look for secrets in.
fn lack(cassette: &Cassette) -> String {
    let coding = |exchange: &RecordedExchange| {
        let coding = exchange.response.as_ref()?.header("content-encoding")?;
        let is_coded = !coding.eq_ignore_ascii_case(b"identity") && exchange.chunks().is_empty();
        is_coded.then(|| String::from_utf8_lossy(coding).into_owned())
    };
    let coding = cassette.exchanges().iter().find_map(coding);
    coding.map_or_else(String::new, |coding| format!(" without its body: coded as {coding}"))
}

#[cfg(test)]
mod tests {
    use super::endpoint;

    #[test]
    fn the_path_of_an_endpoint_is_found_and_a_host_is_none() {
        for (url, expected) in [
            ("http://host/v1/responses", Some("/responses")),
            (" https://host/chat/completions// ", Some("/chat/completions")),
            ("http://responses", None),
            ("http://responses/", None),
            ("http://responses/v1", None),
            ("http://host", None),
            ("/responses", None),
        ] {
            assert_eq!(endpoint(url), expected, "{url}");
        }
    }
}
