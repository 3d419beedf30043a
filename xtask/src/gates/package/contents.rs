//! Which files a published crate may hold, and how large they may be.

/// A file of a package, by its path in it with `/` between the parts.
pub(super) struct File {
    pub(super) path: String,
    pub(super) bytes: u64,
}

/// The texts that `MIT OR Apache-2.0` refers to.
pub(super) const LICENCES: &[&str] = &["LICENSE-APACHE", "LICENSE-MIT"];

const REQUIRED: &[&str] = &["Cargo.toml", "README.md", "LICENSE-APACHE", "LICENSE-MIT"];

/// Beside those: what cargo adds.
const AT_THE_TOP: &[&str] = &["Cargo.lock", "Cargo.toml.orig", ".cargo_vcs_info.json"];

/// Folders, and the extensions of the files in them. Tests travel with their crate, data with what reads it.
const FOLDERS: &[(&str, &[&str])] = &[
    ("src", &["css", "rs"]),
    ("examples", &["rs"]),
    ("benches", &["rs"]),
    ("tests", &["rs", "snap", "sse", "json", "jsonl", "txt", "toml", "pem"]),
    ("demo", &["sse"]),
];

/// The largest file, in bytes: recordings and snapshots beyond it belong into the suites across crates.
const LARGEST_FILE: u64 = 128 * 1024;
/// All files of a package together, in bytes, before they are compressed.
const LARGEST_PACKAGE: u64 = 1024 * 1024;

pub(super) fn check(files: &[File]) -> Vec<String> {
    let mut problems = Vec::new();
    for name in REQUIRED {
        if !files.iter().any(|file| file.path == *name) {
            problems.push(format!("lacks {name}"));
        }
    }
    for file in files {
        if !belongs(&file.path) {
            problems.push(format!("{} does not belong into a package", file.path));
        }
        if file.bytes > LARGEST_FILE {
            problems.push(format!("{} has {} bytes, limit {LARGEST_FILE}", file.path, file.bytes));
        }
    }
    let size = size(files);
    if size > LARGEST_PACKAGE {
        problems.push(format!("has {size} bytes, limit {LARGEST_PACKAGE}"));
    }
    problems
}

/// The sum of all files, in bytes.
pub(super) fn size(files: &[File]) -> u64 {
    files.iter().map(|file| file.bytes).sum()
}

fn belongs(path: &str) -> bool {
    let Some((folder, rest)) = path.split_once('/') else {
        return REQUIRED.contains(&path) || AT_THE_TOP.contains(&path);
    };
    let is_hidden = rest.split('/').any(|part| part.starts_with('.'));
    let extension = rest.rsplit_once('.').map_or("", |(_, extension)| extension);
    let fits = |(name, extensions): &(&str, &[&str])| *name == folder && extensions.contains(&extension);
    !is_hidden && FOLDERS.iter().any(fits)
}

#[cfg(test)]
mod tests {
    use super::{File, REQUIRED, check};

    /// A package of the required files and `more`.
    fn verdict(more: &[(&str, u64)], expected: &[&str]) {
        let required = REQUIRED.iter().map(|path| (*path, 100));
        let file = |(path, bytes): (&str, u64)| File { path: path.to_owned(), bytes };
        let files: Vec<_> = required.chain(more.iter().copied()).map(file).collect();
        assert_eq!(check(&files), expected, "{more:?}");
    }

    #[test]
    fn sources_tests_and_what_cargo_adds_belong() {
        verdict(&[("Cargo.toml.orig", 0), ("Cargo.lock", 0), (".cargo_vcs_info.json", 0)], &[]);
        verdict(&[("src/a/b.rs", 10), ("src/a/page.css", 10), ("examples/hello.rs", 10), ("benches/b.rs", 10)], &[]);
        verdict(&[("tests/snapshots/a__b.snap", 10), ("demo/chat.sse", 10)], &[]);
    }

    #[test]
    fn what_tools_leave_behind_does_not() {
        verdict(&[("fuzz/corpus/x", 1)], &["fuzz/corpus/x does not belong into a package"]);
        verdict(&[("tests/a.snap.new", 1)], &["tests/a.snap.new does not belong into a package"]);
        verdict(&[("notes.txt", 1)], &["notes.txt does not belong into a package"]);
        verdict(&[("src/.a.rs", 1)], &["src/.a.rs does not belong into a package"]);
        verdict(&[("src/data.bin", 1)], &["src/data.bin does not belong into a package"]);
        verdict(&[("crash-0123", 1)], &["crash-0123 does not belong into a package"]);
    }

    #[test]
    fn sizes_have_limits() {
        let (largest, many) = (128 * 1024, 9 * 128 * 1024 + 400);
        verdict(&[("tests/a.snap", largest)], &[]);
        verdict(&[("tests/a.snap", largest + 1)], &["tests/a.snap has 131073 bytes, limit 131072"]);
        let names: Vec<String> = (0..9).map(|index| format!("tests/{index}.snap")).collect();
        let files: Vec<_> = names.iter().map(|name| (name.as_str(), largest)).collect();
        verdict(&files, &[&format!("has {many} bytes, limit 1048576")]);
    }

    #[test]
    fn licences_and_a_readme_are_required() {
        let expected = ["lacks Cargo.toml", "lacks README.md", "lacks LICENSE-APACHE", "lacks LICENSE-MIT"];
        assert_eq!(check(&[]), expected);
    }
}
