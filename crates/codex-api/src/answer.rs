//! A finished answer.

use std::collections::BTreeMap;

use response_events::{Completed, Failure, FunctionCall, Item, ItemKind, Opened, RateLimits, TurnEvent};

use crate::Error;

/// What a request brought: its finished items, and what the service said at the end.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// The finished items, in the order of the answer. [`history`](Self::history) has those that go back. Of a Chat
    /// answer with several choices they are those of the first one that has any, and so is what the methods say.
    pub items: Vec<Item>,
    /// The choices of a Chat answer behind the first one, where several were asked for (`n`), in the order of their
    /// indexes.
    pub other_choices: Vec<Choice>,
    /// Id, model, token counts.
    pub response: Completed,
    /// Why the answer is not whole; `None` when it is. One choice that was cut is enough.
    pub incomplete_reason: Option<String>,
    /// The head that the answer came behind, with its request id and headers; over a WebSocket, that of its handshake,
    /// and `None` where an earlier request had opened it. Heads of attempts that failed are not here. `None`, too,
    /// where the head was read from the stream as an event ([`TurnEvent::Opened`]) before the rest was collected.
    pub opened: Option<Opened>,
    /// How much of the limits is used: the latest of each family that the request told of, in the order of their
    /// ids; of at most 64 families.
    pub rate_limits: Vec<RateLimits>,
}

/// One more choice of a Chat answer.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Choice {
    /// The index that the service gave it.
    pub index: u32,
    /// Its finished items, in their order. One that was cut off has the status `incomplete`.
    pub items: Vec<Item>,
}

impl Choice {
    /// The text of all message items, joined.
    pub fn text(&self) -> String {
        text_of(&self.items)
    }
}

impl Answer {
    /// The text of all message items, joined.
    pub fn text(&self) -> String {
        text_of(&self.items)
    }

    /// The calls that the caller has to make. Those that were cut off, whose arguments are not what the model meant to
    /// say, are in [`items`](Self::items) alone.
    pub fn calls(&self) -> impl Iterator<Item = FunctionCall<'_>> {
        self.items.iter().filter(|item| !self.is_cut_call(item)).filter_map(Item::as_call)
    }

    /// What of the answer goes into the next request, ahead of the outputs of its [`calls`](Self::calls): the items as
    /// they came, but for calls that were cut off, which would lack an output, and for the reasoning behind which
    /// nothing is left then, or nothing came. Services refuse both.
    pub fn history(&self) -> impl Iterator<Item = Item> {
        self.kept(|item| !self.is_cut_call(item)).into_iter()
    }

    /// What goes into the next request where not every call has its output: the [`history`](Self::history) without
    /// the calls that none of `outputs` is for, and then `outputs`.
    pub fn history_with(&self, outputs: impl IntoIterator<Item = Item>) -> Vec<Item> {
        let outputs: Vec<Item> = outputs.into_iter().collect();
        let answered: Vec<&str> = outputs.iter().filter_map(|output| output.as_json()["call_id"].as_str()).collect();
        let is_answered = |item: &Item| item.as_call().is_none_or(|call| answered.contains(&call.call_id));
        let mut items = self.kept(|item| !self.is_cut_call(item) && is_answered(item));
        items.extend(outputs);
        items
    }

    /// The items that are wanted, with the reasoning that they came of.
    fn kept(&self, is_wanted: impl Fn(&Item) -> bool) -> Vec<Item> {
        let (mut kept, mut reasoning) = (Vec::new(), Vec::new());
        // Of the latest item that is no reasoning.
        let (mut is_followed, mut was_kept) = (false, true);
        for item in &self.items {
            if matches!(item.kind(), ItemKind::Reasoning(_)) {
                if std::mem::take(&mut is_followed) {
                    reasoning.clear();
                }
                reasoning.push(item.clone());
                continue;
            }
            (is_followed, was_kept) = (true, is_wanted(item));
            if was_kept {
                kept.append(&mut reasoning);
                kept.push(item.clone());
            }
        }
        // At the end of a whole answer it belongs to the item before it: details that came late, on the Chat wire.
        if !is_followed && was_kept && self.incomplete_reason.is_none() {
            kept.append(&mut reasoning);
        }
        kept
    }

    /// Of an answer that is not whole, a call has to say that it was not cut.
    fn is_cut_call(&self, item: &Item) -> bool {
        let is_whole = match self.incomplete_reason {
            None => item.status() != Some("incomplete"),
            Some(_) => item.status() == Some("completed"),
        };
        item.as_call().is_some() && !is_whole
    }
}

