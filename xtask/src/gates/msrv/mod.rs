//! `cargo xtask msrv`: the libraries build with the oldest compiler that their manifests promise.

mod declared;

use std::process::{Command, Stdio};

use declared::Declared;
use serde_json::Value;

use super::crates::{self, Published};
use super::toolchain::Toolchain;
use super::{Extent, GateResult, Outcome, no_problems};
use crate::cargo;
use crate::workspace::{self, Workspace};

/// Compares what the dependencies ask for with the promise; in full builds the libraries with that compiler, too.
pub(super) fn run(workspace: &Workspace, extent: Extent) -> GateResult {
    let metadata = metadata(workspace)?;
    let crates = crates::from_metadata(&metadata)?;
    let promise = promise(&crates)?;
    let declared = Declared::read(&metadata, &crates, promise)?;
    let title = format!("dependencies that ask for a compiler newer than {promise}");
    no_problems(&title, &declared.too_new)?;
    if extent == Extent::Quick {
        return Ok(Outcome::Passed(declared.to_string()));
    }
    let Some(toolchain) = Toolchain::find(promise) else {
        return Ok(Outcome::Skipped(format!(
            "no library was built, because Rust {promise} is not installed ({declared}); \
             install it with: rustup toolchain install {promise} --profile minimal"
        )));
    };
    build(workspace, &toolchain, &crates)?;
    Ok(Outcome::Passed(format!("{} libraries build with Rust {promise}; {declared}", crates.len())))
}

/// With the dependencies of all platforms. Where those of others cannot be fetched, this platform's have to do.
fn metadata(workspace: &Workspace) -> Result<Value, String> {
    let mut args = vec!["metadata", "--format-version", "1", "--locked", "--all-features"];
    let everywhere = cargo::command(&workspace.root, &args).stderr(Stdio::null()).output();
    if let Ok(output) = everywhere {
        if output.status.success() {
            return workspace::parse(&String::from_utf8_lossy(&output.stdout));
        }
    }
    println!("the dependencies of other platforms are out of reach: only those of this one are looked at");
    let host = host()?;
    args.extend(["--filter-platform", &host]);
    workspace::parse(&cargo::output(&workspace.root, &args)?)
}

/// The platform of the compiler in use.
fn host() -> Result<String, String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().map_err(|error| format!("rustc did not start: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc does not say what its platform is".to_owned())
}

/// The version that all crates promise together.
fn promise(crates: &[Published]) -> Result<&str, String> {
    let mut versions = crates.iter().map(|package| package.rust_version.as_deref());
    match versions.next() {
        Some(Some(first)) if versions.all(|version| version == Some(first)) => Ok(first),
        _ => Err("the crates do not all have the same `rust-version`".to_owned()),
    }
}

fn build(workspace: &Workspace, toolchain: &Toolchain, crates: &[Published]) -> Result<(), String> {
    let mut args = vec!["check", "--locked", "--lib", "--all-features"];
    args.extend(crates.iter().flat_map(|package| ["--package", &package.name]));
    let status =
        toolchain.cargo(&workspace.root, &args).status().map_err(|error| format!("rustup did not start: {error}"))?;
    if status.success() { Ok(()) } else { Err("a library does not build, as shown above".to_owned()) }
}
