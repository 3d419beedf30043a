//! Names for what must not be shown, or differs from run to run.

use std::collections::HashMap;

use crate::TurnStateMark;

/// Ids and turn states, numbered in the order in which they appear.
#[derive(Debug, Default)]
pub(super) struct Names {
    ids: HashMap<(&'static str, String), String>,
    numbers: HashMap<&'static str, u32>,
    states: HashMap<TurnStateMark, String>,
}

impl Names {
    /// `resp_1` for the first id of its kind.
    pub(super) fn of(&mut self, kind: &'static str, id: &str) -> String {
        let key = (kind, id.to_owned());
        if let Some(known) = self.ids.get(&key) {
            return known.clone();
        }
        let number = self.numbers.entry(kind).or_default();
        *number += 1;
        let name = format!("{kind}_{number}");
        self.ids.insert(key, name.clone());
        name
    }

    /// `ts_A` for the first turn state; `ts_27` after `ts_Z`.
    pub(super) fn state(&mut self, mark: &TurnStateMark) -> String {
        let next = self.states.len();
        let name = || match u8::try_from(next).ok().filter(|next| *next < 26) {
            Some(next) => format!("ts_{}", char::from(b'A' + next)),
            None => format!("ts_{}", next + 1),
        };
        self.states.entry(mark.clone()).or_insert_with(name).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_has_the_same_name() {
        let mut names = Names::default();
        let ids = [("resp", "x"), ("call", "x"), ("resp", "y"), ("resp", "x")].map(|(kind, id)| names.of(kind, id));
        assert_eq!(ids, ["resp_1", "call_1", "resp_2", "resp_1"]);
        let mut state = |value: &str| names.state(&TurnStateMark::new(value));
        assert_eq!(["a", "b", "a"].map(&mut state), ["ts_A", "ts_B", "ts_A"]);
        let more: Vec<String> = (0..26).map(|n| state(&n.to_string())).collect();
        assert_eq!((more[23].as_str(), more[24].as_str()), ("ts_Z", "ts_27"));
    }
}
