//! The answer as text, while it comes.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    io::{self, Write},
    time::Duration,
};

use anstyle::{AnsiColor, Style};
use response_events::{Delta, Failure, FunctionCall, Item, ItemKind, Ledger, TurnEvent};

use super::{Place, Render};

/// For whom the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextStyle {
    /// A pipe or file: the answer and the calls, byte for byte; no reasoning.
    Pipe,
    /// As [`Pipe`](Self::Pipe), but each answer only when it can no longer become void, so that a file never holds
    /// half an answer before a whole one.
    PipeWhenFinal,
    /// A terminal without colours. Reasoning is shown; control characters are not passed on.
    Plain,
    /// A terminal with colours, where reasoning is dimmed.
    Colour,
}

/// Marks output that nobody can take back.
const VOID: &str = "[the output above is void: the answer was cut off, and starts again]";

#[derive(Debug)]
pub(super) struct TextRenderer {
    style: TextStyle,
    block: Option<Block>,
    /// Whether the last thing written was a line end (or nothing).
    at_line_start: bool,
    /// Items of which a delta was shown; the others are shown when they are done.
    shown: BTreeSet<u32>,
    /// Further choices of a Chat answer, which arrive interleaved and are shown at the end.
    further_choices: Vec<(u32, String)>,
}

/// A run of text that belongs together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Block {
    kind: BlockKind,
    output_index: u32,
    part: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BlockKind {
    Text,
    Refusal,
    Reasoning,
    /// A line of its own: a call, a hint.
    Line,
}

impl TextRenderer {
    pub(super) fn new(style: TextStyle) -> Self {
        Self { style, block: None, at_line_start: true, shown: BTreeSet::new(), further_choices: Vec::new() }
    }

    /// Everything that is shown of an answer passes here.
    fn push(&mut self, block: Block, text: &str, out: &mut dyn Write) -> io::Result<()> {
        if text.is_empty() || (block.kind == BlockKind::Reasoning && self.style == TextStyle::Pipe) {
            return Ok(());
        }
        if self.block != Some(block) {
            self.open(block, out)?;
        }
        let style = self.style_of(block.kind);
        write!(out, "{style}{}{style:#}", self.printable(text))?;
        self.at_line_start = text.ends_with('\n');
        out.flush()
    }

    fn open(&mut self, block: Block, out: &mut dyn Write) -> io::Result<()> {
        let last = self.block.replace(block);
        self.end_line(out)?;
        if let Some(last) = last {
            if self.style != TextStyle::Pipe && (last.kind, block.kind) != (BlockKind::Line, BlockKind::Line) {
                writeln!(out)?;
            }
        }
        match block.kind {
            BlockKind::Refusal => write!(out, "[refusal] "),
            BlockKind::Reasoning if self.style == TextStyle::Plain => write!(out, "[reasoning] "),
            _ => Ok(()),
        }
    }

    fn end_line(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if !self.at_line_start {
            self.at_line_start = true;
            writeln!(out)?;
        }
        Ok(())
    }

    fn style_of(&self, kind: BlockKind) -> Style {
        match kind {
            _ if self.style != TextStyle::Colour => Style::new(),
            BlockKind::Text => Style::new(),
            BlockKind::Refusal => AnsiColor::Yellow.on_default(),
            BlockKind::Reasoning => Style::new().dimmed(),
            BlockKind::Line => AnsiColor::Cyan.on_default(),
        }
    }

