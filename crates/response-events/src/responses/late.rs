//! Events of a finished response that arrive late, on a connection that carries the next one already.

use super::{kind::Kind, payload::Payload, stream::kind_of};

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
pub(super) struct LateFilter {
    finished: Option<FinishedResponse>,
    /// Whether late events have come.
    is_busy: bool,
}

impl LateFilter {
    pub(super) fn expect(&mut self, finished: FinishedResponse) {
        *self = Self { finished: Some(finished), is_busy: false };
    }

    /// Whether an event belongs to the finished response. The first one that surely does not ends the filter.
    pub(super) fn is_late(&mut self, payload: &Payload<'_>) -> bool {
        let is_late = self.judge(payload);
        self.is_busy |= is_late;
        is_late
    }

    fn judge(&mut self, payload: &Payload<'_>) -> bool {
        let Some(finished) = &self.finished else { return false };
        let kind = payload.event_type.as_deref().map(|event_type| kind_of(event_type, None, payload));
        let item_id = payload.item_id.non_empty().or_else(|| payload.item.as_ref()?.get("id")?.as_str());
        let number = payload.sequence_number.0;
        if kind.is_none_or(|kind| finished.is_said_again(kind, item_id, number)) {
            self.finished = None;
            return false;
        }
        // Numbers that go on belong to the old one.
        let goes_on = matches!((number, finished.last_sequence), (Some(number), Some(last)) if number > last);
        let is_end = matches!(kind, Some(Kind::Terminal(_)));
        if let Some(id) = payload.response().id.non_empty() {
            // The old response has had its end. A second one of its name is late among others that are; alone it is
            // more likely that the new response has the same name, and nothing else would come.
            let is_late = finished.id.as_deref() == Some(id) && (!is_end || goes_on || self.is_busy);
            if !is_late {
                self.finished = None;
            }
            return is_late;
        }
        if is_end {
            self.finished = None;
            return false;
        }
        goes_on || item_id.is_some_and(|id| finished.items.iter().any(|item| item.id == id))
    }
}
