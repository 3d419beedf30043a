//! What the program is called with.

use std::path::PathBuf;

use crate::peers::Kind;

/// The peers to check with, by the files of their programs.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) proxies: Vec<(Kind, PathBuf)>,
    /// The script of its command line.
    pub(crate) aimock: Option<PathBuf>,
    pub(crate) browser: Option<PathBuf>,
    /// A folder for what people may look at afterwards.
    pub(crate) pictures: Option<PathBuf>,
}

impl Options {
    /// Reads pairs of `--PEER` and `FILE`. Errors with a sentence about the word that is wrong.
    pub(crate) fn from_words(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(word) = words.next() {
            let mut file = || words.next().map(PathBuf::from).ok_or_else(|| format!("`{word}` needs a file"));
            match word.as_str() {
                "--nginx" => options.proxies.push((Kind::Nginx, file()?)),
                "--haproxy" => options.proxies.push((Kind::Haproxy, file()?)),
                "--browser" => options.browser = Some(file()?),
                "--pictures" => options.pictures = Some(file()?),
                "--aimock" => options.aimock = Some(file()?),
                _ => return Err(format!("`{word}` is not known; `cargo xtask e2e` knows how to call this program")),
            }
        }
        Ok(options)
    }
}