    /// A model's text must not steer the terminal.
    fn printable<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let steers = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
        if self.style == TextStyle::Pipe || !text.contains(steers) {
            return Cow::Borrowed(text);
        }
        Cow::Owned(text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect())
    }

    fn delta(&mut self, kind: BlockKind, delta: &Delta, out: &mut dyn Write) -> io::Result<()> {
        if delta.choice_index > 0 {
            return Ok(());
        }
        self.shown.insert(delta.output_index);
        let block = Block { kind, output_index: delta.output_index, part: delta.summary_index.unwrap_or_default() };
        self.push(block, &delta.text, out)
    }

    fn line(&mut self, output_index: u32, line: &str, out: &mut dyn Write) -> io::Result<()> {
        self.end_line(out)?;
        self.push(Block { kind: BlockKind::Line, output_index, part: 0 }, line, out)?;
        self.end_line(out)
    }

    /// A finished item: what its deltas have not shown.
    fn item(&mut self, output_index: u32, item: &Item, out: &mut dyn Write) -> io::Result<()> {
        let block = |kind| Block { kind, output_index, part: 0 };
        let shown = self.shown.contains(&output_index);
        match item.kind() {
            ItemKind::Message(message) if !shown => {
                self.push(block(BlockKind::Text), &message.text, out)?;
                self.push(block(BlockKind::Refusal), message.refusal.as_deref().unwrap_or_default(), out)
            }
            ItemKind::Reasoning(reasoning) if !shown => {
                let text = if reasoning.summary.is_empty() { reasoning.text } else { reasoning.summary };
                self.push(block(BlockKind::Reasoning), &text, out)
            }
            ItemKind::FunctionCall(call) | ItemKind::CustomToolCall(call) => {
                self.line(output_index, &call_line(call), out)
            }
            // Tools that the service runs itself.
            ItemKind::Other(item_type) if self.style != TextStyle::Pipe => {
                self.line(output_index, &format!("[{item_type}]"), out)
            }
            _ => Ok(()),
        }
    }

    /// Keeps an item of a further choice for the end.
    fn keep(&mut self, choice: u32, item: &Item) {
        let text = match item.kind() {
            ItemKind::Message(message) => message.text + message.refusal.as_deref().unwrap_or_default(),
            ItemKind::FunctionCall(call) | ItemKind::CustomToolCall(call) => call_line(call),
            _ => return,
        };
        self.further_choices.push((choice, text));
    }

    /// Stands at the beginning of an attempt.
    fn forget(&mut self) {
        self.block = None;
        self.at_line_start = true;
        self.shown.clear();
        self.further_choices.clear();
    }
}

fn call_line(call: FunctionCall<'_>) -> String {
    format!("[tool call] {} {}", call.name, call.arguments)
}

impl Render for TextRenderer {
    fn begin(&mut self, _: Option<Place>, _: &mut dyn Write) -> io::Result<()> {
        self.forget();
        Ok(())
    }

    fn event(&mut self, _: Option<Duration>, event: &TurnEvent, out: &mut dyn Write) -> io::Result<()> {
        match event {
            TurnEvent::TextDelta(delta) => self.delta(BlockKind::Text, delta, out),
            TurnEvent::RefusalDelta(delta) => self.delta(BlockKind::Refusal, delta, out),
            TurnEvent::ReasoningDelta(delta) | TurnEvent::ReasoningSummaryDelta(delta) => {
                self.delta(BlockKind::Reasoning, delta, out)
            }
            TurnEvent::ItemDone(done) if done.choice_index > 0 => {
                self.keep(done.choice_index, &done.item);
                Ok(())
            }
            TurnEvent::ItemDone(done) => self.item(done.output_index, &done.item, out),
            TurnEvent::Retry(retry) => {
                if retry.discarded && self.block.is_some() {
                    self.line(0, VOID, out)?;
                }
                self.forget();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn end(&mut self, _: Option<&Failure>, _: &Ledger, out: &mut dyn Write) -> io::Result<()> {
        let mut heading = None;
        self.further_choices.sort_by_key(|(choice, _)| *choice);
        for (choice, text) in std::mem::take(&mut self.further_choices) {
            if heading != Some(choice) {
                heading = Some(choice);
                self.line(u32::MAX, &format!("[choice {choice}]"), out)?;
            }
            self.push(Block { kind: BlockKind::Text, output_index: u32::MAX, part: choice }, &text, out)?;
            self.end_line(out)?;
        }
        self.end_line(out)?;
        self.forget();
        out.flush()
    }
}
