//! What passed on the wire, counted: nothing is dropped without a trace here.

use std::{borrow::Cow, collections::BTreeMap};

use crate::{ApiError, Usage, collected::MAX_ITEMS};

/// Bytes of a name that is kept; a longer one is none that anybody gave.
const MAX_NAME: usize = 256;

/// The account of one stream: counts, and what the service said of the response.
///
/// Counting goes on after the outcome is settled; what is said of the response does not change any more.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Ledger {
    /// Payloads taken in (dispatched SSE events, WebSocket messages), sentinels included.
    pub events: u64,
    /// Bytes of all payloads; of a Chat sentinel, those up to its end: what follows it need not come.
    pub payload_bytes: u64,
    /// `[DONE]` and `DONE` sentinels.
    pub done_sentinels: u64,
    /// Events of a type that is not known.
    pub unknown: u64,
    /// Payloads that could not be decoded.
    pub malformed: u64,
    /// Payloads that came after the outcome was settled, sentinels aside.
    pub after_terminal: u64,
    /// Events of the response before, which arrived late on a connection that is used again.
    pub late: u64,
    /// Payloads that only keep the connection alive: blank ones, and comments wrapped as data.
    pub keep_alives: u64,
    /// Payloads that were understood and have no event of their own: empty deltas, token counts, finish reasons.
    pub silent: u64,
    /// Whether the input ended before anything had settled the outcome. Where it did not, the outcome was told while
    /// the connection was still open, for all that the stream can know.
    pub input_ended: bool,
    /// How often each event type occurred (Responses).
    pub event_types: EventCounts,
    /// Terminal events seen: completed, incomplete, failed (Responses).
    pub terminal_events: u64,
    /// The type of the event that settled the outcome (Responses).
    pub terminal_event: Option<String>,
    /// Whether the sequence numbers that were there rose by one each time.
    pub sequence_contiguous: bool,
    /// The types of the items in `output_item.done` events, by their place in the answer (Responses).
    pub done_item_types: Vec<String>,
    /// The response's id: of the last lifecycle event, in Chat the first that is not empty.
    pub response_id: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// The response's status in its terminal event (Responses).
    pub status: Option<String>,
    /// Why the response is incomplete.
    pub incomplete_reason: Option<String>,
    /// The error that ended the stream.
    pub error: Option<ApiError>,
    /// Token counts; the last that were stated.
    pub usage: Option<Usage>,
    /// Chat: the choices, by their index.
    pub choices: BTreeMap<u32, ChoiceEnd>,
    last_sequence: Option<u64>,
    /// Values that were taken in; mostly one a payload.
    taken: u64,
    /// Those of them that became an event or were counted under some other name.
    accounted: u64,
    /// Those of them that have an event, which says no more than that the connection is alive.
    typed_keep_alives: u64,
    /// The places of `done_item_types`.
    done_places: Vec<u32>,
}

/// How a choice of a Chat stream ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChoiceEnd {
    /// `finish_reason`; `None` while the choice has none.
    pub finish_reason: Option<String>,
}

/// How often each event type occurred.
#[derive(Clone, Debug, Default)]
pub struct EventCounts {
    /// The type that came last, which is nearly always the one that comes next.
    latest: Option<EventCount>,
    others: Vec<EventCount>,
}

type EventCount = (Cow<'static, str>, u64);

/// By their counts, in whatever order they came.
impl PartialEq for EventCounts {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for EventCounts {}

fn is(name: &str, event_type: &str, interned: Option<&'static str>) -> bool {
    interned.is_some_and(|known| std::ptr::eq(known, name)) || name == event_type
}

impl EventCounts {
    /// The counts, by event type in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        let all = self.latest.iter().chain(&self.others);
        all.map(|(name, count)| (&**name, *count)).collect::<BTreeMap<_, _>>().into_iter()
    }

    /// Bounds what a peer that makes up types can cost.
    const MAX_TYPES: usize = 256;

    /// Gives each type the name that `rename` makes of its own, if any: to take out what nobody should see.
    pub fn rename(&mut self, rename: impl Fn(&str) -> Option<String>) {
        for (name, _) in self.latest.iter_mut().chain(&mut self.others) {
            if let Some(new) = rename(name) {
                *name = Cow::Owned(new);
            }
        }
    }

    /// Counts one more event. A name that is `interned` is known by its place: among many slow streams, the words
    /// themselves have left the cache.
    pub(crate) fn add(&mut self, event_type: &str, interned: Option<&'static str>) {
        match &mut self.latest {
            Some((name, count)) if is(name, event_type, interned) => *count += 1,
            _ => self.add_other(event_type, interned),
        }
    }

    #[cold]
    fn add_other(&mut self, event_type: &str, interned: Option<&'static str>) {
        let mut found = self.take(event_type);
        if found.is_none() && (event_type.len() > MAX_NAME || self.is_full()) {
            found = Some(self.take(Self::MORE).unwrap_or((Cow::Borrowed(Self::MORE), 0)));
        }
        let new = || (interned.map_or_else(|| Cow::Owned(event_type.to_owned()), Cow::Borrowed), 0);
        let (name, count) = found.unwrap_or_else(new);
        self.others.extend(self.latest.replace((name, count + 1)));
    }

    const MORE: &str = "(more types)";

    fn is_full(&self) -> bool {
        self.others.len() + usize::from(self.latest.is_some()) >= Self::MAX_TYPES
    }

    fn take(&mut self, event_type: &str) -> Option<EventCount> {
        if let Some(latest) = self.latest.take_if(|(name, _)| *name == *event_type) {
            return Some(latest);
        }
        let at = self.others.iter().position(|(name, _)| *name == *event_type)?;
        Some(self.others.swap_remove(at))
    }
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self { sequence_contiguous: true, ..Self::default() }
    }

    /// Payloads that were taken in and nobody accounted for: they became no event, settled nothing, and are in no other
    /// count. Always 0; anything else is a mistake in this library, by which an event was lost.
    pub fn dropped(&self) -> u64 {
        self.taken - self.accounted
    }

    /// Payloads that say something of the response: neither [keep-alives](Self::keep_alives), `keepalive` events
    /// (Responses) nor [late](Self::late) ones. A deadline for the next event should look at these alone.
    pub fn progress(&self) -> u64 {
        self.taken - self.keep_alives - self.typed_keep_alives - self.late
    }

    pub(crate) fn note_keep_alive(&mut self) {
        self.typed_keep_alives += 1;
    }

    pub(crate) fn note_taken(&mut self) {
        self.taken += 1;
    }

    pub(crate) fn note_accounted(&mut self) {
        self.accounted += 1;
    }

    /// Notes a finished item; without a place it counts as the next one. A stream that repeats itself without end is
    /// not noted without end.
    pub(crate) fn note_done_type(&mut self, place: Option<u32>, item_type: &str) {
        if self.done_places.len() >= MAX_ITEMS {
            return;
        }
        let place = place.or(self.done_places.last().copied()).unwrap_or_default();
        let at = self.done_places.partition_point(|known| *known <= place);
        self.done_places.insert(at, place);
        let item_type = if item_type.len() > MAX_NAME { "(long name)" } else { item_type };
        self.done_item_types.insert(at, item_type.to_owned());
    }

    pub(crate) fn last_sequence(&self) -> Option<u64> {
        self.last_sequence
    }

    pub(crate) fn note_sequence(&mut self, number: Option<u64>) {
        let Some(number) = number else { return };
        if self.last_sequence.is_some_and(|last| last.checked_add(1) != Some(number)) {
            self.sequence_contiguous = false;
        }
        self.last_sequence = Some(number);
    }
}
