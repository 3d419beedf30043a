//! Builds the items of a Chat answer out of its deltas.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    calls::{CallKey, Calls},
    slot::{
        Body, CallBody, ItemStatus, MessageBody, MessagePart, PartKind, ReasoningBody, ReasoningField, Slot, State,
    },
};
use crate::{Delta, ItemEvent, TurnEvent, collected::json_len, interpreter::Output};

/// What a part of a message takes beside its text.
const PART_BYTES: usize = r#"{"type":"output_text","text":""}"#.len();

/// The open and finished items of all choices.
///
/// Items are numbered in the order in which they opened, and handed out in that order. In each choice at most one
/// message or reasoning item is open; calls stay open to the end, since their pieces may alternate.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    slots: Vec<Slot>,
    /// Slots before this one have been handed out.
    handed_out: usize,
    choices: BTreeMap<u32, ChoiceItems>,
    /// See [`InterpreterOptions::call_seed`](crate::InterpreterOptions::call_seed).
    call_seed: Option<u64>,
}

#[derive(Debug, Default)]
struct ChoiceItems {
    /// The open message or reasoning item.
    open_text: Option<usize>,
    calls: Calls,
    /// The item that grew last: the one that a cut answer leaves unfinished.
    latest: Option<usize>,
    /// Reasoning details that came without an open reasoning item.
    loose_details: ReasoningBody,
    /// What goes back with a message, while none is open.
    loose_extra: Option<Value>,
    has: Kinds,
    /// It began with a whole message.
    in_messages: bool,
}

/// What a choice has items of, beside calls.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kinds {
    pub(super) text: bool,
    pub(super) reasoning: bool,
}

/// How the items of a choice end that are still open at the end of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The choice is whole.
    Whole,
    /// The service cut the choice: what grew last is unfinished.
    CutByService,
    /// The stream broke: everything that was open is unfinished.
    Broken,
}

impl Assembler {
    pub(super) fn new(call_seed: Option<u64>) -> Self {
        Self { call_seed, ..Self::default() }
    }

    /// What the choice, of which a whole message has come, has said in deltas before.
    pub(super) fn in_deltas(&mut self, choice: u32) -> Kinds {
        let items = self.choices.entry(choice).or_default();
        items.in_messages |= items.latest.is_none();
        if items.in_messages { Kinds::default() } else { items.has }
    }

    /// Adds to the message of a choice.
    pub(super) fn add_text(&mut self, choice: u32, kind: PartKind, text: String, out: &mut Output) {
        if text.is_empty() {
            return;
        }
        let is_message = |body: &Body| matches!(body, Body::Message(_));
        let at = self.open_text(choice, is_message, || Body::Message(MessageBody::default()), out);
        let Body::Message(MessageBody { parts, .. }) = &mut self.slots[at].body else { return };
        if parts.last().is_none_or(|part| part.kind != kind) {
            parts.push(MessagePart { kind, text: String::new() });
            out.collected.add_bytes(PART_BYTES);
        }
        out.collected.add_bytes(text.len());
        let content_index = parts.len() - 1;
        parts[content_index].text.push_str(&text);
        let delta = delta(at, choice, Some(content_index as u32), text);
        out.emit(match kind {
            PartKind::Text => TurnEvent::TextDelta(delta),
            PartKind::Refusal => TurnEvent::RefusalDelta(delta),
        });
    }

    /// Adds to the reasoning of a choice.
    pub(super) fn add_reasoning(&mut self, choice: u32, field: ReasoningField, text: String, out: &mut Output) {
        if text.is_empty() {
            return;
        }
        let at = self.open_reasoning(choice, field, out);
        let Body::Reasoning(body) = &mut self.slots[at].body else { return };
        body.text.push_str(&text);
        out.collected.add_bytes(text.len());
        out.emit(TurnEvent::ReasoningDelta(delta(at, choice, Some(0), text)));
    }

    /// Adds to the reasoning of a choice what is opaque: it is kept for the item's end, and shown to nobody.
    pub(super) fn add_encrypted(&mut self, choice: u32, field: ReasoningField, block: &str, out: &mut Output) {
        out.silent();
        if block.is_empty() {
            return;
        }
        let at = self.open_reasoning(choice, field, out);
        if let Body::Reasoning(body) = &mut self.slots[at].body {
            body.encrypted.push_str(block);
            out.collected.add_bytes(block.len());
        }
    }

