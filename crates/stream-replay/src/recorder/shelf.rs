//! Where cassettes go.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{fs, io};

use tokio::sync::watch;

use super::redaction;
use super::secrets::Secrets;
use super::{Bodies, Clock, OnWritten};
use crate::cassette::{Cassette, RecordedExchange};

const EXTENSION: &str = "cassette";

/// The folder, and what all recordings of a recorder share.
pub(super) struct Shelf {
    folder: PathBuf,
    last: AtomicUsize,
    pub(super) bodies: Bodies,
    clock: Clock,
    /// What was secret in one exchange is secret in all later ones.
    secrets: Mutex<Secrets>,
    written: watch::Sender<usize>,
    on_written: OnWritten,
}

impl Shelf {
    pub(super) fn new(folder: PathBuf, last: usize, bodies: Bodies, clock: Clock, on_written: OnWritten) -> Self {
        let (secrets, written) = (Mutex::default(), watch::Sender::default());
        Self { folder, last: AtomicUsize::new(last), bodies, clock, secrets, written, on_written }
    }

    /// The time now; to the microsecond, for whoever reads it.
    pub(super) fn now(&self) -> Duration {
        let now = (self.clock)();
        Duration::new(now.as_secs(), now.subsec_micros() * 1_000)
    }

    /// The number of the next cassette.
    pub(super) fn next_number(&self) -> usize {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn write(&self, number: usize, mut exchange: RecordedExchange) {
        let secrets = {
            let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
            redaction::learn(&exchange, &mut secrets);
            secrets.clone()
        };
        let path = self.folder.join(format!("{number:04}-{}.{EXTENSION}", label(&exchange.target)));
        redaction::redact(&mut exchange, &secrets);
        let cassette = Cassette::from_iter([exchange]);
        let saved = cassette.save(&path);
        (self.on_written)(&path, saved.map(|()| &cassette));
        self.written.send_modify(|written| *written += 1);
    }

    pub(super) async fn wait_for(&self, n: usize) {
        // Fails only when the sender is gone, and `self` has it.
        let _ = self.written.subscribe().wait_for(|written| *written >= n).await;
    }
}

/// The last part of the path, as far as it can stand in the name of a file everywhere.
fn label(target: &str) -> String {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let last = path.rsplit('/').find(|part| !part.is_empty()).unwrap_or("root");
    let plain = last.chars().take(40).map(|char| if char.is_ascii_alphanumeric() || char == '-' { char } else { '_' });
    plain.collect()
}

/// The highest number of a cassette in the folder.
pub(super) fn last_number(folder: &Path) -> io::Result<usize> {
    let mut last = 0;
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if let Some((number, _)) = name.split_once('-').filter(|_| name.ends_with(EXTENSION)) {
            last = last.max(number.parse().unwrap_or(0));
        }
    }
    Ok(last)
}
