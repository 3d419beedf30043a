//! Whether the crates that say so build without the standard library.

use std::path::Path;
use std::process::Command;

use crate::{TaskResult, cargo, workspace::Workspace};

/// A target that has no standard library, so that a use of it anywhere, in a dependency too, fails the build.
const BARE: &str = "thumbv7em-none-eabi";

/// The package, and its features that bring no library of the standard's size.
const CRATES: &[(&str, &[&str])] = &[("sse-codec", &["", "bytes,stream,simdutf8"])];

/// Checks each crate for the bare target. Where that is not installed (`rustup target add`) the host has to do, which
/// sees uses of the standard library in the crate itself only.
pub(crate) fn run(workspace: &Workspace) -> TaskResult {
    let bare = is_installed(BARE);
    if !bare {
        println!("{BARE} is not installed: checked on the host, without the dependencies");
    }
    for (package, feature_sets) in CRATES {
        for features in *feature_sets {
            let mut args = vec!["check", "--package", package, "--no-default-features", "--features", features];
            if bare {
                args.extend(["--target", BARE]);
            }
            cargo::output(&workspace.root, &args)?;
        }
    }
    Ok(())
}

fn is_installed(target: &str) -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "target-libdir", "--target", target]).output();
    output.is_ok_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout);
        output.status.success() && Path::new(folder.trim()).is_dir()
    })
}
