//! What the user says, turn by turn.

use std::{collections::VecDeque, io};

use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};

/// The prompts in their order. Lines of standard input are read when their turn comes; empty ones are passed over.
#[derive(Debug)]
pub(super) struct Prompts {
    arguments: VecDeque<String>,
    stdin: Option<Lines<BufReader<Stdin>>>,
    /// Lines of standard input that were read.
    lines: u64,
}

impl Prompts {
    pub(super) fn new(arguments: &[String]) -> Self {
        Self { arguments: arguments.iter().cloned().collect(), stdin: None, lines: 0 }
    }

    pub(super) async fn next(&mut self) -> io::Result<Option<String>> {
        loop {
            if self.stdin.is_some() {
                match self.line().await? {
                    Some(line) if line.is_empty() => {}
                    Some(line) => return Ok(Some(line)),
                    None => self.stdin = None,
                }
                continue;
            }
            match self.arguments.pop_front() {
                Some(argument) if argument == "-" => {
                    self.stdin = Some(BufReader::new(tokio::io::stdin()).lines());
                }
                argument => return Ok(argument),
            }
        }
    }

    /// Whether there may be another one.
    pub(super) fn may_go_on(&self) -> bool {
        self.stdin.is_some() || !self.arguments.is_empty()
    }

    /// The next line of standard input, empty where it is blank, and without the mark that some editors begin a file
    /// with.
    async fn line(&mut self) -> io::Result<Option<String>> {
        let Some(stdin) = &mut self.stdin else { return Ok(None) };
        self.lines += 1;
        let line = stdin.next_line().await.map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => io::Error::new(error.kind(), format!("line {} is not UTF-8", self.lines)),
            _ => error,
        })?;
        Ok(line.map(|line| {
            let line = line.strip_prefix('\u{feff}').unwrap_or(&line);
            if line.trim().is_empty() { String::new() } else { line.to_owned() }
        }))
    }
}