    /// Keeps what goes back with the message of a choice: with the one that is open, or else with the next. The last
    /// one counts.
    pub(super) fn add_extra(&mut self, choice: u32, extra: Value, out: &mut Output) {
        let items = self.choices.entry(choice).or_default();
        let kept = match items.open_text.map(|at| &mut self.slots[at].body) {
            Some(Body::Message(message)) => &mut message.extra,
            _ => &mut items.loose_extra,
        };
        out.collected.add_bytes(json_len(&extra).saturating_sub(kept.as_ref().map_or(0, json_len)));
        *kept = Some(extra);
    }

    /// Keeps reasoning details, which are sent back unchanged and shown to nobody.
    pub(super) fn add_details(&mut self, choice: u32, details: Vec<Value>, out: &mut Output) {
        if details.is_empty() {
            return;
        }
        // Kept for the item's end, without an event of their own.
        out.silent();
        let items = self.choices.entry(choice).or_default();
        let open = items.open_text.filter(|at| matches!(self.slots[*at].body, Body::Reasoning(_)));
        let kept = match (open, items.latest) {
            // Details open no item in the middle of a message, which they would split.
            (None, Some(_)) => items.loose_details.add_details(details),
            (open, _) => {
                let at = open.unwrap_or_else(|| self.open_reasoning(choice, ReasoningField::default(), out));
                match &mut self.slots[at].body {
                    Body::Reasoning(body) => body.add_details(details),
                    _ => 0,
                }
            }
        };
        out.collected.add_bytes(kept);
    }

    /// Adds a piece of a tool call.
    pub(super) fn add_call(&mut self, choice: u32, key: CallKey<'_>, out: &mut Output) {
        let known = self.choices.get(&choice).and_then(|items| items.calls.find(key, |at| self.call(at)));
        // Empty fields, as programs write that do not leave them out, call nothing.
        if known.is_none() && key.id.is_none() && key.name.is_none() && key.arguments.is_empty() && key.extra.is_none()
        {
            return out.silent();
        }
        let opened = known.is_none();
        let at = known.unwrap_or_else(|| {
            self.close_text(choice, out);
            self.push(choice, Body::Call(CallBody::default()), out)
        });
        out.collected.add_bytes(key.arguments.len());
        if let Body::Call(call) = &mut self.slots[at].body {
            call.index = call.index.or(key.index);
            call.kind = call.kind.or(key.kind);
            let mut first = |known: &mut Option<String>, new: Option<&str>| {
                if known.is_none() {
                    out.collected.add_bytes(new.map_or(0, str::len));
                    *known = new.map(str::to_owned);
                }
            };
            first(&mut call.id, key.id);
            first(&mut call.name, key.name);
            if let (None, Some(extra)) = (&call.extra, key.extra) {
                out.collected.add_bytes(json_len(extra));
                call.extra = Some(extra.clone());
            }
            self.choices.entry(choice).or_default().calls.note(at, call);
        }
        if opened {
            self.emit_added(at, out);
        }
        // Some services say the whole call again at its end.
        let is_said = |call: &CallBody| key.arguments == call.arguments.as_str() && call.is_whole();
        if let (Body::Call(call), false) = (&mut self.slots[at].body, key.arguments.is_empty()) {
            if is_said(call) {
                return out.silent();
            }
            call.arguments.push_str(key.arguments);
            out.emit(TurnEvent::ToolInputDelta(delta(at, choice, None, key.arguments.to_owned())));
        } else {
            // A name or an index for a call that is known, at most.
            out.silent();
        }
        self.choices.entry(choice).or_default().latest = Some(at);
    }

