//! What the dependencies of the libraries declare as their oldest compiler.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::Published;
use crate::workspace::{list, text};

/// The dependencies that come with the libraries, seen through their `rust-version`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Declared {
    /// How many say what they need.
    stated: usize,
    /// How many do not.
    silent: usize,
    /// Name and version of each that needs more than the limit, with what it needs.
    pub(super) too_new: Vec<String>,
}

impl Declared {
    /// Looks at all that `crates` bring along for use or for their build, not at what their tests need.
    pub(super) fn read(metadata: &Value, crates: &[Published], limit: &str) -> Result<Self, String> {
        let limit = numbers(limit).ok_or_else(|| format!("`{limit}` is no version of a compiler"))?;
        let reached = reached(metadata, crates)?;
        let mut declared = Self { stated: 0, silent: 0, too_new: Vec::new() };
        for package in list(metadata, "packages")? {
            if !reached.contains(text(package, "id")?) {
                continue;
            }
            let Some(needed) = package.get("rust_version").and_then(Value::as_str) else {
                declared.silent += 1;
                continue;
            };
            declared.stated += 1;
            if numbers(needed).is_none_or(|needed| needed > limit) {
                let (name, version) = (text(package, "name")?, text(package, "version")?);
                declared.too_new.push(format!("{name} {version} needs Rust {needed}"));
            }
        }
        Ok(declared)
    }
}

impl fmt::Display for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} packages declare no newer compiler, {} declare none", self.stated, self.silent)
    }
}

/// Ids of `crates` and of all that they bring along.
fn reached<'a>(metadata: &'a Value, crates: &[Published]) -> Result<BTreeSet<&'a str>, String> {
    let resolve = metadata.get("resolve").ok_or("cargo metadata has no `resolve`")?;
    let mut arrows: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in list(resolve, "nodes")? {
        let kept = list(node, "deps")?.iter().filter(|dependency| !is_for_tests_only(dependency));
        let targets = kept.map(|dependency| text(dependency, "pkg")).collect::<Result<_, _>>()?;
        arrows.insert(text(node, "id")?, targets);
    }
    let is_start = |id: &&&str| crates.iter().any(|package| package.entry.get("id").is_some_and(|own| own == **id));
    let mut open: Vec<&str> = arrows.keys().filter(is_start).copied().collect();
    let mut reached = BTreeSet::new();
    while let Some(id) = open.pop() {
        if reached.insert(id) {
            open.extend(arrows.get(id).into_iter().flatten());
        }
    }
    Ok(reached)
}

fn is_for_tests_only(dependency: &Value) -> bool {
    let kinds = dependency.get("dep_kinds").and_then(Value::as_array);
    kinds.is_some_and(|kinds| kinds.iter().all(|kind| kind.get("kind").is_some_and(|kind| kind == "dev")))
}

/// The three numbers of `1.85` or `1.85.1`, which compare as versions do.
fn numbers(version: &str) -> Option<[u64; 3]> {
    let mut numbers = [0; 3];
    let mut parts = version.split('.');
    for (index, part) in parts.by_ref().take(3).enumerate() {
        numbers[index] = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Declared, numbers};
    use crate::gates::crates::from_metadata;

    /// A library of ours with one dependency, of `kinds`, which needs the compiler `needs`.
    fn metadata(kinds: &[Value], needs: &Value) -> Value {
        let package = |name: &str, rust_version: &Value, publish: &Value| {
            json!({
                "id": name, "name": name, "version": "0.3.1", "publish": publish, "features": {},
                "rust_version": rust_version, "manifest_path": "m/Cargo.toml",
            })
        };
        let kinds: Vec<_> = kinds.iter().map(|kind| json!({"kind": kind, "target": null})).collect();
        json!({
            "workspace_members": ["ours", "private"],
            "packages": [
                package("ours", &json!("1.85"), &json!(null)),
                package("private", &json!("1.95"), &json!([])),
                package("theirs", needs, &json!(null)),
                package("behind", &json!("1.60"), &json!(null)),
            ],
            "resolve": {"nodes": [
                {"id": "ours", "deps": [{"pkg": "theirs", "dep_kinds": kinds}]},
                {"id": "theirs", "deps": [{"pkg": "behind", "dep_kinds": [{"kind": null}]}]},
                {"id": "behind", "deps": []},
                {"id": "private", "deps": []},
            ]},
        })
    }

    fn check(kinds: &[Value], needs: &Value, expected: (usize, usize, &[&str])) {
        let metadata = metadata(kinds, needs);
        let crates = from_metadata(&metadata).unwrap();
        let found = Declared::read(&metadata, &crates, "1.85").unwrap();
        let too_new: Vec<_> = found.too_new.iter().map(String::as_str).collect();
        assert_eq!((found.stated, found.silent, too_new.as_slice()), expected, "{kinds:?} {needs}");
    }

    #[test]
    fn a_dependency_that_needs_a_newer_compiler_is_named() {
        let newer: &[&str] = &["theirs 0.3.1 needs Rust 1.86"];
        check(&[json!(null)], &json!("1.86"), (3, 0, newer));
        check(&[json!("build")], &json!("1.86"), (3, 0, newer));
        check(&[json!("dev"), json!(null)], &json!("1.86"), (3, 0, newer));
        check(&[json!(null)], &json!("1.85.1"), (3, 0, &["theirs 0.3.1 needs Rust 1.85.1"]));
        check(&[json!(null)], &json!("soon"), (3, 0, &["theirs 0.3.1 needs Rust soon"]));
    }

    #[test]
    fn what_is_old_enough_silent_or_for_tests_passes() {
        check(&[json!(null)], &json!("1.85"), (3, 0, &[]));
        check(&[json!(null)], &json!("1.9"), (3, 0, &[]));
        check(&[json!(null)], &json!(null), (2, 1, &[]));
        check(&[json!("dev")], &json!("1.95"), (1, 0, &[]));
    }

    #[test]
    fn versions_compare_by_number() {
        assert_eq!(numbers("1.85"), Some([1, 85, 0]));
        assert!(numbers("1.9") < numbers("1.85.0"));
        assert_eq!(numbers("1.85.0.0"), None);
        assert_eq!(numbers("1.x"), None);
    }
}
