//! Where the recorded streams of the corpus suites are, if they are there.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// Names the corpus folder, absolute or relative to the workspace root.
pub(super) const VARIABLE: &str = "STREAM_CORPUS";

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Corpus {
    /// The suites say that they are skipped.
    Absent,
    /// An existing folder, absolute, because cargo runs tests in the folders of their crates.
    At(PathBuf),
}

impl Corpus {
    /// A variable that is set must name a folder: it would be wrong to skip silently what was asked for.
    pub(super) fn from_value(value: Option<OsString>, root: &Path) -> Result<Self, String> {
        let Some(value) = value else {
            return Ok(Self::Absent);
        };
        if value.is_empty() {
            return Err(format!("{VARIABLE} is set but empty; unset it to skip the corpus suites"));
        }
        let folder = root.join(value);
        if !folder.is_dir() {
            let folder = folder.display();
            return Err(format!(
                "{VARIABLE} is set, but there is no folder {folder}; unset it to skip the corpus suites"
            ));
        }
        Ok(Self::At(folder))
    }
}

impl fmt::Display for Corpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => write!(f, "corpus suites skipped: {VARIABLE} is not set"),
            Self::At(folder) => write!(f, "corpus: {}", folder.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Corpus;

    fn check(value: Option<&str>, expected: Result<Corpus, &str>) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found = Corpus::from_value(value.map(Into::into), root);
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{value:?}"),
            (Err(found), Err(expected)) => assert!(found.contains(expected), "{value:?}: {found}"),
            (found, expected) => panic!("{value:?}: found {found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn folders_become_absolute_and_missing_ones_are_errors() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        check(None, Ok(Corpus::Absent));
        check(Some("src"), Ok(Corpus::At(root.join("src"))));
        check(Some("../xtask/src"), Ok(Corpus::At(root.join("../xtask/src"))));
        check(root.to_str(), Ok(Corpus::At(root.to_path_buf())));
        check(Some("no-such-folder"), Err("there is no folder"));
        check(Some("Cargo.toml"), Err("there is no folder"));
        check(Some(""), Err("set but empty"));
    }

    #[test]
    fn the_first_line_tells_where_or_that_it_is_skipped() {
        let skipped = Corpus::Absent.to_string();
        assert_eq!(skipped, "corpus suites skipped: STREAM_CORPUS is not set");
        assert_eq!(Corpus::At("a/b".into()).to_string(), "corpus: a/b");
    }
}
