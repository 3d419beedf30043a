//! A reader for as much TOML as the workspace's manifests use: sections and one-line entries.

/// A manifest's entries, in the order of their lines. A commented entry has a key that nobody asks for.
pub(super) struct Manifest<'a> {
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    section: &'a str,
    key: &'a str,
    value: &'a str,
    line: usize,
}

/// How a crate states a value that the workspace gives.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Inherited {
    Yes,
    /// A value of its own; the line counts from 1.
    OwnValue(usize),
    Missing,
}

impl<'a> Manifest<'a> {
    pub(super) fn parse(text: &'a str) -> Self {
        let mut section = "";
        let mut entries = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if let Some(header) = line.strip_prefix('[') {
                section = header.split(']').next().unwrap_or_default().trim();
            } else if let Some((key, value)) = line.split_once('=') {
                entries.push(Entry { section, key: key.trim(), value: value.trim(), line: index + 1 });
            }
        }
        Self { entries }
    }

    /// The value of an entry as it is written, quotes included.
    pub(super) fn value(&self, section: &str, key: &str) -> Option<&'a str> {
        let mut entries = self.entries.iter();
        let entry = entries.find(|entry| entry.section == section && entry.key == key)?;
        Some(entry.value)
    }

    /// Whether `key` of `section` is `key.workspace = true` or `key = { workspace = true }`.
    pub(super) fn inherited(&self, section: &str, key: &str) -> Inherited {
        let entries = self.entries.iter().filter(|entry| entry.section == section);
        for entry in entries {
            let (name, rest) = entry.key.split_once('.').unwrap_or((entry.key, ""));
            if name != key {
                continue;
            }
            let value = entry.value.replace(' ', "");
            return match rest {
                "workspace" if value == "true" => Inherited::Yes,
                "" if value == "{workspace=true}" => Inherited::Yes,
                _ => Inherited::OwnValue(entry.line),
            };
        }
        Inherited::Missing
    }

    /// The line on which one of `sections`, or a `target.….` form of it, names a dependency.
    pub(super) fn dependency_line(&self, sections: &[&str], name: &str) -> Option<usize> {
        let is_meant = |entry: &&Entry<'_>| {
            let in_section = sections.iter().any(|section| entry.section.rsplit('.').next() == Some(section));
            in_section && entry.key.split('.').next() == Some(name)
        };
        self.entries.iter().find(is_meant).map(|entry| entry.line)
    }
}

#[cfg(test)]
mod tests {
    use super::{Inherited, Manifest};

    const TEXT: &str = "[package]\n\
        name = \"x\"\n\
        # license.workspace = true\n\
        edition.workspace = true\n\
        version = { workspace = true }\n\
        rust-version = \"1.85\"\n\
        [target.'cfg(unix)'.dependencies]\n\
        sse-codec = { workspace = true, features = [\"std\"] }\n\
        [dev-dependencies] # tests\n\
        sse-codec.workspace = true\n";

    fn check(section: &str, key: &str, expected: &Inherited) {
        let found = Manifest::parse(TEXT).inherited(section, key);
        assert_eq!(&found, expected, "{section} {key}");
    }

    #[test]
    fn both_spellings_of_inheritance_are_known() {
        check("package", "edition", &Inherited::Yes);
        check("package", "version", &Inherited::Yes);
        check("package", "license", &Inherited::Missing);
        check("package", "rust-version", &Inherited::OwnValue(6));
        check("lints", "edition", &Inherited::Missing);
    }

    #[test]
    fn values_and_dependency_lines_are_found() {
        let manifest = Manifest::parse(TEXT);
        assert_eq!(manifest.value("package", "name"), Some("\"x\""));
        assert_eq!(manifest.value("lints", "name"), None);
        let line = |sections: &[&str]| manifest.dependency_line(sections, "sse-codec");
        assert_eq!(line(&["dependencies"]), Some(8));
        assert_eq!(line(&["dev-dependencies"]), Some(10));
        assert_eq!(line(&["build-dependencies"]), None);
    }
}
