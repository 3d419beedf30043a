//! What `Debug` shows, and whether a secret is in it.

use std::fmt::Debug;

/// Given wherever a secret can be. No part of it is a word.
pub(crate) const SECRET: &str = "s3cr7t-Qx0189-Zw4567";

/// Fails if the value shows the secret, or a part of it: as text, or as the numbers of its bytes.
#[track_caller]
pub(crate) fn check(name: &str, value: &dyn Debug) {
    let shown = format!("{value:?} {value:#?}");
    for part in SECRET.split('-') {
        let numbers = format!("{:?}", part.as_bytes());
        let numbers = numbers.trim_matches(['[', ']']);
        assert!(!shown.contains(part) && !shown.contains(numbers), "{name} shows {part}: {shown}");
    }
}
