//! The items of a response, as far as they have to be known again.

use std::collections::BTreeMap;

use crate::{Item, interpreter::Output};

/// Enough of an item to know it again, in its own later events and in the terminal event's list.
#[derive(Debug)]
pub(super) struct KnownItem {
    pub(super) output_index: u32,
    pub(super) id: Option<String>,
    pub(super) call_id: Option<String>,
    pub(super) item_type: String,
    pub(super) is_done: bool,
}

impl KnownItem {
    /// One that has opened, and is not finished.
    pub(super) fn open(output_index: u32, item: &Item) -> Self {
        let own = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let (id, call_id) = (own(item.id()), own(item.text("call_id")));
        Self { output_index, id, call_id, item_type: item.item_type().to_owned(), is_done: false }
    }

    /// One that is finished.
    pub(super) fn done(output_index: u32, item: &Item) -> Self {
        Self { is_done: true, ..Self::open(output_index, item) }
    }

    /// Whether an item has a name in common with it. A call and its output have the same call id, and differ in type;
    /// calls with different call ids are different ones, although services give them one id.
    pub(super) fn is(&self, item: &Item) -> bool {
        let is_named = same(self.id.as_deref(), item.id()) || same(self.call_id.as_deref(), item.text("call_id"));
        is_named && self.may_be(item)
    }

    /// Whether an item may be this one by another name.
    pub(super) fn may_be(&self, item: &Item) -> bool {
        let call_id = item.text("call_id").filter(|call_id| !call_id.is_empty());
        let differ = matches!((self.call_id.as_deref(), call_id), (Some(a), Some(b)) if a != b);
        self.item_type == item.item_type() && !differ
    }

    /// The bytes of its names.
    pub(super) fn len(&self) -> usize {
        let names = [&self.id, &self.call_id].into_iter().flatten();
        names.map(String::len).sum::<usize>() + self.item_type.len()
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
    pub(super) fn iter(&self) -> std::slice::Iter<'_, KnownItem> {
        self.items.iter()
    }

    pub(super) fn at(&self, output_index: u32) -> Option<&KnownItem> {
        self.place(output_index).and_then(|at| self.get(at))
    }

    /// Which of them, in their order, is the one at an output index.
    pub(super) fn place(&self, output_index: u32) -> Option<usize> {
        self.places.get(&output_index).copied()
    }

    /// The one that was told of as the n-th.
    pub(super) fn get(&self, at: usize) -> Option<&KnownItem> {
        self.items.get(at)
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
}
