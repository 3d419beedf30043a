//! Settings that contradict each other or themselves.

use std::{error::Error, fmt};

/// A setting that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    setting: &'static str,
    problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    Zero,
    TooLong,
    Above(&'static str),
}

impl PolicyError {
    pub(crate) const fn zero(setting: &'static str) -> Self {
        Self { setting, problem: Problem::Zero }
    }

    pub(crate) const fn too_long(setting: &'static str) -> Self {
        Self { setting, problem: Problem::TooLong }
    }

    pub(crate) const fn above(setting: &'static str, other: &'static str) -> Self {
        Self { setting, problem: Problem::Above(other) }
    }

    /// The name of the setting.
    pub const fn setting(&self) -> &'static str {
        self.setting
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let setting = self.setting;
        match self.problem {
            Problem::Zero => write!(f, "`{setting}` must not be zero"),
            Problem::TooLong => write!(f, "`{setting}` must not be longer than 24 hours"),
            Problem::Above(other) => write!(f, "`{setting}` must not be above `{other}`"),
        }
    }
}

impl Error for PolicyError {}
