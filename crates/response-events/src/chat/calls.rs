//! Which call a piece of a tool call belongs to.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    chunk::{ToolCall, says_something},
    slot::CallBody,
};
use crate::CallKind;

/// What a piece says of its call, empty strings counted as missing.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallKey<'a> {
    pub(super) index: Option<u32>,
    pub(super) id: Option<&'a str>,
    pub(super) kind: Option<CallKind>,
    pub(super) name: Option<&'a str>,
    pub(super) arguments: &'a str,
    pub(super) extra: Option<&'a Value>,
}

impl<'a> CallKey<'a> {
    /// What a piece says. It may have both forms, as programs write that do not leave out what is empty: the one that
    /// says something counts.
    pub(super) fn of(call: &'a ToolCall<'_>) -> Self {
        let custom = call.custom.as_deref().map(|custom| (CallKind::Custom, &custom.name, &custom.input));
        let function = call.function.as_ref().map(|function| (CallKind::Function, &function.name, &function.arguments));
        let forms = [custom, function].into_iter().flatten();
        let mut forms = forms.map(|(kind, name, arguments)| (Some(kind), name.non_empty(), &*arguments.0));
        let said = forms.find(|(_, name, arguments)| name.is_some() || !arguments.is_empty());
        let (kind, name, arguments) = said.unwrap_or_else(|| {
            // Many programs write `function` whatever it is.
            let kind = (call.call_type.as_deref() == Some("custom")).then_some(CallKind::Custom);
            (kind, None, "")
        });
        let extra = call.extra_content.as_ref().filter(|extra| says_something(extra));
        Self { index: call.index.index(), id: call.id.non_empty(), kind, name, arguments, extra }
    }
}

/// The calls of one choice, by the names that pieces use for them: found at once, however many there are.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// The call that opened last.
    latest: Option<usize>,
    /// The latest call with an index.
    by_index: HashMap<u32, usize>,
    /// The latest call with an id.
    by_id: HashMap<String, usize>,
}

impl Calls {
    /// Notes a call by its place among the items, and again whenever it gets an index or an id. Places rise in the
    /// order in which calls open.
    pub(super) fn note(&mut self, at: usize, call: &CallBody) {
        self.latest = self.latest.max(Some(at));
        if let Some(index) = call.index {
            let known = self.by_index.entry(index).or_insert(at);
            *known = at.max(*known);
        }
        match call.id.as_deref() {
            // Most pieces name a call that is known.
            Some(id) if self.by_id.get(id).is_none_or(|known| *known < at) => {
                self.by_id.insert(id.to_owned(), at);
            }
            _ => {}
        }
    }

    /// Finds the call that a piece continues; `None` where the piece opens a new one. `body` gives the call at a place.
    ///
    /// The index decides, and the id where there is no index: two indexes are two calls, also under one id (services
    /// that give every call the id `call_0`). A new id on a used index opens a new call (services that number every
    /// call 0), an index or an id that repeats under another name or for another kind likewise. Without index and id,
    /// a name opens a new call once the current one has a name. With an index alone a piece continues the current call
    /// where that has none yet: a call without a name could not be made.
    pub(super) fn find<'s>(&self, key: CallKey<'_>, body: impl Fn(usize) -> Option<&'s CallBody>) -> Option<usize> {
        let continued = |at: &usize| body(*at).is_some_and(|call| continues(call, key));
        let by_id = || self.by_id.get(key.id?).copied().filter(continued);
        let latest = |wanted: fn(&CallBody, CallKey<'_>) -> bool| {
            self.latest.filter(|at| body(*at).is_some_and(|call| wanted(call, key) && continues(call, key)))
        };
        if let Some(index) = key.index {
            let by_index = self.by_index.get(&index).copied().filter(continued);
            let fits = |at: &usize| body(*at).is_some_and(|call| call.index.is_none_or(|known| known == index));
            return by_index.or_else(|| by_id().filter(fits)).or_else(|| latest(lacks_its_index));
        }
        if key.id.is_some() {
            // A call that began without its id takes the first one that comes, as long as nothing else speaks against
            // it.
            return by_id().or_else(|| latest(|call, key| call.id.is_none() && key.name.is_none()));
        }
        latest(|_, _| true)
    }
}

