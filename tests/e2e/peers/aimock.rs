//! aimock: a service that others wrote, with answers that we hand to it.

use std::path::Path;

use super::ports;
use super::process::{Process, fill};

/// A running aimock.
#[derive(Debug)]
pub(crate) struct Aimock {
    process: Process,
    port: u16,
}

/// It as one check sees it.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) base_url: String,
    /// The service counts how often an answer was given separately for each of these.
    pub(crate) test_id: String,
}

impl Aimock {
    /// Starts the script of its command line with the committed answers.
    pub(crate) async fn start(script: &Path, folder: &Path) -> Result<Self, String> {
        let answers = fill(include_str!("aimock.json"), &[], folder.join("aimock.json"))?;
        let port = ports::free();
        let (script, answers, number) = (script.display().to_string(), answers.display().to_string(), port.to_string());
        let args = [&script, "-h", "127.0.0.1", "-p", &number, "-f", &answers, "--log-level", "warn"];
        let process = Process::start(Path::new("node"), args, &folder.join("aimock.out"), port).await?;
        Ok(Self { process, port })
    }

    pub(crate) fn service(&self, check: &str) -> Service {
        Service { base_url: format!("http://127.0.0.1:{}/v1", self.port), test_id: check.replace(' ', "-") }
    }

    pub(crate) async fn stop(self) {
        self.process.stop().await;
    }
}
