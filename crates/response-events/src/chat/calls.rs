//! Which call a piece of a tool call belongs to.

use serde::de::IgnoredAny;

use super::slot::CallBody;

/// What a piece says of its call, empty strings counted as missing.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallKey<'a> {
    pub(super) index: Option<u32>,
    pub(super) id: Option<&'a str>,
    pub(super) name: Option<&'a str>,
    pub(super) arguments: &'a str,
}

/// Finds the call that a piece continues among the calls of its choice, in the order in which they opened; `None`
/// where the piece opens a new one.
///
/// The index decides, and the id where there is no index. A new id on a used index opens a new call (services that
/// number every call 0), an index that repeats under another name likewise. Without index and id, a name opens a
/// new call once the current one has a name.
pub(super) fn find_call(calls: &[(usize, &CallBody)], key: CallKey<'_>) -> Option<usize> {
    let by_id = || {
        let id = key.id?;
        calls.iter().rev().find(|(_, call)| call.id.as_deref() == Some(id))
    };
    if let Some(index) = key.index {
        if let Some((at, call)) = calls.iter().rev().find(|(_, call)| call.index == Some(index)) {
            return continues(call, key).then_some(*at).or_else(|| by_id().map(|(at, _)| *at));
        }
        return by_id().map(|(at, _)| *at);
    }
    if key.id.is_some() {
        // A call that began without its id takes the first one that comes, as long as nothing else speaks against it.
        let unnamed =
            || calls.last().filter(|(_, call)| call.id.is_none() && continues(call, key) && key.name.is_none());
        return by_id().or_else(unnamed).map(|(at, _)| *at);
    }
    calls.last().filter(|(_, call)| continues(call, key)).map(|(at, _)| *at)
}

/// Whether a piece can belong to a call that its index (or its place) points to.
fn continues(call: &CallBody, key: CallKey<'_>) -> bool {
    if let (Some(id), Some(known)) = (key.id, call.id.as_deref()) {
        return id == known;
    }
    match (key.name, call.name.as_deref()) {
        (Some(name), Some(known)) if name != known => false,
        // The same name again is a repetition, unless the call is whole already and this is a whole one, too.
        (Some(_), Some(_)) if key.id.is_none() => !begins(key.arguments) || !is_whole(&call.arguments),
        _ => true,
    }
}

/// Whether a piece can be the beginning of a call's arguments.
fn begins(arguments: &str) -> bool {
    arguments.trim_start().starts_with('{')
}

fn is_whole(arguments: &str) -> bool {
    // Cheap first: most pieces of arguments do not end them.
    arguments.trim_end().ends_with('}') && serde_json::from_str::<IgnoredAny>(arguments).is_ok()
}
