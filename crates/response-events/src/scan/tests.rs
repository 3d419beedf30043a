//! The scanner beside the general reader.

use proptest::{collection::vec, prelude::*, sample::select};
use serde::de::IgnoredAny;

use super::*;

/// Scalars of every kind, good and bad.
const SCALARS: &[&str] = &[
    "null",
    "true",
    "false",
    "nul",
    "truer",
    "0",
    "7",
    "-0",
    "-1",
    "01",
    "1.5",
    "1.",
    ".5",
    "-",
    "+1",
    "2e3",
    "2E-3",
    "2e",
    "1e999",
    "18446744073709551615",
    "18446744073709551616",
    "1234567890123456789",
    "12345678901234567890",
    r#""""#,
    r#""a""#,
    r#""plain text""#,
    r#""eight ch""#,
    r#""größer 流 and 🦀""#,
    r#""a\nb""#,
    r#""\"quoted\" \\ \/ \b\f\r\t""#,
    r#""\u00fc\uD83E\uDD80""#,
    r#""\ud800""#,
    r#""\u12""#,
    r#""\x""#,
    "\"line\nend\"",
    "\"nul\0\"",
    "\"del\u{7f}\"",
    r#""open"#,
    "",
];

/// A value as text, mostly JSON.
pub(crate) fn value() -> impl Strategy<Value = String> {
    let scalar = select(SCALARS).prop_map(str::to_owned);
    scalar.prop_recursive(3, 12, 3, |inner| {
        let key = select(&["a", "type", "text", "usage"][..]);
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(|list| format!("[{}]", list.join(","))),
            vec((key, inner), 0..3).prop_map(|fields| {
                let fields: Vec<String> = fields.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
                format!("{{{}}}", fields.join(" ,"))
            }),
        ]
    })
}

/// A change of one place in a text.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    at: prop::sample::Index,
    removed: usize,
    inserted: &'static str,
}

impl Edit {
    pub(crate) fn apply(&self, text: &str) -> String {
        let chars: Vec<char> = text.chars().collect();
        let at = self.at.index(chars.len() + 1);
        let behind = (at + self.removed).min(chars.len());
        chars[..at].iter().copied().chain(self.inserted.chars()).chain(chars[behind..].iter().copied()).collect()
    }
}

pub(crate) fn edit() -> impl Strategy<Value = Edit> {
    let inserted = select(&["", "\"", "\\", ",", ":", "{", "}", "[", "]", "0", "e", " ", "\n", "\u{1}", "ü"][..]);
    (any::<prop::sample::Index>(), 0..3_usize, inserted).prop_map(|(at, removed, inserted)| Edit {
        at,
        removed,
        inserted,
    })
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => list.iter().any(says_something),
        Value::Object(fields) => fields.values().any(says_something),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Whatever the scanner reads, the general reader reads, too.
#[track_caller]
fn check(text: &str) {
    let mut scanner = Scanner::new(text);
    if scanner.skip().and_then(|()| scanner.finish()).is_some() {
        assert!(serde_json::from_str::<IgnoredAny>(text).is_ok(), "{text}");
    }
    let mut scanner = Scanner::new(text);
    if let Some(something) = scanner.something().filter(|_| scanner.finish().is_some()) {
        // The last of two fields of one name hides the first here.
        let says = serde_json::from_str(text).is_ok_and(|value| says_something(&value));
        assert!(something.is_some() || !says, "{text}");
        assert!(something.is_none_or(|something| something == text.trim_ascii()), "{text}");
    }
    let mut scanner = Scanner::new(text);
    if let Some(string) = scanner.string().filter(|_| scanner.finish().is_some()) {
        assert_eq!(serde_json::from_str::<String>(text).ok().as_deref(), Some(&*string), "{text}");
    }
    let mut scanner = Scanner::new(text);
    if let Some(number) = scanner.number().filter(|_| scanner.finish().is_some()) {
        assert_eq!(serde_json::from_str::<u64>(text).ok(), Some(number), "{text}");
    }
}

#[test]
fn every_scalar_is_read_as_the_general_reader_reads_it() {
    for text in SCALARS {
        check(text);
    }
}

#[test]
fn a_stop_is_found_at_every_place_of_a_string() {
    for len in 0..40 {
        for stop in ["\"", "\\", "\n", "\0"] {
            let text =
                format!("{}{stop}{}", "é~\u{7f}".repeat(20).chars().take(len).collect::<String>(), "x".repeat(9));
            let expected = text.find(stop);
            assert_eq!(Scanner::new(&text).string_stop(), expected, "{text:?}");
        }
    }
}

#[test]
fn good_values_are_taken() {
    for text in ["[1, -2.5e+7 ,[],{}, {\"a\" : [null,true,false]}]", r#"{"a\n":"\u00e4\"","b":""}"#, " \"x\" "] {
        let mut scanner = Scanner::new(text);
        let taken = scanner.skip().and_then(|()| scanner.finish()).is_some();
        assert_eq!(taken, !text.contains("a\\n"), "{text}");
    }
}

#[test]
fn what_is_empty_however_deep_says_nothing() {
    for (text, says) in [
        (" null ", false),
        (r#""""#, false),
        (r#"{"a":[],"b":{"c":""}}"#, false),
        ("[null,[{}]]", false),
        ("false", true),
        ("0", true),
        (r#""\n""#, true),
        (r#"{"a":[],"b":{"c":" "}}"#, true),
        (r#"[0,""]"#, true),
    ] {
        assert_eq!(Scanner::new(text).something(), Some(says.then_some(text)), "{text}");
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    assert!(Scanner::new(&nested(MAX_DEPTH as usize)).skip().is_some());
    assert!(Scanner::new(&nested(MAX_DEPTH as usize + 1)).skip().is_none());
    assert!(Scanner::new(&nested(1_000_000)).skip().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_read_is_json(text in value(), edit in edit()) {
        check(&text);
        check(&edit.apply(&text));
    }
}
