//! The files of the checkout, read once for all rules.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use super::snapshots::is_pending;

/// File contents by path relative to the workspace root, with `/` between the parts.
pub(crate) struct Tree {
    files: BTreeMap<String, Content>,
}

enum Content {
    Text(String),
    Binary,
}

impl Tree {
    /// Reads what git tracks or would track; without git, everything but build output.
    pub(crate) fn read(root: &Path) -> Result<Self, String> {
        let mut files = BTreeMap::new();
        for path in select(walk(root)?, git_files(root).as_ref()) {
            let full = root.join(&path);
            match fs::read(&full) {
                Ok(bytes) => files.insert(path, Content::from_bytes(bytes)),
                // Gone since the folder was listed, or a link that leads nowhere or to a folder.
                Err(error) if error.kind() == ErrorKind::NotFound || full.is_dir() => None,
                Err(error) => return Err(format!("{}: {error}", full.display())),
            };
        }
        Ok(Self { files })
    }

    #[cfg(test)]
    pub(super) fn from_files(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| {
            let content = Content::from_bytes(text.as_bytes().to_vec());
            ((*path).to_owned(), content)
        };
        Self { files: files.iter().map(file).collect() }
    }

    pub(super) fn contains(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// The text of a file; `None` when it is absent or not text.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        match self.files.get(path)? {
            Content::Text(text) => Some(text),
            Content::Binary => None,
        }
    }

    /// All paths, sorted.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// All text files, sorted by path.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|(path, content)| match content {
            Content::Text(text) => Some((path.as_str(), text.as_str())),
            Content::Binary => None,
        })
    }

    /// All Rust sources, sorted by path.
    pub(super) fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts().filter(|(path, _)| has_extension(path, "rs"))
    }
}

impl Content {
    fn from_bytes(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => Self::Text(text),
            _ => Self::Binary,
        }
    }
}

/// Whether the last part of `path` ends with `.extension`.
pub(super) fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

/// Whether a source file holds nothing but tests: it lies in a `tests/` folder or is a `tests.rs`.
pub(super) fn is_test_source(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "tests.rs")
}

/// Of all files those that git lists, if git can tell, and snapshots under review, which git ignores.
fn select(all: Vec<String>, listed: Option<&BTreeSet<String>>) -> Vec<String> {
    let is_listed = |path: &String| listed.is_none_or(|listed| listed.contains(path));
    all.into_iter().filter(|path| is_listed(path) || is_pending(path)).collect()
}

fn git_files(root: &Path) -> Option<BTreeSet<String>> {
    let output = Command::new("git")
        .current_dir(root)
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let list = String::from_utf8(output.stdout).ok()?;
    // Nothing listed: an unpacked archive inside a repository that ignores it.
    let paths = list.split_terminator('\0').map(str::to_owned).collect();
    Some(paths).filter(|paths: &BTreeSet<String>| !paths.is_empty())
}

/// All files but those of git itself and build output.
fn walk(root: &Path) -> Result<Vec<String>, String> {
    let mut paths = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let full = root.join(&folder);
        let problem = |error| format!("{}: {error}", full.display());
        for entry in fs::read_dir(&full).map_err(problem)? {
            let entry = entry.map_err(problem)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            if !entry.file_type().map_err(problem)?.is_dir() {
                paths.push(path);
            } else if name != ".git" && name != "target" {
                folders.push(path);
            }
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::{Content, has_extension, is_test_source, select, walk};

    #[test]
    fn walking_skips_build_output_and_the_git_folder() {
        let root = std::env::temp_dir().join(format!("xtask-tree-{}", std::process::id()));
        for path in ["a.rs", "src/b.rs", "target/c.rs", ".git/d", "src/target/e"] {
            let file = root.join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "").unwrap();
        }
        let mut paths = walk(&root).unwrap();
        std::fs::remove_dir_all(&root).unwrap();
        paths.sort();
        assert_eq!(paths, ["a.rs", "src/b.rs"]);
    }

    #[test]
    fn files_that_git_does_not_list_are_left_out_unless_they_wait_for_a_review() {
        let all = ["a.rs", "notes.txt", "b.snap.new"].map(str::to_owned).to_vec();
        assert_eq!(select(all.clone(), None), all);
        let listed = ["a.rs".to_owned(), "deleted.rs".to_owned()].into();
        assert_eq!(select(all, Some(&listed)), ["a.rs", "b.snap.new"]);
    }

    #[test]
    fn files_with_nul_or_broken_utf8_are_not_text() {
        let is_text = |bytes: &[u8]| matches!(Content::from_bytes(bytes.to_vec()), Content::Text(_));
        assert!(is_text("straße\r\n".as_bytes()));
        assert!(!is_text(b"a\0b"));
        assert!(!is_text(b"\xff"));
    }

    #[test]
    fn test_sources_are_known_by_folder_or_name() {
        for path in ["tests/src/lib.rs", "crates/a/tests/b.rs", "a/src/b/tests.rs"] {
            assert!(is_test_source(path), "{path}");
        }
        for path in ["crates/a/src/contests.rs", "crates/tests-a/src/lib.rs"] {
            assert!(!is_test_source(path), "{path}");
        }
        assert!(has_extension("a/b.snap.new", "new"));
        assert!(!has_extension("a.rs/b", "rs"));
    }
}
