//! The table, in Markdown.

use std::fmt;

use crate::{clients::Subject, seen::Cell};

/// The table so far.
#[derive(Debug)]
pub(crate) struct Report {
    columns: Vec<String>,
    rows: Vec<(String, Vec<String>)>,
}

impl Report {
    pub(crate) fn new(subjects: &[Subject]) -> Self {
        Self { columns: subjects.iter().map(Subject::name).collect(), rows: Vec::new() }
    }

    /// Adds a row; progress goes to standard error.
    pub(crate) fn row(&mut self, scenario: &str, cells: Vec<Cell>) {
        eprintln!("{scenario}");
        self.rows.push((scenario.to_owned(), cells.iter().map(Cell::words).collect()));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| the server … | {} |", self.columns.join(" | "))?;
        writeln!(f, "|{}", " --- |".repeat(self.columns.len() + 1))?;
        for (name, cells) in &self.rows {
            writeln!(f, "| {name} | {} |", cells.join(" | "))?;
        }
        Ok(())
    }
}
