//! The items of a response, as far as they have to be known again.

use std::collections::{BTreeMap, HashMap};

use crate::{Item, interpreter::Output};

/// Enough of an item to know it again, in its own later events and in the terminal event's list.
#[derive(Debug)]
pub(super) struct KnownItem {
    pub(super) output_index: u32,
    pub(super) id: Option<String>,
    pub(super) call_id: Option<String>,
    pub(super) is_done: bool,
}

impl KnownItem {
    pub(super) fn new(output_index: u32, item: &Item, is_done: bool) -> Self {
        let own = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        Self { output_index, id: own(item.id()), call_id: own(item.text("call_id")), is_done }
    }

    pub(super) fn is(&self, item: &Item) -> bool {
        same(self.id.as_deref(), item.id()) || same(self.call_id.as_deref(), item.text("call_id"))
    }

    /// The bytes of its names.
    pub(super) fn len(&self) -> usize {
        [&self.id, &self.call_id].into_iter().flatten().map(String::len).sum()
    }
}

fn same(a: Option<&str>, b: Option<&str>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if a == b && !a.is_empty())
}

/// The items of a response, in the order in which they were told of; one at each place.
#[derive(Debug, Default)]
pub(super) struct KnownItems {
    items: Vec<KnownItem>,
    /// Where in `items` the one with an output index stands.
    places: BTreeMap<u32, usize>,
}

impl KnownItems {
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &KnownItem> {
        self.items.iter()
    }

    pub(super) fn at(&self, output_index: u32) -> Option<&KnownItem> {
        self.places.get(&output_index).and_then(|at| self.items.get(*at))
    }

    /// Notes an item in its place. One that is done stays so, whatever opens there.
    pub(super) fn note(&mut self, noted: KnownItem, out: &mut Output) {
        let at = *self.places.entry(noted.output_index).or_insert(self.items.len());
        match self.items.get_mut(at) {
            Some(known) if known.is_done => {}
            Some(known) => {
                out.collected.add_bytes(noted.len().saturating_sub(known.len()));
                *known = noted;
            }
            None => {
                out.collected.add_items(1);
                out.collected.add_bytes(noted.len());
                self.items.push(noted);
            }
        }
    }

    pub(super) fn index(&self) -> KnownIndex<'_> {
        let mut index = KnownIndex { known: self, ids: HashMap::new(), call_ids: HashMap::new() };
        for item in &self.items {
            for (names, name) in [(&mut index.ids, &item.id), (&mut index.call_ids, &item.call_id)] {
                if let Some(name) = name {
                    *names.entry(name).or_default() |= item.is_done;
                }
            }
        }
        index
    }
}

/// The known items by all that they are known by, each with whether it is done: for a list that repeats them.
#[derive(Debug)]
pub(super) struct KnownIndex<'k> {
    known: &'k KnownItems,
    ids: HashMap<&'k str, bool>,
    call_ids: HashMap<&'k str, bool>,
}

impl KnownIndex<'_> {
    /// Whether the item that is listed at a place is done; `None` where it is not known.
    pub(super) fn is_done(&self, output_index: u32, item: &Item) -> Option<bool> {
        let by_place = self.known.at(output_index).map(|known| known.is_done);
        let by_id = item.id().and_then(|id| self.ids.get(id)).copied();
        let by_call = item.text("call_id").and_then(|call_id| self.call_ids.get(call_id)).copied();
        [by_place, by_id, by_call].into_iter().flatten().reduce(|one, other| one || other)
    }
}
