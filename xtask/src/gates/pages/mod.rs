//! `cargo xtask pages`: the programs of a page build and run with the dependencies that the page prints.
//!
//! As doctests of the workspace they are given whatever anybody in it has turned on; here each page is a package of its
//! own, with what a reader would have written down.

mod manifest;

use std::fs;
use std::path::Path;
use std::time::Instant;

use super::{Extent, GateResult, Outcome, no_problems};
use crate::cargo;
use crate::workspace::Workspace;

struct Page {
    /// The package that is made of it.
    name: &'static str,
    path: &'static str,
    /// Whether the quick check looks at it.
    extent: Extent,
}

/// The recipes need most, and name most.
const PAGES: &[Page] = &[
    Page { name: "recipes", path: "docs/recipes.md", extent: Extent::Quick },
    Page { name: "readme", path: "README.md", extent: Extent::Full },
    Page { name: "offline-testing", path: "docs/offline-testing.md", extent: Extent::Full },
];

/// Quick: the recipes. Full: every page that tells a reader what to depend on.
pub(super) fn run(workspace: &Workspace, extent: Extent) -> GateResult {
    let pages = || PAGES.iter().filter(|page| extent == Extent::Full || page.extent == Extent::Quick);
    let folder = workspace.target_folder()?.join("pages");
    let members: Vec<_> = pages().map(|page| page.name).collect();
    write(&folder, "Cargo.toml", &manifest::of_workspace(&members))?;
    // The versions of the workspace, as far as they are needed.
    write(&folder, "Cargo.lock", &read(&workspace.root.join("Cargo.lock"))?)?;
    for page in pages() {
        let text = read(&workspace.root.join(page.path))?;
        let manifest = manifest::of_page(page.name, &text, &workspace.root)
            .map_err(|problem| format!("{}: {problem}", page.path))?;
        let package = folder.join(page.name);
        write(&package, "Cargo.toml", &manifest)?;
        write(&package.join("src"), "lib.rs", "#![doc = include_str!(\"page.md\")]\n")?;
        write(&package.join("src"), "page.md", &text)?;
    }
    let mut problems = Vec::new();
    for page in pages() {
        let begin = Instant::now();
        if !passes(workspace, &folder, page)? {
            problems.push(format!("{}, as a package in {}", page.path, folder.join(page.name).display()));
        }
        println!("{:<17}{:.1} s", page.name, begin.elapsed().as_secs_f64());
    }
    no_problems("pages whose programs need more than the page says", &problems)?;
    Ok(Outcome::Passed(format!("{} pages with the dependencies that they print", members.len())))
}

/// Each for itself: built together, one page would turn on features for the other.
fn passes(workspace: &Workspace, folder: &Path, page: &Page) -> Result<bool, String> {
    let mut command = cargo::command(&workspace.root, &["test", "--quiet", "--doc", "--package", page.name]);
    command.arg("--manifest-path").arg(folder.join("Cargo.toml"));
    command.arg("--target-dir").arg(workspace.target_folder()?);
    let status = command.status().map_err(|error| format!("cargo did not start: {error}"))?;
    Ok(status.success())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    let file = folder.join(name);
    // What did not change is not touched, or cargo would build it again.
    if fs::read_to_string(&file).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(&file, text));
    written.map_err(|error| format!("{}: {error}", file.display()))
}
