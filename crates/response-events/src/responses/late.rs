//! Events of a finished response that arrive late, on a connection that carries the next one already.

use super::{kind::Kind, payload::Payload};

/// What a finished response is known by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FinishedResponse {
    pub(crate) id: Option<String>,
    pub(crate) last_sequence: Option<u64>,
    pub(crate) item_ids: Vec<String>,
}

impl FinishedResponse {
    /// The response's id.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
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
        if let Some(id) = payload.response().id.non_empty() {
            let is_late = finished.id.as_deref() == Some(id);
            if !is_late {
                self.0 = None;
            }
            return is_late;
        }
        // The old response has had its end: an end without a name is that of the new one.
        if matches!(payload.event_type.as_deref().map(Kind::of), None | Some(Kind::Terminal(_))) {
            self.0 = None;
            return false;
        }
        let Some(finished) = &self.0 else { return false };
        let item_id = payload.item_id.non_empty().or_else(|| payload.item.as_ref()?.get("id")?.as_str());
        if item_id.is_some_and(|id| finished.item_ids.iter().any(|known| known == id)) {
            return true;
        }
        // Numbers begin again with each response: one that goes on belongs to the old one.
        matches!((payload.sequence_number.0, finished.last_sequence), (Some(number), Some(last)) if number > last)
    }
}