fn text_of(items: &[Item]) -> String {
    let texts = items.iter().filter_map(|item| match item.kind() {
        ItemKind::Message(message) => Some(message.text),
        _ => None,
    });
    texts.collect()
}

/// Families of limits that are kept. Services have a handful.
const MAX_FAMILIES: usize = 64;

/// Bytes of the id of a family that is kept.
const MAX_ID_LEN: usize = 256;

/// Collects an [`Answer`] from the events of one request.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    /// By their choices, and by their places in the answer.
    items: BTreeMap<(u32, u32), Item>,
    /// Whether the head is kept. It takes as much memory as a small buffer, for as long as the stream is open.
    keeps_head: bool,
    opened: Option<Box<Opened>>,
    /// By the name of their family.
    rate_limits: BTreeMap<String, RateLimits>,
    end: Option<Box<Result<Answer, Failure>>>,
}

impl Collector {
    /// Keeps the heads that come from now on.
    pub(crate) fn keep_head(&mut self) {
        self.keeps_head = true;
    }

    /// Takes in an event; the terminal one completes the answer.
    pub(crate) fn observe(&mut self, event: &TurnEvent) {
        let (response, incomplete_reason) = match event {
            // A new attempt sends the answer from its beginning; what came before a retry is void. The limits hold.
            TurnEvent::Request(_) | TurnEvent::Retry(_) => return self.items.clear(),
            // Of the last connection that the request opened: the one that the answer comes over.
            TurnEvent::Opened(opened) => {
                self.opened = self.keeps_head.then(|| Box::new(opened.clone()));
                return;
            }
            TurnEvent::RateLimits(limits) => {
                let is_known = self.rate_limits.contains_key(&limits.limit_id);
                if is_known || self.rate_limits.len() < MAX_FAMILIES && limits.limit_id.len() <= MAX_ID_LEN {
                    self.rate_limits.insert(limits.limit_id.clone(), limits.as_ref().clone());
                }
                return;
            }
            TurnEvent::ItemDone(done) => {
                self.items.insert((done.choice_index, done.output_index), done.item.clone());
                return;
            }
            TurnEvent::Completed(response) => (response.clone(), None),
            TurnEvent::Incomplete(end) => (end.response.clone(), Some(end.reason.clone())),
            _ => return,
        };
        let mut choices: Vec<Choice> = Vec::new();
        for ((index, _), item) in std::mem::take(&mut self.items) {
            match choices.last_mut().filter(|choice| choice.index == index) {
                Some(choice) => choice.items.push(item),
                None => choices.push(Choice { index, items: vec![item] }),
            }
        }
        let mut choices = choices.into_iter();
        let items = choices.next().unwrap_or_default().items;
        let other_choices = choices.collect();
        let (opened, rate_limits) = (self.opened.take().map(|it| *it), std::mem::take(&mut self.rate_limits));
        let rate_limits = rate_limits.into_values().collect();
        self.end =
            Some(Box::new(Ok(Answer { items, other_choices, response, incomplete_reason, opened, rate_limits })));
    }

    /// There is no answer.
    pub(crate) fn fail(&mut self, failure: &Failure) {
        self.items.clear();
        self.end = Some(Box::new(Err(failure.clone())));
    }

    /// The answer, if it is whole.
    pub(crate) fn answer(&self) -> Option<&Answer> {
        self.end.as_deref()?.as_ref().ok()
    }

    /// How the request ended.
    pub(crate) fn into_end(self) -> Option<Result<Answer, Error>> {
        Some((*self.end?).map_err(|failure| Error::new(failure, None)))
    }
}

#[cfg(test)]
mod tests {
    use response_events::{Incomplete, ItemEvent, RequestStarted, TransportKind};
    use serde_json::json;

    use super::*;

    /// The items of an answer (`TYPE STATUS`), how it ends, the places of its calls, and those of its history.
    #[track_caller]
    fn check(items: &[&str], end: &TurnEvent, calls: &[usize], history: &[usize]) {
        let mut collector = Collector::default();
        for (place, item) in items.iter().enumerate() {
            let (item_type, status) = item.split_once(' ').unwrap();
            let mut item = json!({"type": item_type, "call_id": place.to_string(), "name": "f"});
            if status != "-" {
                item["status"] = status.into();
            }
            let item = Item::from_json(item).unwrap();
            collector.observe(&TurnEvent::ItemDone(ItemEvent::new(u32::try_from(place).unwrap(), item)));
        }
        collector.observe(end);
        let answer = collector.answer().unwrap();
        let place = |id: &str| id.parse::<usize>().unwrap();
        assert_eq!(answer.calls().map(|call| place(call.call_id)).collect::<Vec<_>>(), calls);
        let kept = answer.history().map(|item| place(item.as_json()["call_id"].as_str().unwrap()));
        assert_eq!(kept.collect::<Vec<_>>(), history);
    }

