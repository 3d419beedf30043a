//! The fuzzing server of the suite, as a child process.

use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

/// Compression is not offered, so its cases have nothing to test.
const EXCLUDED: &[&str] = &["12.*", "13.*"];

/// What the server prints before its address.
const LISTENING: &str = "listening on ws://";

/// A running server; dropped, it ends.
pub(super) struct Server {
    child: Child,
    stderr: BufReader<ChildStderr>,
    address: String,
}

impl Server {
    /// Starts `suite` on a free port; the results of an earlier run are removed.
    pub(super) fn start(suite: &Path, reports: &Path) -> Result<Self, String> {
        if reports.exists() {
            std::fs::remove_dir_all(reports).map_err(|error| format!("{}: {error}", reports.display()))?;
        }
        let mut command = Command::new(suite);
        command.args(["--mode", "fuzzingserver", "127.0.0.1:0", "--outdir"]).arg(reports);
        for case in EXCLUDED {
            command.args(["--exclude", case]);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("`{}` did not start: {error}", suite.display()))?;
        let stderr = child.stderr.take().ok_or("the fuzzing server has no standard error")?;
        let mut server = Self { child, stderr: BufReader::new(stderr), address: String::new() };
        server.address = server.read_address()?;
        Ok(server)
    }

    /// Host and port.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    fn read_address(&mut self) -> Result<String, String> {
        let mut said = String::new();
        loop {
            let begin = said.len();
            match self.stderr.read_line(&mut said) {
                Ok(0) => return Err(format!("the fuzzing server ended before it listened:\n{said}")),
                Ok(_) => {}
                Err(error) => return Err(format!("the fuzzing server cannot be read: {error}")),
            }
            if let Some((_, address)) = said[begin..].split_once(LISTENING) {
                return Ok(address.trim().to_owned());
            }
        }
    }

    /// Waits until the reports are written, which the client asked for. The exit status repeats what they say.
    pub(super) fn wait(mut self) -> Result<(), String> {
        // Read to its end, so that the server is not held up by a full pipe.
        let mut rest = Vec::new();
        self.stderr.read_to_end(&mut rest).map_err(|error| format!("the fuzzing server cannot be read: {error}"))?;
        self.child.wait().map_err(|error| format!("the fuzzing server did not end: {error}"))?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already, unless something went wrong.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
