//! `cargo xtask external-types`: public types of others are part of our promise, so each crate lists whose it names.

mod allowed;
mod public_api;

use std::fs;

use allowed::ALLOWED;

use super::toolchain::Toolchain;
use super::{GateResult, Outcome, crates, no_problems};
use crate::workspace::{self, Workspace};

const INSTALL: &str = "the public API is read from what only a nightly rustdoc writes; \
    install one with: rustup toolchain install nightly --profile minimal";

/// Compares the API with all features, as it is on this platform, with the lists.
pub(super) fn run(workspace: &Workspace) -> GateResult {
    let Some(nightly) = Toolchain::find("nightly") else {
        return Ok(Outcome::Skipped(INSTALL.to_owned()));
    };
    let target = workspace.target_folder()?;
    let crates = crates::published(workspace)?;
    let (mut count, mut problems) = (0, Vec::new());
    for package in &crates {
        let name = &package.name;
        let args = ["rustdoc", "--quiet", "--locked", "--lib", "--all-features", "--package", name];
        let status = nightly
            .cargo(&workspace.root, &args)
            .args(["--", "-Z", "unstable-options", "--output-format", "json"])
            .status()
            .map_err(|error| format!("rustup did not start: {error}"))?;
        if !status.success() {
            return Err(format!("rustdoc of `{name}` failed: {status}").into());
        }
        let path = target.join("doc").join(format!("{}.json", name.replace('-', "_")));
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mentions = public_api::mentions(&workspace::parse(&text)?)?;
        count += mentions.len();
        problems.extend(allowed::check(ALLOWED, name, &mentions));
    }
    no_problems("types of others in the public API", &problems)?;
    Ok(Outcome::Passed(format!("{} crates name types of others at {count} places, all allowed", crates.len())))
}
