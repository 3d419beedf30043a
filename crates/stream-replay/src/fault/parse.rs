//! From the lines of a script to the steps of its connections.

use std::path::Path;

use super::FaultScript;
use super::error::{ScriptError, Wrong};
use super::line::{self, Context};
use super::order::{Order, Place};
use super::section::{FaultStep, Section, Times};
use super::words::Words;
use crate::gate::Gate;
use crate::script::Step;

/// Reads a script whose files are named relative to `folder`.
pub(super) fn script(text: &str, folder: &Path) -> Result<FaultScript, ScriptError> {
    let gate = Gate::new();
    let mut parser = Parser {
        context: Context { folder, gate: &gate },
        sections: Vec::new(),
        connection: None,
        steps: Vec::new(),
        order: Order::default(),
        open: Vec::new(),
    };
    for (line, number) in text.lines().zip(1..) {
        parser.line(line, number).map_err(|wrong| wrong.in_line(number))?;
    }
    parser.close_section().map_err(|wrong| wrong.in_line(1))?;
    let sections = parser.sections.into();
    Ok(FaultScript { sections, gate })
}

struct Parser<'a> {
    context: Context<'a>,
    sections: Vec<(usize, Section)>,
    /// The number of the connection that is being read, from 0; `None` before the first heading.
    connection: Option<usize>,
    steps: Vec<FaultStep>,
    order: Order,
    /// Repetitions that are still open, the innermost last.
    open: Vec<Block>,
}

/// A repetition up to its `end`.
struct Block {
    line: usize,
    column: usize,
    times: Times,
    steps: Vec<FaultStep>,
}

impl Parser<'_> {
    fn line(&mut self, line: &str, number: usize) -> Result<(), Wrong> {
        let mut words = Words::of(line)?;
        let column = words.column();
        if words.is_empty() {
            return Ok(());
        }
        if words.takes("connection") {
            return self.heading(&mut words);
        }
        if words.takes("end") {
            let block = self.open.pop().ok_or_else(|| Wrong::new(column, "nothing is repeated here"))?;
            if block.steps.is_empty() {
                return Err(Wrong::new(column, "nothing is repeated"));
            }
            words.finish()?;
            return self.add(FaultStep::Repeat { times: block.times, steps: block.steps }, column);
        }
        let times = if words.takes("repeat") { Some(repetition(&mut words)?) } else { None };
        let place = words.column();
        match times {
            Some(times) if words.is_empty() => {
                self.open.push(Block { line: number, column, times, steps: Vec::new() });
                Ok(())
            }
            Some(times) => {
                let steps = self.steps(&mut words, Place::Repetition)?;
                if steps.iter().any(is_end) {
                    return Err(Wrong::new(place, "an end cannot be repeated"));
                }
                self.add(FaultStep::Repeat { times, steps }, column)
            }
            None => {
                let place = if self.open.is_empty() { Place::Sequence } else { Place::Repetition };
                let steps = self.steps(&mut words, place)?;
                steps.into_iter().try_for_each(|step| self.add(step, column))
            }
        }
    }

    /// The steps of a line, which may follow those before it.
    fn steps(&mut self, words: &mut Words, place: Place) -> Result<Vec<FaultStep>, Wrong> {
        let column = words.column();
        let steps = line::steps(words, &self.context)?;
        steps.iter().try_for_each(|step| self.order.check(step, place).map_err(|what| Wrong::new(column, what)))?;
        Ok(steps)
    }

    fn heading(&mut self, words: &mut Words) -> Result<(), Wrong> {
        let column = words.column();
        let expected = words.expected("the number of a connection and a colon, as in `connection 2:`");
        let word = words.word("the number of a connection and a colon, as in `connection 2:`")?;
        words.finish()?;
        let number: usize = word.strip_suffix(':').and_then(|number| number.parse().ok()).unwrap_or_default();
        let Some(index) = number.checked_sub(1) else { return Err(expected) };
        let first = match self.connection {
            Some(before) => index > before,
            // Steps without a heading are those of the first connection.
            None if self.steps.is_empty() && self.open.is_empty() => index == 0,
            None => index > 0,
        };
        if !first {
            let message = "the first connection is 1, and the others are in ascending order";
            return Err(Wrong::new(column, message));
        }
        self.close_section()?;
        self.connection = Some(index);
        Ok(())
    }

    fn add(&mut self, step: FaultStep, column: usize) -> Result<(), Wrong> {
        if self.open.last().is_some() && is_end(&step) {
            return Err(Wrong::new(column, "an end cannot be repeated"));
        }
        let steps = self.open.last_mut().map_or(&mut self.steps, |block| &mut block.steps);
        if steps.last().is_some_and(is_end) {
            return Err(Wrong::new(column, "nothing follows the end of a connection"));
        }
        steps.push(step);
        Ok(())
    }

    fn close_section(&mut self) -> Result<(), Wrong> {
        if let Some(block) = self.open.first() {
            return Err(Wrong::new(block.column, "the repetition has no `end`").earlier(block.line));
        }
        if self.connection.is_some() || !self.steps.is_empty() {
            let steps = std::mem::take(&mut self.steps);
            self.order = Order::default();
            self.sections.push((self.connection.unwrap_or_default(), Section::new(steps)));
        }
        Ok(())
    }
}

fn repetition(words: &mut Words) -> Result<Times, Wrong> {
    if words.takes("forever") {
        return Ok(Times::Forever);
    }
    let expected = words.expected("how often, as a number from 1 or `forever`");
    match words.number("how often, as a number from 1 or `forever`")? {
        0 => Err(expected),
        count => Ok(Times::Count(count)),
    }
}

fn is_end(step: &FaultStep) -> bool {
    matches!(step, FaultStep::Do(Step::End(_)))
}
