//! A peer's program in the foreground.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::sleep;

/// How long a peer may take until it listens.
const START: Duration = Duration::from_secs(20);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// A running program; dropped, it is killed.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
}

impl Process {
    /// Starts `program` and waits until it listens on `port`. What it says goes into `output`, its complaints into a
    /// file beside; a program that does not come up is reported with both.
    pub(super) async fn start(
        program: &Path,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
        output: &Path,
        port: u16,
    ) -> Result<Self, String> {
        let name = program.display();
        let complaints = output.with_extension("err");
        let child = Command::new(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(create(output)?)
            .stderr(create(&complaints)?)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("`{name}` did not start: {error}"))?;
        let mut process = Self { child };
        process.listening(port).await.map_err(|why| {
            let said = [output, &complaints].map(|path| fs::read_to_string(path).unwrap_or_default()).concat();
            format!("`{name}` {why}\n{}", said.trim_end())
        })?;
        Ok(process)
    }

    async fn listening(&mut self, port: u16) -> Result<(), String> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        tokio::select! {
            biased;
            connected = until_ok(|| TcpStream::connect(address)) => {
                connected.map(drop).map_err(|error| format!("cannot be reached after {} s: {error}", START.as_secs()))
            }
            status = self.child.wait() => Err(match status {
                Ok(status) => format!("ended before it listened: {status}"),
                Err(error) => format!("ended before it listened: {error}"),
            }),
        }
    }

    /// Ends the program and waits for that.
    pub(super) async fn stop(mut self) {
        // It may have ended by itself.
        let _ = self.child.kill().await;
    }
}

fn create(path: &Path) -> Result<File, String> {
    File::create(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Tries again and again, for as long as a slow machine may need.
pub(super) async fn until_ok<T, E, F: Future<Output = Result<T, E>>>(mut attempt: impl FnMut() -> F) -> Result<T, E> {
    let start = Instant::now();
    loop {
        let result = attempt().await;
        if result.is_ok() || start.elapsed() > START {
            return result;
        }
        sleep(PAUSE).await;
    }
}

/// `text` with every `@NAME@` replaced, as a file.
pub(super) fn fill(text: &str, words: &[(&str, String)], path: PathBuf) -> Result<PathBuf, String> {
    let filled = words.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("@{name}@"), value));
    fs::write(&path, filled).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}
