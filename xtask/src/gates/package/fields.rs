//! What the manifest of a published crate tells about it.

use serde_json::Value;

const TEXTS: &[&str] = &["description", "license", "repository", "readme", "rust_version"];

/// The registry takes up to five of each, and keywords of up to twenty characters.
const MOST: usize = 5;
const LONGEST_KEYWORD: usize = 20;

/// Those of the registry's categories that some crate uses. It refuses others, but only when a crate is published.
const CATEGORIES: &[&str] = &[
    "algorithms",
    "api-bindings",
    "asynchronous",
    "command-line-utilities",
    "development-tools::testing",
    "encoding",
    "network-programming",
    "no-std",
    "parser-implementations",
    "web-programming::http-client",
    "web-programming::websocket",
];

/// Reads a crate's entry in `cargo metadata`.
pub(super) fn check(entry: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    for field in TEXTS {
        if entry.get(field).and_then(Value::as_str).is_none_or(|text| text.trim().is_empty()) {
            problems.push(format!("the manifest has no {}", field.replace('_', "-")));
        }
    }
    for (field, is_valid) in [("keywords", is_keyword as fn(&str) -> bool), ("categories", is_category)] {
        let words: Vec<&str> =
            entry.get(field).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        if words.is_empty() || words.len() > MOST {
            problems.push(format!("the manifest has {} {field}, and must have 1 to {MOST}", words.len()));
        }
        let refused = words.iter().filter(|word| !is_valid(word));
        problems.extend(refused.map(|word| format!("`{word}` is not one of the {field} that the registry takes")));
    }
    problems
}

/// ASCII, begins with a letter or a digit, then those, `_`, `-` and `+`.
fn is_keyword(word: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_-+".contains(&byte);
    let begins_well = word.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
    begins_well && word.bytes().all(is_inner) && word.len() <= LONGEST_KEYWORD
}

fn is_category(word: &str) -> bool {
    CATEGORIES.contains(&word)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::check;

    /// A good manifest in which `field` has another value.
    fn verdict(field: &str, value: Value, expected: &[&str]) {
        let mut entry = json!({
            "description": "Does it.", "license": "MIT", "repository": "https://example.org", "readme": "README.md",
            "rust_version": "1.85", "keywords": ["sse"], "categories": ["encoding"],
        });
        entry[field] = value;
        assert_eq!(check(&entry), expected, "{field}");
    }

    #[test]
    fn a_missing_or_empty_field_is_named() {
        verdict("license", json!("MIT OR Apache-2.0"), &[]);
        verdict("license", Value::Null, &["the manifest has no license"]);
        verdict("description", json!(" "), &["the manifest has no description"]);
        verdict("rust_version", Value::Null, &["the manifest has no rust-version"]);
    }

    #[test]
    fn keywords_and_categories_are_those_that_the_registry_takes() {
        verdict("keywords", json!([]), &["the manifest has 0 keywords, and must have 1 to 5"]);
        let six = json!(["a", "b", "c", "d", "e", "f"]);
        verdict("keywords", six, &["the manifest has 6 keywords, and must have 1 to 5"]);
        let refused = "is not one of the keywords that the registry takes";
        verdict("keywords", json!(["server sent"]), &[&format!("`server sent` {refused}")]);
        verdict("keywords", json!(["a-word-of-21-letters-x"]), &[&format!("`a-word-of-21-letters-x` {refused}")]);
        verdict("categories", json!(["sse"]), &["`sse` is not one of the categories that the registry takes"]);
    }
}
