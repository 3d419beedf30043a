//! Carries out steps one after another.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Instant;

use super::corpus::{self, Corpus};
use super::steps::{Step, Work};
use super::tally::Tally;
use crate::tidy::{self, Tree};
use crate::{cargo, workspace::Workspace};

pub(super) struct Run<'a> {
    workspace: &'a Workspace,
    corpus: &'a Corpus,
    /// Where insta notes which snapshots the tests ask for.
    references: PathBuf,
    /// The sum over the test steps so far; `None` before the first.
    tally: Option<Tally>,
}

impl<'a> Run<'a> {
    pub(super) fn new(workspace: &'a Workspace, corpus: &'a Corpus) -> Self {
        let name = format!("codex-api-snapshots-{}", std::process::id());
        Self { workspace, corpus, references: std::env::temp_dir().join(name), tally: None }
    }

    pub(super) fn tally(&self) -> Option<Tally> {
        self.tally
    }

    /// The error names the step that failed and how to run it alone.
    pub(super) fn all(&mut self, steps: &[&Step]) -> Result<(), String> {
        let begin = Instant::now();
        for (index, step) in steps.iter().enumerate() {
            let label = format!("step {}/{}, {}", index + 1, steps.len(), step.name);
            println!("{label}: {}", step.work.shown());
            let begin = Instant::now();
            self.one(&step.work).map_err(|problem| {
                let again = self.again(&step.work);
                format!("{label}: {problem}\nrun it again with: {again}")
            })?;
            println!("{label}: passed in {:.1} s", begin.elapsed().as_secs_f64());
        }
        println!("all steps passed in {:.1} s", begin.elapsed().as_secs_f64());
        Ok(())
    }

    fn one(&mut self, work: &Work) -> Result<(), String> {
        match work {
            Work::Cargo(args) => self.cargo(args),
            Work::Tests(args) => self.tests(args),
            Work::Task { run, .. } => run(self.workspace).map_err(|failure| failure.to_string()),
            Work::SnapshotReferences => self.snapshot_references(),
        }
    }

    fn cargo(&self, args: &[&str]) -> Result<(), String> {
        let status = cargo::command(&self.workspace.root, args).status().map_err(|error| not_started(&error))?;
        verdict(status)
    }

    fn tests(&mut self, args: &[&str]) -> Result<(), String> {
        let mut command = cargo::command(&self.workspace.root, args);
        command
            .env("INSTA_UPDATE", "no")
            .env_remove("INSTA_FORCE_PASS")
            .env("INSTA_SNAPSHOT_REFERENCES_FILE", &self.references)
            .env_remove(corpus::VARIABLE);
        if let Corpus::At(folder) = self.corpus {
            command.env(corpus::VARIABLE, folder);
        }
        let (status, mut tally) = watch(command)?;
        if !status.success() {
            tally.note_failed_run();
        }
        *self.tally.get_or_insert_default() += tally;
        verdict(status)
    }

    fn snapshot_references(&self) -> Result<(), String> {
        let references = match fs::read_to_string(&self.references) {
            Ok(references) => references,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(format!("{}: {error}", self.references.display())),
        };
        let root = &self.workspace.root;
        let unused = tidy::check_references(root, &Tree::read(root)?, &references);
        tidy::report(unused).map_err(|failure| failure.to_string())
    }

    /// What to type to do this work alone, or with as little else as possible.
    fn again(&self, work: &Work) -> String {
        match (work, self.corpus) {
            (Work::SnapshotReferences, _) => "cargo xtask test --quick".to_owned(),
            (Work::Tests(_), Corpus::At(folder)) => {
                let folder = folder.display();
                format!("{}='{folder}' {}", corpus::VARIABLE, work.shown())
            }
            _ => work.shown(),
        }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        // Absent when no test used a snapshot; of no interest to anybody else.
        let _ = fs::remove_file(&self.references);
    }
}

/// Runs a command whose standard output is shown as it comes, and read for the tests' results.
fn watch(mut command: Command) -> Result<(ExitStatus, Tally), String> {
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| not_started(&error))?;
    let mut tally = Tally::default();
    if let Some(mut output) = child.stdout.take() {
        show(&mut output, &mut io::stdout().lock(), &mut tally)
            .map_err(|error| format!("the output could not be shown: {error}"))?;
    }
    let status = child.wait().map_err(|error| format!("the exit status is unknown: {error}"))?;
    Ok((status, tally))
}

fn show(from: &mut impl Read, to: &mut impl Write, tally: &mut Tally) -> io::Result<()> {
    let mut buffer = [0; 8192];
    let mut line = Vec::new();
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        to.write_all(&buffer[..count])?;
        to.flush()?;
        for byte in &buffer[..count] {
            if *byte == b'\n' {
                tally.read_line(&String::from_utf8_lossy(&line));
                line.clear();
            } else {
                line.push(*byte);
            }
        }
    }
    tally.read_line(&String::from_utf8_lossy(&line));
    Ok(())
}

fn not_started(error: &io::Error) -> String {
    format!("cargo did not start: {error}")
}

fn verdict(status: ExitStatus) -> Result<(), String> {
    if status.success() { Ok(()) } else { Err(format!("failed, {status}")) }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::{Tally, show};

    /// Hands out its parts one by one, as a pipe does.
    struct Pipe(Vec<&'static str>);

    impl Read for Pipe {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let part = self.0.remove(0).as_bytes();
            buffer[..part.len()].copy_from_slice(part);
            Ok(part.len())
        }
    }

    #[test]
    fn output_is_passed_on_whole_and_results_are_found_across_reads() {
        let parts = vec![
            "running 2 tests\ntest a ... ",
            "ok\ntest result: ok. 2 pas",
            "sed; 0 failed; 0 ignored\r\ntest result: FAILED. 1 passed; 3 failed; 0 ignored",
        ];
        let whole = parts.concat();
        let (mut shown, mut tally) = (Vec::new(), Tally::default());
        show(&mut Pipe(parts), &mut shown, &mut tally).unwrap();
        assert_eq!(String::from_utf8(shown).unwrap(), whole);
        assert_eq!(tally.to_string(), "3 passed, 3 failed");
    }
}
