//! What is left of documents that are cut or damaged, and what their errors are taken for.

use proptest::{
    collection::{btree_map, vec},
    prelude::*,
    sample::{Index, select},
};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::{closed, quotes::ends_value, reader::MAX_DEPTH};
use crate::{
    ApiError,
    bare_error::{Place, bare_error},
};

#[track_caller]
fn check(json: &str, expected: Option<&str>) {
    assert_eq!(closed(json).as_deref(), expected, "{json}");
}

#[test]
fn a_cut_leaves_what_was_whole() {
    for (json, expected) in [
        (r#"{"error":{"code":"insufficient_quota","mess"#, r#"{"error":{"code":"insufficient_quota"}}"#),
        (r#"{"error":{"code":"insufficient_quota""#, r#"{"error":{"code":"insufficient_quota"}}"#),
        (r#"{"error":{"code":"insufficient"#, r#"{"error":{}}"#),
        (r#"[{"a":[1,{"b":null},tr"#, r#"[{"a":[1,{"b":null}]}]"#),
        (r#"{"a" : 1 , "retry_after":1"#, r#"{"a":1}"#),
        (r#"{"a":1}"#, r#"{"a":1}"#),
        (r#"{"a":1} and more"#, r#"{"a":1}"#),
        (r#"{"a":"b","message":"You said \"no"#, r#"{"a":"b","message":"You said …"}"#),
        (r#"{"message":"Quota"#, "{}"),
        (r#"{"message":"x \"#, r#"{"message":"x …"}"#),
        (r#"{"other":"two words"#, "{}"),
        ("{", "{}"),
    ] {
        check(json, Some(expected));
    }
    for nothing in ["", " ", "text", "\"text", "\"text\"", "1", "<html>"] {
        check(nothing, None);
    }
}

#[test]
fn slips_in_strings_are_mended_and_others_end_the_document() {
    for (json, expected) in [
        ("{\"a\":\"b\nc\td\",\"e\":1}", r#"{"a":"b\u000ac\u0009d","e":1}"#),
        (r#"{"a":"C:\path\users","b":"\u00e9"}"#, r#"{"a":"C:\\path\\users","b":"\u00e9"}"#),
        (r#"{"a":1,}"#, r#"{"a":1}"#),
        (r#"{"message":"m","a":[{"b":"c", }, ],}"#, r#"{"message":"m","a":[{"b":"c"}]}"#),
        (r#"{"a":1,,"b":2}"#, r#"{"a":1}"#),
        (r#"{"a":1,"b":NaN,"c":2}"#, r#"{"a":1}"#),
        (r#"{"a":1]"#, r#"{"a":1}"#),
        (r#"{"a":1,'b':2}"#, r#"{"a":1}"#),
        (r#"{"a":1,"b":"Model "x" gone","c":2}"#, r#"{"a":1}"#),
        (r#"{"a":1,"b":"x" or,"c":2}"#, r#"{"a":1}"#),
        (r#"{"a":1,"b"x":2}"#, r#"{"a":1}"#),
        (r#"{"a":["b", 0, null, "c" d]}"#, r#"{"a":["b",0,null]}"#),
        (r#"{"detail":["Model "x" gone"]}"#, r#"{"detail":[]}"#),
        // No quote follows, so that nothing behind the text can be of it.
        (r#"{"message":"m","code":"c","x":NaN}"#, r#"{"message":"m","code":"c"}"#),
        (r#"{"message":"m","code":"c"} and more"#, r#"{"message":"m","code":"c"}"#),
        (r#"{"message":"m","code":"c","x":{"code":1,"y"#, r#"{"message":"m","code":"c","x":{"code":1}}"#),
    ] {
        check(json, Some(expected));
    }
}

#[test]
fn quotes_in_a_text_for_people_are_mended() {
    for (json, expected) in [
        (r#"{"message":"Model "x": gone","code":"c",}"#, r#"{"message":"Model \"x\": gone","code":"c"}"#),
        (r#"{"message":"say "no", or "yes"","b":"c"}"#, r#"{"message":"say \"no\", or \"yes\"","b":"c"}"#),
        (
            r#"{"a":{"b":1},"detail":"Use "a", "b" or [ "c" ]","b":1}"#,
            r#"{"a":{"b":1},"detail":"Use \"a\", \"b\" or [ \"c\" ]","b":1}"#,
        ),
        (
            r#"{"type":"error","error":{"message":"a "b" c","type":"t"}}"#,
            r#"{"type":"error","error":{"message":"a \"b\" c","type":"t"}}"#,
        ),
        (r#"{"code":"c","message":"a "b" and more"#, r#"{"code":"c","message":"a \"b\" and …"}"#),
    ] {
        check(json, Some(expected));
    }
}

#[test]
fn nothing_is_taken_from_behind_a_text_whose_end_is_doubtful() {
    // Not to the end, twice the same name, another slip, a cut.
    for behind in [
        r#", "code": "b" here","code":"d"}}"#,
        r#", "code":"b","code":"d"}}"#,
        r#", "id":"b","code":"d"}}"#,
        r#", "\u0063ode":"b","code":"d"}}"#,
        r#"}, "code":"b","x":{"y":"z","code":"d"}}"#,
        r#"}, "error":{"code":"d"}}"#,
        r#","code":"d","x":"e "f" g"}}"#,
        r#","code":"d","detail":"e "f" g"}}"#,
        r#"},"code":"b","message":"},"code":"real"}"#,
        r#","code":"d","x":NaN}}"#,
        r#","code":"d"]}"#,
        r#","code":"d"}} and"#,
        r#","code":"d"}"#,
        r#","code":"d","x"#,
    ] {
        check(
            &format!(r#"{{"error":{{"id":1,"message":"Use "a"{behind}"#),
            Some(r#"{"error":{"id":1,"message":"Use \"a …"}}"#),
        );
    }
    // The same where no quote was in doubt up to there.
    for behind in [
        r#","code":"b", or","code":"d"}}"#,
        r#","code":"b"}} or "c","code":"d"}}"#,
        r#","code":"b"},"x":"y","code":"d"}}"#,
        r#","code":"b","x":{"y":"z","code":"d"}}"#,
        r#","code":"b","detail":"x "y" z"}}"#,
        r#","code":"b","x":NaN,"y":1}}"#,
    ] {
        check(
            &format!(r#"{{"error":{{"id":1,"message":"Use a"{behind}"#),
            Some(r#"{"error":{"id":1,"message":"Use a"}}"#),
        );
    }
}

#[test]
fn brackets_are_no_deeper_than_a_reader_takes() {
    for bracket in ["[", r#"{"a":"#] {
        let left = closed(&format!("[1,{}", bracket.repeat(1000))).unwrap();
        let closing = if bracket == "[" { "]" } else { "}" };
        assert_eq!(left.matches(closing).count(), if bracket == "[" { MAX_DEPTH } else { MAX_DEPTH - 1 });
        assert!(serde_json::from_str::<Value>(&left).is_ok(), "{left}");
    }
}

/// How far is looked ahead behind all quotes together, although only one at a time is asked about.
#[test]
fn no_document_is_looked_through_again_and_again() {
    let length = 64 * 1024;
    for piece in ["\"", "\",", "\",\"", "\" ", "\",\" ", "\"a\":", "\"}", ", \"a", "[\"", "\\\""] {
        for (begin, end) in [("", ""), ("\"", "x"), ("\",", "\""), ("\",\"", "\" x")] {
            let blank = " ".repeat(length / 2);
            let text = format!("{begin}{blank}{}{blank}{end}", piece.repeat(length / piece.len()));
            let mut looked_at = 0;
            for (quote, _) in text.match_indices('"') {
                let behind = text.as_bytes()[quote + 1..].iter().copied();
                _ = ends_value(behind.inspect(|_| looked_at += 1), '{');
            }
            assert!(looked_at < 4 * text.len(), "{piece:?}: {looked_at} of {}", text.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(4000)))]

    /// Whatever stands in a message without being escaped, the code behind it is read, or none. Left out are messages
    /// that make the document well-formed but for characters that have to be escaped: of them nobody could tell.
    #[test]
    fn no_message_stands_in_for_the_code_behind_it(
        message in vec(select(MESSAGE_PARTS), 1..12),
        (before, behind) in select(AROUND_MESSAGE),
    ) {
        let body = format!("{before}{}{behind}", message.concat());
        if is_well_formed(&body) {
            return Ok(());
        }
        let codes = [
            ApiError::from_body(body.as_bytes()).and_then(|error| error.code),
            bare_error(body.as_bytes(), Place::Flat).and_then(|error| error.code),
        ];
        for code in codes.into_iter().flatten() {
            prop_assert_eq!(&code, "real", "{}", body);
        }
    }

    /// Of an ordinary message the code is read.
    #[test]
    fn a_message_with_quoted_words_hides_no_code(
        message in vec(select(QUOTED_WORDS), 1..12),
        (before, behind) in select(AROUND_MESSAGE),
    ) {
        let body = format!("{before}{} end{behind}", message.join(" "));
        let error = ApiError::from_body(body.as_bytes()).unwrap();
        prop_assert_eq!(error.code.as_deref(), Some("real"), "{}", body);
        prop_assert_eq!(error.message, format!("{} end", message.join(" ")));
    }
}

const AROUND_MESSAGE: &[(&str, &str)] = &[
    (r#"{"error":{"message":""#, r#"","type":"server_error","code":"real"}}"#),
    (r#"{"type":"error","error":{"type":"t","message":""#, r#"","code":"real","param":null}, "status" : 400 }"#),
    (r#"{"error":{"message":""#, r#"","code":"real","x":{"y":["code",{"z":1}]}}}"#),
    (r#"{"error":{"message":""#, r#""},"code":"real"}"#),
    (r#"{"message":""#, "\",\n\"code\":\"real\"}\n"),
    (r#"{"response":{"error":{"message":""#, r#"","code":"real"}}}"#),
];

const QUOTED_WORDS: &[&str] = &["Use", "\"x\"", "\"x y\"", "\"x\",", "(\"x\")", "[\"x\"]", "or", "\n", "{\"x\": 1}."];

const MESSAGE_PARTS: &[&str] = &[
    "\"",
    "\"",
    ",",
    ":",
    "{",
    "}",
    "[",
    "]",
    "\\",
    " ",
    "\n",
    "a",
    "5",
    "\"}",
    "\",\"",
    "\":\"",
    "\"code\"",
    "\"code\":",
    "\"code\":\"b\"",
    "\"code\":\"b",
    "\",\"code\":\"b\"",
    "\",\"code\":\"b",
    "\"message\":",
    "\"detail\":\"",
    "\"error\":{",
    "\"},\"error\":{\"code\":\"b",
    "\"},\"code\":\"b\"",
    ",\"x\":{\"y\":\"",
    ",\"x\":\"",
    ",\"x\":[\"",
    "\"x\":5",
    "}}",
];

/// Whether a document can be read once the characters in its strings are escaped that have to be.
fn is_well_formed(json: &str) -> bool {
    let mut plain = String::new();
    let mut rest = json.chars().map(|next| if next < ' ' { ' ' } else { next });
    while let Some(next) = rest.next() {
        match (next, if next == '\\' { rest.next() } else { None }) {
            ('\\', Some(escaped @ ('"' | '\\'))) => plain.extend(['\\', escaped]),
            ('\\', other) => plain.extend(other),
            (next, _) => plain.push(next),
        }
    }
    serde_json::from_str::<Value>(&plain).is_ok()
}

proptest! {
    /// Wherever a document is cut, what is left can be read, and says nothing else than the whole.
    #[test]
    fn what_is_left_is_a_part_of_the_whole(whole in document(), at in any::<Index>()) {
        let json = whole.to_string();
        let at = (0..=at.index(json.len())).rev().find(|at| json.is_char_boundary(*at)).unwrap_or_default();
        let left = closed(&json[..at]).unwrap_or_else(|| "{}".to_owned());
        let left: Value = serde_json::from_str(&left).unwrap();
        prop_assert!(is_part(&left, &whole), "{left} of {whole}");
    }

    #[test]
    fn a_whole_document_stays_what_it_is(whole in document()) {
        prop_assert_eq!(closed(&whole.to_string()), Some(whole.to_string()));
    }

    #[test]
    fn no_text_panics_and_what_comes_of_it_is_json(text in r#"[\[{]([\[\]{}:,"\\ a1\n]|"[a\\é]"|"message":"|"code":")*"#) {
        let left = closed(&text).unwrap();
        prop_assert!(serde_json::from_str::<IgnoredAny>(&left).is_ok(), "{text} -> {left}");
    }
}

/// An object with objects and lists in it.
fn document() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-1500_i32..1500).prop_map(|number| Value::from(f64::from(number) / 8.0)),
        r#"[a-z"\\,:{}\[\] é\n…]{0,12}"#.prop_map(Value::from),
    ];
    let value = scalar
        .prop_recursive(4, 24, 5, |inner| prop_oneof![object(inner.clone()), vec(inner, 0..4).prop_map(Value::from)]);
    object(value)
}

fn object(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let name = select(&["code", "type", "message", "detail", "x", "\"y\\"][..]).prop_map(str::to_owned);
    btree_map(name, value, 0..5).prop_map(|members| members.into_iter().collect())
}

fn is_part(left: &Value, whole: &Value) -> bool {
    match (left, whole) {
        (Value::Object(left), Value::Object(whole)) => left.iter().all(|(name, left)| {
            whole.get(name).is_some_and(|whole| is_part(left, whole) || is_begun_text(name, left, whole))
        }),
        (Value::Array(left), Value::Array(whole)) => {
            left.len() <= whole.len() && left.iter().zip(whole).all(|(left, whole)| is_part(left, whole))
        }
        (left, whole) => left == whole,
    }
}

fn is_begun_text(name: &str, left: &Value, whole: &Value) -> bool {
    let words = left.as_str().and_then(|left| left.strip_suffix(" …"));
    ["message", "detail"].contains(&name)
        && words.zip(whole.as_str()).is_some_and(|(words, whole)| whole.starts_with(words))
}