    /// Ends everything that is still open and hands it out.
    pub(super) fn finish(&mut self, ending: impl Fn(u32) -> Ending, response_id: Option<&str>, out: &mut Output) {
        for choice in self.choices.keys().copied().collect::<Vec<_>>() {
            let loose = std::mem::take(&mut self.choices.entry(choice).or_default().loose_details);
            if !loose.details.is_empty() {
                let latest = self.choices.entry(choice).or_default().latest;
                let at = self.push(choice, Body::Reasoning(loose), out);
                self.slots[at].state = State::Closed(ItemStatus::Completed);
                self.choices.entry(choice).or_default().latest = latest;
                self.emit_added(at, out);
            }
        }
        for at in 0..self.slots.len() {
            let slot = &mut self.slots[at];
            if slot.state != State::Open {
                continue;
            }
            let grew_last = self.choices.get(&slot.choice).and_then(|items| items.latest) == Some(at);
            slot.state = State::Closed(match ending(slot.choice) {
                _ if slot.is_nameless_call() => ItemStatus::Incomplete,
                Ending::Whole => ItemStatus::Completed,
                Ending::CutByService if !grew_last => ItemStatus::Completed,
                Ending::CutByService | Ending::Broken => ItemStatus::Incomplete,
            });
        }
        self.hand_out(response_id, out);
    }

    fn call(&self, at: usize) -> Option<&CallBody> {
        match &self.slots.get(at)?.body {
            Body::Call(call) => Some(call),
            _ => None,
        }
    }

    fn open_reasoning(&mut self, choice: u32, field: ReasoningField, out: &mut Output) -> usize {
        let is_reasoning = |body: &Body| matches!(body, Body::Reasoning(_));
        let body = || Body::Reasoning(ReasoningBody { field, ..ReasoningBody::default() });
        self.open_text(choice, is_reasoning, body, out)
    }

    /// The open message or reasoning item of a choice, if it is of the wanted kind; otherwise a new one.
    fn open_text(
        &mut self,
        choice: u32,
        wanted: impl Fn(&Body) -> bool,
        body: impl FnOnce() -> Body,
        out: &mut Output,
    ) -> usize {
        let open = self.choices.get(&choice).and_then(|items| items.open_text);
        let open = open.filter(|at| wanted(&self.slots[*at].body));
        let at = open.unwrap_or_else(|| {
            self.close_text(choice, out);
            let at = self.push(choice, body(), out);
            self.choices.entry(choice).or_default().open_text = Some(at);
            self.emit_added(at, out);
            at
        });
        self.choices.entry(choice).or_default().latest = Some(at);
        at
    }

    fn close_text(&mut self, choice: u32, out: &mut Output) {
        if let Some(at) = self.choices.entry(choice).or_default().open_text.take() {
            self.slots[at].state = State::Closed(ItemStatus::Completed);
            self.hand_out(None, out);
        }
    }

    fn push(&mut self, choice: u32, mut body: Body, out: &mut Output) -> usize {
        let items = self.choices.entry(choice).or_default();
        match &mut body {
            Body::Message(message) => {
                items.has.text = true;
                message.extra = items.loose_extra.take();
            }
            Body::Reasoning(_) => items.has.reasoning = true,
            Body::Call(_) => {}
        }
        out.collected.add_items(1);
        self.slots.push(Slot { choice, body, state: State::Open });
        self.slots.len() - 1
    }

    fn emit_added(&self, at: usize, out: &mut Output) {
        let slot = &self.slots[at];
        out.emit(TurnEvent::ItemAdded(item_event(at, slot, slot.opening_item())));
    }

    /// Hands out closed items, as far as no open one stands before them.
    fn hand_out(&mut self, response_id: Option<&str>, out: &mut Output) {
        while let Some(slot) = self.slots.get_mut(self.handed_out) {
            let State::Closed(status) = slot.state else { return };
            let at = self.handed_out;
            // Handing out takes the body.
            let call_index = slot.call_index();
            let item = slot.finished_item(status, || match (response_id, self.call_seed) {
                (Some(response_id), _) => format!("call_{response_id}_{at}"),
                (None, Some(seed)) => format!("call_{seed:016x}_{at}"),
                (None, None) => format!("call_{at}"),
            });
            out.emit(TurnEvent::ItemDone(ItemEvent { call_index, ..item_event(at, slot, item) }));
            self.handed_out += 1;
        }
    }
}

fn item_event(at: usize, slot: &Slot, item: crate::Item) -> ItemEvent {
    ItemEvent {
        output_index: at as u32,
        item,
        choice_index: slot.choice,
        call_index: slot.call_index(),
        sequence_number: None,
    }
}

fn delta(at: usize, choice: u32, content_index: Option<u32>, text: String) -> Delta {
    Delta {
        output_index: at as u32,
        item_id: None,
        content_index,
        summary_index: None,
        choice_index: choice,
        sequence_number: None,
        text,
    }
}
