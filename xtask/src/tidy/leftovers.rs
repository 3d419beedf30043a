//! No unfinished code and no debugging aids outside of tests.

use super::tree::is_test_source;
use super::{Finding, Tree};
use crate::workspace::Package;

/// Macros that must not be called, comments and examples included.
const MACROS: &[&str] = &["todo", "unimplemented", "dbg"];

pub(super) fn check(_: &[Package], tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.sources().filter(|(path, _)| !is_test_source(path)) {
        for (line, code) in without_test_modules(text) {
            for name in MACROS.iter().filter(|name| calls(code, name)) {
                findings.push(Finding::new(path, line, format!("`{name}!` in a source file")));
            }
        }
    }
    findings
}

/// Lines, numbered from 1, that are not inside a `#[cfg(test)]` item with braces.
///
/// In formatted code such an item ends with a brace at the indentation of its attribute.
fn without_test_modules(text: &str) -> impl Iterator<Item = (usize, &str)> {
    enum Place {
        Code,
        /// After the attribute, which has this indentation.
        Attribute(usize),
        Tests(usize),
    }
    let mut place = Place::Code;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let code = line.trim();
        let indentation = line.len() - line.trim_start().len();
        match place {
            Place::Code if code == "#[cfg(test)]" => place = Place::Attribute(indentation),
            Place::Code => return Some((index + 1, line)),
            Place::Attribute(outer) if code.ends_with('{') => place = Place::Tests(outer),
            Place::Attribute(_) if code.ends_with(';') || code.ends_with('}') => {
                place = Place::Code;
            }
            Place::Tests(outer) if indentation == outer && code == "}" => place = Place::Code,
            Place::Attribute(_) | Place::Tests(_) => {}
        }
        None
    })
}

/// Whether `code` has `name!` as a word of its own with an opening bracket behind it.
fn calls(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(start, _)| {
        let before = code[..start].chars().next_back();
        let is_word = !before.is_some_and(|before| before.is_alphanumeric() || before == '_');
        let after = code[start + name.len()..].strip_prefix('!');
        is_word && after.is_some_and(|after| after.trim_start().starts_with(['(', '[', '{']))
    })
}

#[cfg(test)]
mod tests {
    use super::super::check;

    fn check(path: &str, text: &str, expected: &[&str]) {
        check::rule(super::check, &[], &[(path, text)], expected);
    }

    #[test]
    fn calls_are_found_and_words_are_not() {
        let text = "fn a() { todo!() }\n// the list of todo! marks\nlet todo = my_todo!(1);\n\
            unimplemented!{}\nstd::dbg! (x);\n/// todo!(\"later\")\n";
        let expected = [
            "a.rs:1: `todo!` in a source file",
            "a.rs:4: `unimplemented!` in a source file",
            "a.rs:5: `dbg!` in a source file",
            "a.rs:6: `todo!` in a source file",
        ];
        check("a.rs", text, &expected);
        check("a.md", text, &[]);
        check("tests/a.rs", text, &[]);
        check("src/tests.rs", text, &[]);
    }

    #[test]
    fn test_modules_are_skipped_and_what_follows_them_is_not() {
        let text = "#[cfg(test)]\nmod tests {\n    fn a() {\n        dbg!(1);\n    }\n    fn c() { dbg!(1); }\n}\ndbg!(2);\n\
            #[cfg(test)]\nmod more;\ndbg!(3);\n    #[cfg(test)]\n    #[allow(x)]\n    fn b() {\n        \
            dbg!(4);\n    }\n    dbg!(5);\n";
        let expected =
            ["a.rs:8: `dbg!` in a source file", "a.rs:11: `dbg!` in a source file", "a.rs:17: `dbg!` in a source file"];
        check("a.rs", text, &expected);
    }
}