    #[test]
    fn calls_that_were_cut_are_neither_made_nor_sent_back() {
        let completed = TurnEvent::Completed(Completed::default());
        let mut end = Incomplete::default();
        end.reason = "max_output_tokens".into();
        let incomplete = TurnEvent::Incomplete(end);

        let calls = ["reasoning -", "function_call completed", "custom_tool_call -", "function_call incomplete"];
        check(&calls, &completed, &[1, 2], &[0, 1, 2]);
        check(&calls, &incomplete, &[1], &[0, 1]);
        // Reasoning goes with what follows it.
        check(&["message -", "reasoning -", "reasoning -", "function_call incomplete"], &completed, &[], &[0]);
        check(&["reasoning -", "message incomplete"], &incomplete, &[], &[0, 1]);
        check(&["reasoning incomplete"], &incomplete, &[], &[]);
        check(&["message -", "reasoning -"], &completed, &[], &[0, 1]);
        check(&["function_call incomplete", "reasoning -"], &completed, &[], &[]);
        check(&["reasoning -", "web_search_call incomplete"], &incomplete, &[], &[0, 1]);
    }

    /// What is left of the items (`TYPE`) of a whole answer when only the calls at `answered` have outputs.
    #[track_caller]
    fn check_with(items: &[&str], answered: &[usize], expected: &[&str]) {
        let mut answer = Answer::default();
        let item = |(place, item_type): (usize, &&str)| {
            Item::from_json(json!({"type": item_type, "call_id": place.to_string(), "name": "f"})).unwrap()
        };
        answer.items = items.iter().enumerate().map(item).collect();
        let outputs = answer.calls().filter(|call| answered.contains(&call.call_id.parse().unwrap()));
        let history = answer.history_with(outputs.map(|call| call.output("x")));
        let seen =
            history.iter().map(|item| format!("{} {}", item.item_type(), item.as_json()["call_id"].as_str().unwrap()));
        assert_eq!(seen.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn calls_without_an_output_are_left_out_with_the_reasoning_for_them() {
        let calls = ["reasoning", "function_call", "function_call"];
        check_with(&calls, &[], &[]);
        check_with(&calls, &[2], &["reasoning 0", "function_call 2", "function_call_output 2"]);
        check_with(&["reasoning", "function_call", "reasoning", "message"], &[], &["reasoning 2", "message 3"]);
        check_with(&["message", "reasoning", "custom_tool_call"], &[], &["message 0"]);
        check_with(&["message", "reasoning"], &[], &["message 0", "reasoning 1"]);
        check_with(&["function_call", "reasoning"], &[], &[]);
    }

    #[test]
    fn choices_are_kept_apart_and_void_attempts_are_none() {
        let said = |choice, place, text: &str| {
            let content = json!([{"type": "output_text", "text": text}]);
            let item = Item::from_json(json!({"type": "message", "role": "assistant", "content": content})).unwrap();
            let mut done = ItemEvent::new(place, item);
            done.choice_index = choice;
            TurnEvent::ItemDone(done)
        };
        let mut collector = Collector::default();
        for event in [
            said(2, 0, "void"),
            TurnEvent::Request(RequestStarted::new(2, TransportKind::Sse, "")),
            said(1, 0, "b"),
            said(0, 1, "a"),
            said(1, 2, "bb"),
            said(0, 3, "aa"),
            TurnEvent::Completed(Completed::default()),
        ] {
            collector.observe(&event);
        }
        let answer = collector.answer().unwrap();
        assert_eq!((answer.text().as_str(), answer.history().count()), ("aaa", 2));
        let others: Vec<_> = answer.other_choices.iter().map(|choice| (choice.index, choice.text())).collect();
        assert_eq!(others, [(1, "bbb".to_owned())]);
    }

    #[test]
    fn what_a_service_makes_up_about_limits_is_not_kept_without_end() {
        let mut collector = Collector::default();
        let limits = |limit_id: String| {
            let mut limits = RateLimits::default();
            limits.limit_id = limit_id;
            TurnEvent::RateLimits(Box::new(limits))
        };
        for family in 0..MAX_FAMILIES * 2 {
            collector.observe(&limits(family.to_string()));
        }
        assert_eq!(collector.rate_limits.len(), MAX_FAMILIES);
        let mut collector = Collector::default();
        collector.observe(&limits("x".repeat(MAX_ID_LEN + 1)));
        assert!(collector.rate_limits.is_empty());
    }
}
