//! `cargo xtask conformance`: the cases of the Autobahn WebSocket suite against `ws-codec` as a client.
//!
//! The suite is the Python package `kosoku`, which lives in the build output. This task is optional: it needs Python
//! and, the first time, the package index.

mod server;
mod verdict;

use crate::peer_bench::{self, Program};
use crate::python::Environment;
use crate::{TaskResult, workspace::Workspace};

/// The name under which the suite reports on `ws-codec`.
const AGENT: &str = "ws-codec";

/// Pinned, so that the number of cases and their meaning stay the same.
const PACKAGE: &str = "kosoku==0.1.0";

/// Runs the cases; fails when the requirement is not met.
pub(crate) fn run(workspace: &Workspace) -> TaskResult {
    let folder = workspace.target_folder()?.join("conformance");
    let suite = Environment::with_package("conformance", &folder, PACKAGE)?.program("kosoku");
    let mut client = Program::AutobahnClient.build(workspace)?;

    let reports = folder.join("reports");
    let server = server::Server::start(&suite, &reports)?;
    client.args([server.address(), AGENT]);
    peer_bench::run(client)?;
    server.wait()?;

    let verdict = verdict::Verdict::read(&reports, AGENT)?;
    print!("{verdict}");
    println!("the report: {}", reports.join("index.html").display());
    if verdict.is_met() { Ok(()) } else { Err(format!("required: {}", verdict::REQUIREMENT).into()) }
}
