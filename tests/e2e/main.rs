//! Whole turns with real peers: nginx and haproxy in front of a replay server, aimock as a service of its own, and a
//! browser for the pages that show a turn.
//!
//! `cargo xtask e2e` finds the peers, builds this program, and runs it with the paths of those that are there. It says
//! one line a check, and ends with 0 when all have passed.

mod authority;
mod checks;
mod client;
mod options;
mod pages;
mod peers;
mod report;
#[path = "../tests/support/mod.rs"]
mod support;

use std::process::ExitCode;

use options::Options;
use peers::{Aimock, Browser, Proxy};
use report::Report;

/// What shells say of a program that was interrupted.
const INTERRUPTED: u8 = 130;

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Options::from_words(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(2);
        }
    };
    report::keep_panics();
    // Whatever runs belongs to the future: it ends with it.
    tokio::select! {
        report = run(options) => match report {
            Ok(report) => report.finish(),
            Err(message) => {
                eprintln!("error: {message}");
                ExitCode::FAILURE
            }
        },
        () = interrupted() => ExitCode::from(INTERRUPTED),
    }
}

/// Somebody wants the program to end.
#[cfg(unix)]
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};

    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        },
        Err(_) => _ = tokio::signal::ctrl_c().await,
    }
}

/// Somebody wants the program to end.
#[cfg(not(unix))]
async fn interrupted() {
    _ = tokio::signal::ctrl_c().await;
}

async fn run(options: Options) -> Result<Report, String> {
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let mut report = Report::default();
    for (kind, program) in options.proxies {
        let proxy = Proxy::start(kind, &program, folder.path()).await?;
        for check in checks::of_proxies(kind) {
            let site = proxy.site(&check.name);
            report.run(kind.name(), &check.name, (check.run)(site)).await;
        }
        proxy.stop().await;
    }
    if let Some(program) = options.aimock {
        let aimock = Aimock::start(&program, folder.path()).await?;
        for check in checks::of_aimock() {
            report.run("aimock", &check.name, (check.run)(aimock.service(&check.name))).await;
        }
        aimock.stop().await;
    }
    if let Some(program) = options.browser {
        let pictures = options.pictures.unwrap_or_else(|| folder.path().join("pictures"));
        let browser = Browser::new(&program, folder.path(), &pictures)?;
        for check in checks::of_browser() {
            report.run("browser", &check.name, (check.run)(browser.clone())).await;
        }
    }
    Ok(report)
}
