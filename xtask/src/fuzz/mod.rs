//! `cargo xtask fuzz`: libFuzzer looks for inputs that break a property of `tests/fuzz`.
//!
//! cargo-fuzz builds the targets; they are run without it, so that what is found lands in the build output.

mod report;
mod request;
mod session;

use std::path::Path;

use crate::{Failure, TaskResult, nightly, workspace::Workspace};
use request::Request;
use session::Session;

/// The crate with the targets.
const FOLDER: &str = "tests/fuzz";

const INSTALL: &str = "cargo install cargo-fuzz --locked";

/// Builds the targets, runs one after another for the same time, and says in a line each what came of it.
pub(crate) fn run(workspace: &Workspace, words: &[String]) -> TaskResult {
    let known = targets(&workspace.root)?;
    let request = Request::from_words(words, &known)?;
    if let Some(missing) = nightly::missing(&workspace.root, "fuzz", INSTALL) {
        return Err(missing.into());
    }
    let session = Session::new(workspace)?;
    if request.targets == known {
        session.build(None)?;
    } else {
        request.targets.iter().try_for_each(|target| session.build(Some(target)))?;
    }
    let mut passed = true;
    for target in &request.targets {
        let report = session.fuzz(target, request.seconds)?;
        println!("{}", report.line(target));
        if report.has_failed() {
            println!("{}", session.how_to_reproduce(target, &report));
            passed = false;
        }
    }
    if passed { Ok(()) } else { Err(Failure::Shown) }
}

/// The names of all targets: one file each.
fn targets(root: &Path) -> Result<Vec<String>, String> {
    let folder = root.join(FOLDER).join("targets");
    let problem = |error| format!("{}: {error}", folder.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(problem)? {
        let name = entry.map_err(problem)?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(".rs").map(str::to_owned));
    }
    names.sort();
    Ok(names)
}