/// Whether a piece can belong to a call that its index, its id or its place points to.
fn continues(call: &CallBody, key: CallKey<'_>) -> bool {
    if matches!((key.id, call.id.as_deref()), (Some(id), Some(known)) if id != known) {
        return false;
    }
    if matches!((key.kind, call.kind), (Some(kind), Some(known)) if kind != known) {
        return false;
    }
    match (key.name, call.name.as_deref()) {
        (Some(name), Some(known)) if name != known => false,
        // The same name again is a repetition, unless the call is whole already and this is a whole one, too.
        (Some(_), Some(_)) if key.id.is_none() => !begins(key.arguments) || !call.is_whole(),
        _ => true,
    }
}

/// Whether a piece that says no more than an index and arguments can belong to a call that came without an index.
fn lacks_its_index(call: &CallBody, key: CallKey<'_>) -> bool {
    call.index.is_none() && key.id.is_none() && key.name.is_none() && !call.is_whole()
}

/// Whether a piece can be the beginning of a call's arguments.
fn begins(arguments: &str) -> bool {
    arguments.trim_start().starts_with('{')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same by a search through all calls, in the order in which they opened.
    fn search(calls: &[CallBody], key: CallKey<'_>) -> Option<usize> {
        let continued = |at: &usize| continues(&calls[*at], key);
        let latest = |fits: &dyn Fn(&CallBody) -> bool| calls.iter().rposition(fits).filter(continued);
        let by_id = || latest(&|call| key.id.is_some() && call.id.as_deref() == key.id);
        let last = || calls.len().checked_sub(1).filter(continued);
        match (key.index, key.id) {
            (Some(index), _) => latest(&|call| call.index == Some(index))
                .or_else(|| by_id().filter(|at| calls[*at].index.is_none_or(|known| known == index)))
                .or_else(|| {
                    let lacks_it = |call: &CallBody| call.index.is_none() && !call.is_whole();
                    last().filter(|at| lacks_it(&calls[*at]) && key.id.is_none() && key.name.is_none())
                }),
            (None, Some(_)) => by_id().or_else(|| last().filter(|at| calls[*at].id.is_none() && key.name.is_none())),
            (None, None) => last(),
        }
    }

    proptest! {
        #[test]
        fn an_index_finds_what_a_search_would_find(
            pieces in prop::collection::vec(
                (
                    prop::option::of(0..3_u32),
                    prop::option::of(prop::sample::select(vec!["a", "b", "c"])),
                    prop::option::of(prop::sample::select(vec![CallKind::Function, CallKind::Custom])),
                    prop::option::of(prop::sample::select(vec!["f", "g"])),
                    prop::sample::select(vec!["", "{", "}", "{}"]),
                ),
                0..30,
            ),
        ) {
            let mut calls: Vec<CallBody> = Vec::new();
            let mut known = Calls::default();
            for (index, id, kind, name, arguments) in pieces {
                let key = CallKey { index, id, kind, name, arguments, extra: None };
                let found = known.find(key, |at| calls.get(at));
                prop_assert_eq!(found, search(&calls, key));
                // Whatever found it, a call has one index, one id, one kind and one name.
                if let Some(call) = found.map(|at| &calls[at]) {
                    prop_assert!(index.is_none() || call.index.is_none() || call.index == index);
                    prop_assert!(id.is_none() || call.id.is_none() || call.id.as_deref() == id);
                    prop_assert!(kind.is_none() || call.kind.is_none() || call.kind == kind);
                    prop_assert!(name.is_none() || call.name.is_none() || call.name.as_deref() == name);
                }
                let at = found.unwrap_or_else(|| {
                    calls.push(CallBody::default());
                    calls.len() - 1
                });
                let call = &mut calls[at];
                call.index = call.index.or(index);
                call.id = call.id.take().or(id.map(str::to_owned));
                call.kind = call.kind.or(kind);
                call.name = call.name.take().or(name.map(str::to_owned));
                call.arguments.push_str(arguments);
                known.note(at, call);
            }
        }
    }
}
