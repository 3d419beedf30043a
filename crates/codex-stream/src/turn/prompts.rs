//! What the user says, turn by turn.

use std::{collections::VecDeque, io};

use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};

/// The prompts in their order. Lines of standard input are read when their turn comes; empty ones are passed over.
#[derive(Debug)]
pub(super) struct Prompts {
    arguments: VecDeque<String>,
    stdin: Option<Lines<BufReader<Stdin>>>,
}

impl Prompts {
    pub(super) fn new(arguments: &[String]) -> Self {
        Self { arguments: arguments.iter().cloned().collect(), stdin: None }
    }

    pub(super) async fn next(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(stdin) = &mut self.stdin {
                match stdin.next_line().await? {
                    Some(line) if line.trim().is_empty() => {}
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
}
