//! The sum of one stream, for comparisons.

use std::collections::BTreeMap;

use crate::{Delta, Failure, FailureKind, FunctionCall, Item, Ledger, TurnEvent, Wire};

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
    /// Bytes of deltas beyond [`SummaryBuilder::max_delta_bytes`], which no text here has: 0 as a rule.
    pub left_out_bytes: u64,
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
/// It is for tests and comparisons, and keeps much: the finished items, which
/// [`max_answer_bytes`](crate::InterpreterOptions::max_answer_bytes) bounds, and beside them the text of all deltas,
/// twice, up to [`max_delta_bytes`](Self::max_delta_bytes).
#[derive(Clone, Debug)]
pub struct SummaryBuilder {
    max_delta_bytes: usize,
    /// Bytes of deltas that were taken in.
    delta_bytes: usize,
    left_out_bytes: u64,
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
        Self {
            max_delta_bytes: 64 << 20,
            delta_bytes: 0,
            left_out_bytes: 0,
            items: BTreeMap::new(),
            delta_text: String::new(),
            refusal: String::new(),
            reasoning_summary: String::new(),
            reasoning_text: String::new(),
            choices: BTreeMap::new(),
            incomplete: false,
        }
    }

    /// The most bytes of deltas that are kept, all kinds together: the first that passes it, and every later one, is
    /// only counted, as [`Summary::left_out_bytes`]. Default 64 MiB.
    #[must_use]
    pub const fn max_delta_bytes(mut self, bytes: usize) -> Self {
        self.max_delta_bytes = bytes;
        self
    }

    /// Takes in the next event.
    pub fn observe(&mut self, event: &TurnEvent) {
        match event {
            TurnEvent::Request(_) => *self = Self::new().max_delta_bytes(self.max_delta_bytes),
            TurnEvent::TextDelta(delta) if self.has_room_for(delta) => {
                self.delta_text.push_str(&delta.text);
                self.choice(delta.choice_index).text.push_str(&delta.text);
            }
            TurnEvent::RefusalDelta(delta) if self.has_room_for(delta) => {
                self.refusal.push_str(&delta.text);
                self.choice(delta.choice_index).refusal.push_str(&delta.text);
            }
            TurnEvent::ReasoningDelta(delta) if self.has_room_for(delta) => {
                self.reasoning_text.push_str(&delta.text);
                self.choice(delta.choice_index).reasoning.push_str(&delta.text);
            }
            TurnEvent::ReasoningSummaryDelta(delta) if self.has_room_for(delta) => {
                self.reasoning_summary.push_str(&delta.text);
            }
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
            left_out_bytes: self.left_out_bytes,
        }
    }

    /// Counts a delta as kept or as left out. Behind one that is left out none is kept: a text with a gap reads as if
    /// it had none.
    fn has_room_for(&mut self, delta: &Delta) -> bool {
        let bytes = delta.text.len();
        if self.left_out_bytes == 0 && bytes <= self.max_delta_bytes.saturating_sub(self.delta_bytes) {
            self.delta_bytes += bytes;
            return true;
        }
        self.left_out_bytes += bytes as u64;
        false
    }

    fn choice(&mut self, index: u32) -> &mut ChoiceSummary {
        self.choices.entry(index).or_insert_with(|| ChoiceSummary { index, ..ChoiceSummary::default() })
    }
}

impl Default for SummaryBuilder {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RequestStarted, TransportKind};

    #[track_caller]
    fn check(max_delta_bytes: usize, deltas: &[&str], text: &str, left_out_bytes: u64) {
        let mut builder = SummaryBuilder::new().max_delta_bytes(max_delta_bytes);
        let observed = |builder: &mut SummaryBuilder| {
            for delta in deltas {
                builder.observe(&TurnEvent::TextDelta(Delta::new(0, *delta)));
            }
        };
        observed(&mut builder);
        // The next attempt has as much room again.
        builder.observe(&TurnEvent::Request(RequestStarted::new(2, TransportKind::Sse, "")));
        observed(&mut builder);
        let summary = builder.finish(Wire::Responses, &Ledger::default(), None);
        assert_eq!((summary.delta_text.as_str(), summary.left_out_bytes), (text, left_out_bytes));
        assert_eq!(summary.choices.first().map_or("", |choice| &choice.text), text);
    }

    #[test]
    fn deltas_are_kept_up_to_the_limit_without_a_gap_and_counted_beyond() {
        check(4, &["ab", "cd"], "abcd", 0);
        check(4, &["ab", "cde", "f"], "ab", 4);
        check(0, &["a"], "", 1);
        check(usize::MAX, &["a"], "a", 0);
    }

    #[test]
    fn a_limit_that_is_passed_already_when_it_is_set_leaves_out_what_follows() {
        let mut builder = SummaryBuilder::new();
        builder.observe(&TurnEvent::TextDelta(Delta::new(0, "abc")));
        builder = builder.max_delta_bytes(2);
        builder.observe(&TurnEvent::TextDelta(Delta::new(0, "d")));
        let summary = builder.finish(Wire::Responses, &Ledger::default(), None);
        assert_eq!((summary.delta_text.as_str(), summary.left_out_bytes), ("abc", 1));
    }
}
