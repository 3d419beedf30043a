//! What `Debug` shows, and whether a secret is in it.

use std::{
    any::type_name,
    collections::BTreeSet,
    fmt::Debug,
    sync::{Mutex, PoisonError},
};

/// Given wherever a secret can be. No part of it is a word.
pub(crate) const SECRET: &str = "s3cr7t-Qx0189-Zw4567";

/// The types that were looked at: `crate::Type`.
static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

pub(crate) fn seen() -> BTreeSet<String> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Fails if the value shows the secret.
#[track_caller]
pub(crate) fn check<T: Debug>(name: &str, value: &T) {
    // `crate::module::Type<…>`
    let path = type_name::<T>().split('<').next().unwrap_or_default();
    let of = |path: &str| Some(format!("{}::{}", path.split("::").next()?, path.rsplit("::").next()?));
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).extend(of(path));
    check_text(&format!("{name}: {path}"), &format!("{value:?} {value:#?}"));
}

/// Fails if the secret is in the text, or a part of it: as text, or as the numbers of its bytes.
#[track_caller]
pub(crate) fn check_text(name: &str, text: &str) {
    for part in SECRET.split('-') {
        let numbers = format!("{:?}", part.as_bytes());
        let numbers = numbers.trim_matches(['[', ']']);
        assert!(!text.contains(part) && !text.contains(numbers), "{name} shows {part}: {text}");
    }
}
