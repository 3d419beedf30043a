//! The binary as a server.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
};

use super::command;

/// A server that ends with its test, however that ends.
pub(crate) struct Serving {
    child: Child,
    pub(crate) base_url: String,
}

impl Serving {
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut child = command().args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        stdout.read_line(&mut line).expect("the base URL arrives");
        Self { child, base_url: line.trim_end().to_owned() }
    }

    /// What it said on standard error.
    #[track_caller]
    pub(crate) fn stop(mut self, signal: &str, status: i32) -> String {
        let killed = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill runs");
        assert!(killed.success());
        let mut said = String::new();
        let mut stderr = self.child.stderr.take().expect("a pipe");
        stderr.read_to_string(&mut said).expect("standard error is UTF-8");
        assert_eq!(self.child.wait().expect("the binary ends").code(), Some(status), "{signal}: {said}");
        said
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Fails where it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
