//! The crates that users can get, as `cargo metadata` describes them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use crate::workspace::{self, Workspace};
use crate::{cargo, workspace::text};

/// A crate of the workspace that may be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Published {
    pub(super) name: String,
    /// Absolute path of the crate's folder.
    pub(super) folder: PathBuf,
    /// Each feature with what it turns on, in the words of the manifest.
    pub(super) features: BTreeMap<String, Vec<String>>,
    /// The compiler's version that the manifest asks for.
    pub(super) rust_version: Option<String>,
    /// The whole entry.
    pub(super) entry: Value,
}

/// All published crates, by name.
pub(super) fn published(workspace: &Workspace) -> Result<Vec<Published>, String> {
    let args = ["metadata", "--format-version", "1", "--no-deps", "--locked"];
    from_metadata(&workspace::parse(&cargo::output(&workspace.root, &args)?)?)
}

/// Reads the output of `cargo metadata`, with dependencies or without.
pub(super) fn from_metadata(metadata: &Value) -> Result<Vec<Published>, String> {
    let members = workspace::list(metadata, "workspace_members")?;
    let mut crates = Vec::new();
    for entry in workspace::list(metadata, "packages")? {
        // `publish = false` is an empty list of registries, no word about it is `null`.
        let is_published = entry.get("publish").is_none_or(|to| to.as_array().is_none_or(|to| !to.is_empty()));
        let is_member = entry.get("id").is_some_and(|id| members.contains(id));
        if is_member && is_published {
            crates.push(one(entry)?);
        }
    }
    if crates.is_empty() {
        return Err("the workspace has no published crate".to_owned());
    }
    crates.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(crates)
}

fn one(entry: &Value) -> Result<Published, String> {
    let mut folder = PathBuf::from(text(entry, "manifest_path")?);
    folder.pop();
    let features = entry.get("features").cloned().unwrap_or_default();
    Ok(Published {
        name: text(entry, "name")?.to_owned(),
        folder,
        features: serde_json::from_value(features).map_err(|error| format!("features of a crate: {error}"))?,
        rust_version: entry.get("rust_version").and_then(Value::as_str).map(str::to_owned),
        entry: entry.clone(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::from_metadata;

    #[test]
    fn crates_of_others_and_private_ones_are_left_out() {
        let entry = |name: &str, publish| json!({"id": name, "name": name, "publish": publish, "manifest_path": "m/Cargo.toml", "features": {}});
        let metadata = json!({
            "workspace_members": ["ours", "open", "closed"],
            "packages": [
                entry("ours", json!(null)), entry("closed", json!([])), entry("serde", json!(null)),
                entry("open", json!(["a-registry"])),
            ],
        });
        let names: Vec<_> = from_metadata(&metadata).unwrap().into_iter().map(|package| package.name).collect();
        assert_eq!(names, ["open", "ours"]);
    }

    #[test]
    fn metadata_without_published_crates_is_an_error() {
        for metadata in [json!({}), json!({"workspace_members": [], "packages": []})] {
            assert!(from_metadata(&metadata).is_err(), "{metadata}");
        }
    }
}
