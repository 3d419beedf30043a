//! What a crate's public items name, read from the JSON that rustdoc writes.
//!
//! The format changes between compilers. So little of it is relied upon: how items lie in each other, and that a type
//! is named by an object with its `path` and its `id`. What has not that form is an error, never silence.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// One public item that names one type or trait of another crate, or re-exports something of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mention {
    /// Path of the item, or of the type whose impl it is, as users write it.
    pub(super) place: String,
    /// The crate that is named, by the name of its library.
    pub(super) owner: String,
    /// The full path of what is named.
    pub(super) path: String,
}

/// They may be named by everybody.
const STANDARD: &[&str] = &["std", "core", "alloc"];

/// Where items list the items in them.
const CHILDREN: &[&str] = &["items", "fields", "variants", "impls", "tuple"];

/// Macros such as `pin_project!` name types of theirs so, in places where nobody else can name them and rustdoc says
/// nothing about them.
const OF_MACROS: &str = "__";

/// All that is reachable from the crate's root names of other crates.
pub(super) fn mentions(rustdoc: &Value) -> Result<Vec<Mention>, String> {
    let root = rustdoc.get("root").and_then(Value::as_u64).ok_or_else(|| unknown(rustdoc, "root"))?;
    let mut walk = Walk { rustdoc, open: vec![(root, String::new())], mentions: BTreeSet::new() };
    let mut seen = BTreeSet::new();
    while let Some((id, outer)) = walk.open.pop() {
        if seen.insert((id, outer.clone())) {
            walk.item(id, outer)?;
        }
    }
    Ok(walk.mentions.into_iter().collect())
}

struct Walk<'a> {
    rustdoc: &'a Value,
    /// Ids of items to look at, with the path of what they lie in.
    open: Vec<(u64, String)>,
    mentions: BTreeSet<Mention>,
}

impl Walk<'_> {
    fn item(&mut self, id: u64, outer: String) -> Result<(), String> {
        // A private item in a public list was left out by rustdoc.
        let Some(item) = entry(self.rustdoc, "index", id)? else { return Ok(()) };
        let inner = item.get("inner").and_then(Value::as_object).ok_or_else(|| unknown(self.rustdoc, "inner"))?;
        if let Some(exported) = inner.get("use") {
            return self.exported(exported, &outer);
        }
        if inner.get("impl").is_some_and(is_of_the_compiler) {
            return Ok(());
        }
        let place = match item.get("name").and_then(Value::as_str) {
            Some(name) => join(&outer, name),
            None => outer,
        };
        self.value(&Value::Object(inner.clone()), &place)
    }

    /// `pub use`: an item of our own lies where it is exported to.
    fn exported(&mut self, exported: &Value, outer: &str) -> Result<(), String> {
        let name = exported.get("name").and_then(Value::as_str).ok_or_else(|| unknown(self.rustdoc, "name"))?;
        // `null` for what the language itself has.
        let Some(id) = exported.get("id").and_then(Value::as_u64) else { return Ok(()) };
        let is_glob = exported.get("is_glob").is_some_and(|glob| glob == true);
        let is_ours = match entry(self.rustdoc, "index", id)? {
            Some(target) => {
                if is_glob || target.get("name").and_then(Value::as_str) == Some(name) {
                    self.open.push((id, outer.to_owned()));
                } else {
                    self.value(target.get("inner").unwrap_or(&Value::Null), &join(outer, name))?;
                }
                true
            }
            None => false,
        };
        if is_ours { Ok(()) } else { self.mention(id, &join(outer, name)) }
    }

    /// Everything in an item's description: the types it names, and the items in it.
    fn value(&mut self, value: &Value, place: &str) -> Result<(), String> {
        match value {
            Value::Array(values) => values.iter().try_for_each(|value| self.value(value, place)),
            Value::Object(object) => {
                if let Some((path, id)) = named(object) {
                    if !path.starts_with(OF_MACROS) {
                        self.mention(id, place)?;
                    }
                }
                for (key, value) in object {
                    let children = value.as_array().filter(|_| CHILDREN.contains(&key.as_str()));
                    let ids = children.into_iter().flatten().filter_map(Value::as_u64);
                    self.open.extend(ids.map(|id| (id, place.to_owned())));
                    self.value(value, place)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn mention(&mut self, id: u64, place: &str) -> Result<(), String> {
        let Some(path) = entry(self.rustdoc, "paths", id)? else {
            // Private items of our own have no path that users could write.
            return match entry(self.rustdoc, "index", id)? {
                Some(_) => Ok(()),
                None => Err(format!("{place} names an item that rustdoc does not describe")),
            };
        };
        let owner = path.get("crate_id").and_then(Value::as_u64).ok_or_else(|| unknown(self.rustdoc, "crate_id"))?;
        if owner == 0 {
            return Ok(());
        }
        let owner = entry(self.rustdoc, "external_crates", owner)?
            .and_then(|owner| owner.get("name")?.as_str())
            .ok_or_else(|| unknown(self.rustdoc, "name of a crate"))?;
        if !STANDARD.contains(&owner) {
            let parts = path.get("path").and_then(Value::as_array).ok_or_else(|| unknown(self.rustdoc, "path"))?;
            let path = parts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("::");
            self.mentions.insert(Mention { place: place.to_owned(), owner: owner.to_owned(), path });
        }
        Ok(())
    }
}

/// The type or trait that an object names, as it is written there, and its id.
fn named(object: &Map<String, Value>) -> Option<(&str, u64)> {
    Some((object.get("path")?.as_str()?, object.get("id")?.as_u64()?))
}

/// Impls that nobody wrote for the type: of auto traits, and those for all types.
fn is_of_the_compiler(item: &Value) -> bool {
    let is_synthetic = item.get("is_synthetic").is_some_and(|synthetic| synthetic == true);
    is_synthetic || item.get("blanket_impl").is_some_and(|blanket| !blanket.is_null())
}

/// An entry of one of the tables, which are keyed by id.
fn entry<'a>(rustdoc: &'a Value, table: &str, id: u64) -> Result<Option<&'a Value>, String> {
    let table = rustdoc.get(table).and_then(Value::as_object).ok_or_else(|| unknown(rustdoc, table))?;
    Ok(table.get(&id.to_string()))
}

fn join(outer: &str, name: &str) -> String {
    if outer.is_empty() { name.to_owned() } else { format!("{outer}::{name}") }
}

fn unknown(rustdoc: &Value, what: &str) -> String {
    let version = rustdoc.get("format_version").map_or_else(|| "of no version".to_owned(), Value::to_string);
    format!("rustdoc's JSON (format {version}) has no `{what}` where it is looked for")
}

#[cfg(test)]
mod tests;
