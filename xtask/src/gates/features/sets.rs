//! Which sets of a crate's features differ from each other.

use std::collections::{BTreeMap, BTreeSet};

/// Features that are on together, with all that they turn on.
pub(super) type Set<'a> = BTreeSet<&'a str>;

/// With more features than this, only pairs are combined: the sets would double with each.
const ALL_COMBINED: usize = 8;

/// The public features of a crate; `default` is a name for some of them and no more.
pub(super) struct Features<'a> {
    /// Each feature with those of the same crate that it turns on at once.
    arrows: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Features<'a> {
    /// Reads the table of a manifest; `dep:x`, `x/y` and `x?/y` are no features of the crate.
    pub(super) fn of(table: &'a BTreeMap<String, Vec<String>>) -> Self {
        let own = table.iter().filter(|(name, _)| *name != "default");
        let arrow = |(name, on): (&'a String, &'a Vec<String>)| {
            let on = on.iter().map(String::as_str).filter(|on| table.contains_key(*on));
            (name.as_str(), on.collect())
        };
        Self { arrows: own.map(arrow).collect() }
    }

    /// No feature, each alone, all.
    pub(super) fn each_alone(&self) -> BTreeSet<Set<'a>> {
        self.sets(|count| count <= 1)
    }

    /// All sets that differ, up to [`ALL_COMBINED`] features; beyond it all pairs.
    pub(super) fn all_sets(&self) -> BTreeSet<Set<'a>> {
        let combined = if self.arrows.len() <= ALL_COMBINED { ALL_COMBINED } else { 2 };
        self.sets(|count| count <= combined)
    }

    /// All sets of as many features as `take` accepts, and that of all.
    fn sets(&self, take: impl Fn(usize) -> bool) -> BTreeSet<Set<'a>> {
        let names: Vec<&'a str> = self.arrows.keys().copied().collect();
        let mut chosen: Vec<Vec<&'a str>> = vec![Vec::new()];
        for name in &names {
            let with = chosen.iter().filter(|set| take(set.len() + 1)).map(|set| [set.as_slice(), &[*name]].concat());
            let with: Vec<_> = with.collect();
            chosen.extend(with);
        }
        chosen.push(names);
        chosen.into_iter().map(|set| self.closure(set)).collect()
    }

    /// Two choices that turn on the same features are one set.
    fn closure(&self, mut open: Vec<&'a str>) -> Set<'a> {
        let mut set = Set::new();
        while let Some(name) = open.pop() {
            if set.insert(name) {
                open.extend(self.arrows.get(name).into_iter().flatten());
            }
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Features;

    fn table(lines: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        lines.iter().map(|(name, on)| ((*name).to_owned(), owned(on))).collect()
    }

    /// The sets as words in the order of the table.
    fn check(lines: &[(&str, &[&str])], alone: &[&str], all: &[&str]) {
        let table = table(lines);
        let features = Features::of(&table);
        let shown = |sets: std::collections::BTreeSet<super::Set<'_>>| {
            sets.into_iter().map(|set| set.into_iter().collect::<Vec<_>>().join(",")).collect::<Vec<_>>()
        };
        assert_eq!(shown(features.each_alone()), alone, "each alone of {lines:?}");
        assert_eq!(shown(features.all_sets()), all, "all sets of {lines:?}");
    }

    #[test]
    fn without_features_there_is_one_set() {
        check(&[], &[""], &[""]);
        check(&[("default", &[])], &[""], &[""]);
    }

    #[test]
    fn independent_features_are_combined_in_all_ways() {
        let three: &[(&str, &[&str])] = &[("a", &["dep:x"]), ("b", &["x?/std"]), ("c", &[]), ("default", &["a"])];
        check(three, &["", "a", "a,b,c", "b", "c"], &["", "a", "a,b", "a,b,c", "a,c", "b", "b,c", "c"]);
    }

    #[test]
    fn features_that_others_turn_on_make_no_new_sets() {
        let chain: &[(&str, &[&str])] = &[("a", &[]), ("b", &["a"]), ("c", &["b"])];
        check(chain, &["", "a", "a,b", "a,b,c"], &["", "a", "a,b", "a,b,c"]);
    }

    #[test]
    fn many_features_are_combined_in_pairs() {
        let names: Vec<String> = ('a'..='j').map(String::from).collect();
        let lines: Vec<(&str, &[&str])> = names.iter().map(|name| (name.as_str(), &[][..])).collect();
        let table = table(&lines);
        // None, ten, all their pairs, and all.
        assert_eq!(Features::of(&table).all_sets().len(), 1 + 10 + 45 + 1);
    }
}
