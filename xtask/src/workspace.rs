//! The workspace as `cargo metadata` describes it: crates, folders, arrows between them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cargo;

/// The checkout that the tasks work on.
pub(crate) struct Workspace {
    /// Absolute path of the folder with the root manifest.
    pub(crate) root: PathBuf,
}

/// A crate of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Folder relative to the workspace root, with `/` between its parts.
    pub(crate) folder: String,
    /// Arrows to other crates of the workspace.
    pub(crate) arrows: Vec<Arrow>,
}

/// One dependency of a crate on another crate of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrow {
    pub(crate) target: String,
    pub(crate) kind: ArrowKind,
}

/// In which table of the manifest an arrow stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArrowKind {
    /// `[dependencies]` and `[build-dependencies]`: users of the crate get it too.
    Normal,
    /// `[dev-dependencies]`: tests and examples only.
    Dev,
}

impl Workspace {
    /// The workspace that this program belongs to.
    pub(crate) fn locate() -> Result<Self, String> {
        // Cargo sets the variable at run time; the built-in value serves a program started by hand.
        let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        match manifest_dir.parent() {
            Some(root) if root.join("Cargo.toml").is_file() => Ok(Self { root: root.to_path_buf() }),
            _ => Err(format!("no workspace above {}", manifest_dir.display())),
        }
    }

    /// All crates of the workspace, by name.
    pub(crate) fn packages(&self) -> Result<Vec<Package>, String> {
        let args = ["metadata", "--format-version", "1", "--no-deps"];
        packages_from(&cargo::output(&self.root, &args)?)
    }

    /// The folder of build output.
    pub(crate) fn target_folder(&self) -> Result<PathBuf, String> {
        let args = ["metadata", "--format-version", "1", "--no-deps"];
        target_folder_from(&cargo::output(&self.root, &args)?)
    }
}

fn target_folder_from(metadata: &str) -> Result<PathBuf, String> {
    Ok(PathBuf::from(text(&parse(metadata)?, "target_directory")?))
}

pub(crate) fn parse(metadata: &str) -> Result<Value, String> {
    serde_json::from_str(metadata).map_err(|error| format!("cargo metadata is not JSON: {error}"))
}

/// Reads the output of `cargo metadata --no-deps`.
pub(crate) fn packages_from(metadata: &str) -> Result<Vec<Package>, String> {
    let metadata = parse(metadata)?;
    let root = text(&metadata, "workspace_root")?;
    let entries = list(&metadata, "packages")?;
    let names = entries.iter().map(|entry| text(entry, "name")).collect::<Result<BTreeSet<_>, _>>()?;
    let mut packages = entries.iter().map(|entry| package(entry, root, &names)).collect::<Result<Vec<_>, _>>()?;
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(packages)
}

fn package(entry: &Value, root: &str, names: &BTreeSet<&str>) -> Result<Package, String> {
    let manifest = Path::new(text(entry, "manifest_path")?);
    let folder = manifest
        .parent()
        .and_then(|folder| folder.strip_prefix(root).ok())
        .ok_or_else(|| format!("{} is outside of {root}", manifest.display()))?;
    let parts: Vec<_> = folder.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    let mut arrows = Vec::new();
    for dependency in list(entry, "dependencies")? {
        let target = text(dependency, "name")?;
        // A crate of the same name from the registry has no path: it is no arrow.
        if names.contains(target) && dependency.get("path").is_some_and(Value::is_string) {
            let kind = match dependency.get("kind").and_then(Value::as_str) {
                Some("dev") => ArrowKind::Dev,
                _ => ArrowKind::Normal,
            };
            arrows.push(Arrow { target: target.to_owned(), kind });
        }
    }
    Ok(Package { name: text(entry, "name")?.to_owned(), folder: parts.join("/"), arrows })
}

pub(crate) fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, String> {
    value.get(key).and_then(Value::as_str).ok_or_else(|| format!("cargo metadata has no text `{key}`"))
}

pub(crate) fn list<'a>(value: &'a Value, key: &str) -> Result<&'a [Value], String> {
    value
        .get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .ok_or_else(|| format!("cargo metadata has no list `{key}`"))
}

#[cfg(test)]
mod tests {
    use super::{Arrow, ArrowKind, Package, packages_from, target_folder_from};

    #[test]
    fn only_path_dependencies_on_workspace_crates_are_arrows() {
        let root = if cfg!(windows) { "C:/w" } else { "/w" };
        let metadata = serde_json::json!({
            "workspace_root": root,
            "packages": [
                {"name": "top", "manifest_path": format!("{root}/crates/top/Cargo.toml"), "dependencies": [
                    {"name": "leaf", "kind": null, "path": format!("{root}/crates/leaf")},
                    {"name": "leaf", "kind": "dev", "path": format!("{root}/crates/leaf")},
                    {"name": "leaf", "kind": "build", "path": format!("{root}/crates/leaf")},
                    {"name": "leaf", "kind": null},
                    {"name": "serde", "kind": null}
                ]},
                {"name": "leaf", "manifest_path": format!("{root}/crates/leaf/Cargo.toml"), "dependencies": []}
            ]
        });
        let arrow = |kind| Arrow { target: "leaf".to_owned(), kind };
        let package = |name: &str, arrows| Package { name: name.to_owned(), folder: format!("crates/{name}"), arrows };
        assert_eq!(
            packages_from(&metadata.to_string()).unwrap(),
            [
                package("leaf", vec![]),
                package("top", vec![arrow(ArrowKind::Normal), arrow(ArrowKind::Dev), arrow(ArrowKind::Normal)]),
            ]
        );
    }

    #[test]
    fn metadata_without_the_expected_fields_is_an_error() {
        for metadata in ["", "{}", r#"{"workspace_root": "/w", "packages": [{}]}"#] {
            assert!(packages_from(metadata).is_err(), "{metadata:?}");
            assert!(target_folder_from(metadata).is_err(), "{metadata:?}");
        }
    }
}
