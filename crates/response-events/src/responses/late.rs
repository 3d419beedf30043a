//! Events of a finished response that arrive late, on a connection that carries the next one already.

use super::{kind::Kind, payload::Payload};

/// What a finished response is known by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FinishedResponse {
    pub(crate) id: Option<String>,
    pub(crate) last_sequence: Option<u64>,
    pub(crate) items: Vec<FinishedItem>,
}

/// An item of a finished response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FinishedItem {
    pub(crate) id: String,
    pub(crate) is_done: bool,
}

impl FinishedResponse {
    /// The response's id.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Whether an event says what a response says only once, and this one has said: then it is another response, by
    /// whatever names. Services with canned answers have the same for all of them.
    fn is_said_again(&self, kind: Kind, item_id: Option<&str>, sequence_number: Option<u64>) -> bool {
        let item = item_id.and_then(|id| self.items.iter().find(|item| item.id == id));
        match kind {
            Kind::Created => true,
            Kind::ItemAdded if item.is_some() => true,
            Kind::ItemDone if item.is_some_and(|item| item.is_done) => true,
            // Numbers begin again with each response.
            _ => sequence_number < self.last_sequence && sequence_number.is_some(),
        }
    }
}

/// Whether events still have to be looked at closely.
#[derive(Debug, Default)]
pub(super) struct LateFilter(Option<FinishedResponse>);

impl LateFilter {
    pub(super) fn expect(&mut self, finished: FinishedResponse) {
        self.0 = Some(finished);
    }

    /// Whether an event belongs to the finished response. The first one that surely does not ends the filter.
    pub(super) fn is_late(&mut self, payload: &Payload<'_>) -> bool {
        let Some(finished) = &self.0 else { return false };
        let kind = payload.event_type.as_deref().map(Kind::of);
        let item_id = payload.item_id.non_empty().or_else(|| payload.item.as_ref()?.get("id")?.as_str());
        let number = payload.sequence_number.0;
        if kind.is_none_or(|kind| finished.is_said_again(kind, item_id, number)) {
            self.0 = None;
            return false;
        }
        if let Some(id) = payload.response().id.non_empty() {
            let is_late = finished.id.as_deref() == Some(id);
            if !is_late {
                self.0 = None;
            }
            return is_late;
        }
        // The old response has had its end: an end without a name is that of the new one.
        if matches!(kind, Some(Kind::Terminal(_))) {
            self.0 = None;
            return false;
        }
        // Numbers that go on belong to the old one.
        item_id.is_some_and(|id| finished.items.iter().any(|item| item.id == id))
            || matches!((number, finished.last_sequence), (Some(number), Some(last)) if number > last)
    }
}
