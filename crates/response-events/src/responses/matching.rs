//! Which items of a list are those that were told of before.

use std::collections::{HashMap, VecDeque};

use super::known::{KnownItem, KnownItems};
use crate::Item;

/// By what an item of a list is known again, the surest first.
///
/// The list may hold more than what was told of, and less, so that its places say little; but services give new ids to
/// the same items, so that the ids do not say all.
#[derive(Clone, Copy, Debug)]
enum Sign {
    /// It stands in its place and has a name in common: services give one id to several items.
    PlaceAndName,
    Id,
    CallId,
    /// It stands in the place of one of its type.
    Place,
    /// Its place is another's, and it is of the type of one that is left.
    Type,
}

/// What several items may be looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Name<'a> {
    Id(&'a str),
    CallId(&'a str),
    None,
}

struct Matching<'a> {
    known: &'a KnownItems,
    /// Those that were found: each is one item of the list at most.
    found: Vec<bool>,
    /// By type and name, in order.
    named: HashMap<(&'a str, Name<'a>), VecDeque<usize>>,
}

/// The items of a list, each with its place there, as they are known.
pub(super) fn find_all<'a>(known: &'a KnownItems, listed: &'a [(u32, Item)]) -> Vec<Option<&'a KnownItem>> {
    let mut matching = Matching::new(known);
    let mut found = vec![None; listed.len()];
    for sign in [Sign::PlaceAndName, Sign::Id, Sign::CallId, Sign::Place, Sign::Type] {
        for (found, (place, item)) in found.iter_mut().zip(listed) {
            *found = found.or_else(|| matching.find(sign, *place, item));
        }
    }
    found.into_iter().map(|at: Option<usize>| known.get(at?)).collect()
}

impl<'a> Matching<'a> {
    fn new(known: &'a KnownItems) -> Self {
        let mut named: HashMap<_, VecDeque<_>> = HashMap::new();
        for (at, item) in known.iter().enumerate() {
            let call_id = item.call_id.as_deref().map(Name::CallId);
            // Calls are answered by their call ids, so these do not change.
            let unnamed = if call_id.is_none() { Some(Name::None) } else { None };
            for name in [item.id.as_deref().map(Name::Id), call_id, unnamed].into_iter().flatten() {
                named.entry((&*item.item_type, name)).or_default().push_back(at);
            }
        }
        Self { known, found: vec![false; known.iter().len()], named }
    }

    fn find(&mut self, sign: Sign, place: u32, item: &'a Item) -> Option<usize> {
        match sign {
            Sign::PlaceAndName => self.at(place, |known| known.is(item)),
            Sign::Id => self.next(item, Name::Id(item.id()?)),
            Sign::CallId => self.next(item, Name::CallId(item.text("call_id")?)),
            Sign::Place => self.at(place, |known| known.may_be(item)),
            Sign::Type if item.text("call_id").is_some() => None,
            Sign::Type => self.known.place(place).and_then(|_| self.next(item, Name::None)),
        }
    }

    fn at(&mut self, place: u32, is: impl FnOnce(&KnownItem) -> bool) -> Option<usize> {
        let at = self.known.place(place)?;
        (is(self.known.get(at)?) && self.claim(at)).then_some(at)
    }

    fn next(&mut self, item: &'a Item, name: Name<'a>) -> Option<usize> {
        loop {
            let at = self.named.get_mut(&(item.item_type(), name))?.pop_front()?;
            if self.claim(at) {
                return Some(at);
            }
        }
    }

    /// Whether the item was still to be found.
    fn claim(&mut self, at: usize) -> bool {
        !std::mem::replace(&mut self.found[at], true)
    }
}
