//! A server on loopback in a process of its own, so that its work is not counted.

mod script;
mod serve;
mod serve_h2;

use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

pub use self::script::Script;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The word that turns a program of this crate into the server.
const ROLE: &str = "serve";

/// If this process was started as the server: serves, and answers how that ended. First thing in `main`.
pub fn serve_if_asked() -> Option<Result<()>> {
    (std::env::args().nth(1).as_deref() == Some(ROLE)).then(serve::serve)
}

/// A running server; it ends with this value.
#[derive(Debug)]
pub struct Server {
    child: Child,
    plain: u16,
    tls: u16,
    h2: u16,
    certificate: Vec<u8>,
}

impl Server {
    /// Starts this very program in its other role.
    pub fn start() -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.arg(ROLE).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let [plain, tls, h2, hex] = words[..] else { return Err("the server did not start".into()) };
        let digits = hex.as_bytes().chunks(2).map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?));
        let (plain, tls, h2) = (plain.parse()?, tls.parse()?, h2.parse()?);
        Ok(Self { child, plain, tls, h2, certificate: digits.collect::<Result<_>>()? })
    }

    /// The base URL of a script, without encryption.
    pub fn url(&self, script: Script) -> String {
        format!("http://127.0.0.1:{}/{}/v1", self.plain, script.name())
    }

    /// The base URL of a script, with TLS.
    pub fn tls_url(&self, script: Script) -> String {
        format!("https://127.0.0.1:{}/{}/v1", self.tls, script.name())
    }

    /// The base URL of [`Script::Idle`] over HTTP/2, with TLS.
    pub fn h2_url(&self) -> String {
        format!("https://127.0.0.1:{}/{}/v1", self.h2, Script::Idle.name())
    }

    /// The certificate (DER) that clients must trust.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// How many connections have brought a request so far.
    pub fn connections(&self) -> Result<u64> {
        Ok(self.ask("/connections")?.parse()?)
    }

    /// The idle streams that clients have left since the last question, by name, and when (nanoseconds of the Unix
    /// time).
    pub fn ends(&self) -> Result<HashMap<String, u128>> {
        let answer = self.ask("/ends")?;
        let ends = answer.lines().filter_map(|line| line.split_once(' '));
        ends.map(|(name, at)| Ok((name.to_owned(), at.parse()?))).collect()
    }

    fn ask(&self, path: &str) -> Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.plain))?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: bench\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.split_once("\r\n\r\n").ok_or("no answer")?.1.to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends by itself when its input does; this is sooner.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
