//! The sum of one stream, for comparisons.

use std::collections::BTreeMap;

use crate::{Failure, FailureKind, FunctionCall, Item, Ledger, TurnEvent, Wire};

/// What one stream came to.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// The wire that it spoke.
    pub wire: Wire,
    /// `completed`, `incomplete`, `failed` or `truncated`.
    pub outcome: &'static str,
    /// Counts, and what the service said of the response.
    pub ledger: Ledger,
    /// The failure that ended it.
    pub failure: Option<Failure>,
    /// The finished items, by their place in the answer.
    pub items: Vec<Item>,
    /// All text deltas.
    pub delta_text: String,
    /// All refusal deltas.
    pub refusal: String,
    /// All deltas of reasoning summaries.
    pub reasoning_summary: String,
    /// All deltas of reasoning.
    pub reasoning_text: String,
    /// Chat: the choices apart.
    pub choices: Vec<ChoiceSummary>,
}

/// One choice of a Chat stream.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ChoiceSummary {
    /// Its index.
    pub index: u32,
    /// Why it ended.
    pub finish_reason: Option<String>,
    /// All text deltas.
    pub text: String,
    /// All reasoning deltas.
    pub reasoning: String,
    /// All refusal deltas.
    pub refusal: String,
    /// The calls, with the index that the service gave them (else their place).
    pub calls: Vec<ItemCall>,
}

/// A call of a Chat stream.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ItemCall {
    /// The service's index of the call, or its place where there was none.
    pub index: u32,
    /// The `function_call` or `custom_tool_call` item.
    pub item: Item,
}

impl ItemCall {
    /// The call itself.
    pub fn call(&self) -> Option<FunctionCall<'_>> {
        self.item.as_call()
    }
}

/// Collects a [`Summary`] from the events of one request. A new attempt starts it afresh.
///
/// It is for tests and comparisons, and keeps everything: the finished items, which
/// [`max_answer_bytes`](crate::InterpreterOptions::max_answer_bytes) bounds, and beside them the text of all deltas,
/// twice, which no limit bounds but the end of the stream. Who sums up what strangers send ends it by
/// [`Ledger::payload_bytes`].
#[derive(Clone, Debug, Default)]
pub struct SummaryBuilder {
    items: BTreeMap<u32, Item>,
    delta_text: String,
    refusal: String,
    reasoning_summary: String,
    reasoning_text: String,
    choices: BTreeMap<u32, ChoiceSummary>,
    incomplete: bool,
}

impl SummaryBuilder {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the next event.
    pub fn observe(&mut self, event: &TurnEvent) {
        match event {
            TurnEvent::Request(_) => *self = Self::default(),
            TurnEvent::TextDelta(delta) => {
                self.delta_text.push_str(&delta.text);
                self.choice(delta.choice_index).text.push_str(&delta.text);
            }
            TurnEvent::RefusalDelta(delta) => {
                self.refusal.push_str(&delta.text);
                self.choice(delta.choice_index).refusal.push_str(&delta.text);
            }
            TurnEvent::ReasoningDelta(delta) => {
                self.reasoning_text.push_str(&delta.text);
                self.choice(delta.choice_index).reasoning.push_str(&delta.text);
            }
            TurnEvent::ReasoningSummaryDelta(delta) => self.reasoning_summary.push_str(&delta.text),
            TurnEvent::ItemDone(done) => {
                if done.item.as_call().is_some() {
                    let calls = &mut self.choice(done.choice_index).calls;
                    let index = done.call_index.unwrap_or(calls.len() as u32);
                    calls.push(ItemCall { index, item: done.item.clone() });
                }
                self.items.insert(done.output_index, done.item.clone());
            }
            TurnEvent::Incomplete(_) => self.incomplete = true,
            _ => {}
        }
    }

    /// The sum, with the stream's account and the failure that ended it, if one did.
    pub fn finish(mut self, wire: Wire, ledger: &Ledger, failure: Option<&Failure>) -> Summary {
        for (index, end) in &ledger.choices {
            self.choice(*index).finish_reason.clone_from(&end.finish_reason);
        }
        let outcome = match failure {
            Some(failure) if failure.kind == FailureKind::Truncated => "truncated",
            Some(_) => "failed",
            None if self.incomplete => "incomplete",
            None => "completed",
        };
        Summary {
            wire,
            outcome,
            ledger: ledger.clone(),
            failure: failure.cloned(),
            items: self.items.into_values().collect(),
            delta_text: self.delta_text,
            refusal: self.refusal,
            reasoning_summary: self.reasoning_summary,
            reasoning_text: self.reasoning_text,
            choices: self.choices.into_values().collect(),
        }
    }

    fn choice(&mut self, index: u32) -> &mut ChoiceSummary {
        self.choices.entry(index).or_insert_with(|| ChoiceSummary { index, ..ChoiceSummary::default() })
    }
}
