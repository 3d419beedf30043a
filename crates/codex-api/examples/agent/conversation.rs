//! A conversation that outlives the program: the items of all requests and answers, as JSON.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use codex_api::Item;

/// The items so far, and the file that they are kept in.
pub(crate) struct Conversation {
    file: PathBuf,
    items: Vec<Item>,
}

impl Conversation {
    /// Goes on with what is in the file, or begins anew where there is none.
    pub(crate) fn load(file: &Path) -> io::Result<Self> {
        let items = match fs::read(file) {
            // Items keep all their fields, those that no type here knows, too.
            Ok(json) => serde_json::from_slice(&json)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(Self { file: file.to_owned(), items })
    }

    pub(crate) fn items(&self) -> &[Item] {
        &self.items
    }

    pub(crate) fn extend(&mut self, items: impl IntoIterator<Item = Item>) {
        self.items.extend(items);
    }

    /// Writes all of it. The old file stays until the new one is whole.
    pub(crate) fn save(&self) -> io::Result<()> {
        let unfinished = self.file.with_extension("unfinished");
        fs::write(&unfinished, serde_json::to_vec_pretty(&self.items)?)?;
        fs::rename(&unfinished, &self.file)
    }
}
