//! `cargo xtask package`: each published crate holds what belongs to it, no more, and says what it is.

mod contents;
mod fields;

use std::fs;

use contents::File;

use super::crates::{self, Published};
use super::{Extent, GateResult, Outcome, no_problems};
use crate::cargo;
use crate::workspace::Workspace;

/// Looks at lists and manifests; in full packs all crates, too, each with the others as if they were published.
///
/// Nothing is built from the packed files: `cargo publish` does that.
pub(super) fn run(workspace: &Workspace, extent: Extent) -> GateResult {
    let crates = crates::published(workspace)?;
    let mut problems = Vec::new();
    for package in &crates {
        let files = files(workspace, package)?;
        println!("{:<17}{:>4} files {:>5} KiB", package.name, files.len(), contents::size(&files).div_ceil(1024));
        problems.extend(contents::check(&files).into_iter().map(|problem| format!("{}: {problem}", package.name)));
        problems
            .extend(fields::check(&package.entry).into_iter().map(|problem| format!("{}: {problem}", package.name)));
        problems.extend(other_licences(workspace, package));
    }
    no_problems("packages that cannot be published as they are", &problems)?;
    let count = crates.len();
    if extent == Extent::Quick {
        return Ok(Outcome::Passed(format!("files and manifests of {count} crates")));
    }
    let mut args = vec!["package", "--quiet", "--no-verify", "--allow-dirty", "--locked"];
    args.extend(crates.iter().flat_map(|package| ["--package", &package.name]));
    cargo::output(&workspace.root, &args)?;
    Ok(Outcome::Passed(format!("{count} crates packed together; not built from what was packed")))
}

/// What would be packed; what cargo makes itself has no size.
fn files(workspace: &Workspace, package: &Published) -> Result<Vec<File>, String> {
    let args = ["package", "--quiet", "--list", "--allow-dirty", "--package", &package.name];
    let list = cargo::output(&workspace.root, &args)?;
    let file = |path: &str| {
        let bytes = fs::metadata(package.folder.join(path)).map_or(0, |metadata| metadata.len());
        File { path: path.replace('\\', "/"), bytes }
    };
    Ok(list.lines().filter(|line| !line.is_empty()).map(file).collect())
}

/// The crate's licence texts that are not those of the project.
fn other_licences(workspace: &Workspace, package: &Published) -> Vec<String> {
    let differs = |name: &&&str| {
        let read = |folder: &std::path::Path| fs::read(folder.join(name)).ok();
        read(&package.folder) != read(&workspace.root)
    };
    let other = contents::LICENCES.iter().filter(differs);
    other.map(|name| format!("{}: {name} is not that of the project: copy it", package.name)).collect()
}
