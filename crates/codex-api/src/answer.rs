//! A finished answer.

use std::collections::BTreeMap;

use response_events::{Completed, Failure, FunctionCall, Item, ItemKind, Opened, RateLimits, TurnEvent};

use crate::Error;

/// What a request brought: its finished items, and what the service said at the end.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// The finished items, in the order of the answer.
    pub items: Vec<Item>,
    /// Id, model, token counts.
    pub response: Completed,
    /// Why the answer is not whole; `None` when it is.
    pub incomplete_reason: Option<String>,
    /// The head that the answer came behind, with its request id and headers; heads of attempts that failed are not
    /// here. `None` over a WebSocket that an earlier request had opened: its one head came with the handshake.
    pub opened: Option<Opened>,
    /// How much of the limits is used: the latest of each family that the request told of, in the order of their ids.
    pub rate_limits: Vec<RateLimits>,
}

impl Answer {
    /// The text of all message items, joined.
    pub fn text(&self) -> String {
        let texts = self.items.iter().filter_map(|item| match item.kind() {
            ItemKind::Message(message) => Some(message.text),
            _ => None,
        });
        texts.collect()
    }

    /// The calls that the caller has to make.
    pub fn calls(&self) -> impl Iterator<Item = FunctionCall<'_>> {
        self.items.iter().filter_map(Item::as_call)
    }
}

/// Collects an [`Answer`] from the events of one request.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    items: BTreeMap<u32, Item>,
    opened: Option<Opened>,
    /// By the name of their family.
    rate_limits: BTreeMap<String, RateLimits>,
    end: Option<Box<Result<Answer, Failure>>>,
}

impl Collector {
    /// Takes in an event; the terminal one completes the answer.
    pub(crate) fn observe(&mut self, event: &TurnEvent) {
        let (response, incomplete_reason) = match event {
            // A new attempt sends the answer from its beginning; what came before a retry is void. The limits hold.
            TurnEvent::Request(_) | TurnEvent::Retry(_) => {
                self.opened = None;
                return self.items.clear();
            }
            TurnEvent::Opened(opened) => {
                self.opened = Some(opened.clone());
                return;
            }
            TurnEvent::RateLimits(limits) => {
                self.rate_limits.insert(limits.limit_id.clone(), limits.as_ref().clone());
                return;
            }
            TurnEvent::ItemDone(done) => {
                self.items.insert(done.output_index, done.item.clone());
                return;
            }
            TurnEvent::Completed(response) => (response.clone(), None),
            TurnEvent::Incomplete(end) => (end.response.clone(), Some(end.reason.clone())),
            _ => return,
        };
        let items = std::mem::take(&mut self.items).into_values().collect();
        let (opened, rate_limits) = (self.opened.take(), std::mem::take(&mut self.rate_limits));
        let rate_limits = rate_limits.into_values().collect();
        self.end = Some(Box::new(Ok(Answer { items, response, incomplete_reason, opened, rate_limits })));
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
