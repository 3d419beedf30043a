//! What of a text a person should see.

use std::borrow::Cow;

/// Longest piece of a body that a message quotes, in characters.
const QUOTE: usize = 300;
/// Longest value of a header that a message quotes: a service may send any.
pub(crate) const HEADER_QUOTE: usize = 100;

/// What a person should see of a body: the title of a page, else its first text, without its tags if it is a page.
pub(crate) fn quote(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|start| {
        let begin = start + lower[start..].find('>')? + 1;
        let end = begin + lower[begin..].find("</title")?;
        Some(&text[begin..end])
    });
    let text = match title {
        Some(title) => with_characters(title),
        None if text.trim_start().starts_with('<') => with_characters(&without_tags(&text, &lower)),
        None => text.into_owned(),
    };
    // A terminal would obey some characters.
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let words = words.collect::<Vec<_>>().join(" ");
    if words.is_empty() { None } else { Some(shortened(&words, QUOTE).into_owned()) }
}

/// The beginning of a text, in so many characters; it says so where more follows.
pub(crate) fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]).into(),
        None => text.into(),
    }
}

/// What stands in a page without being text of it: how it begins, and how it ends.
const NO_TEXT: [(&str, &str); 3] = [("!--", "--"), ("script", "</script"), ("style", "</style")];

/// The text between the tags of a page, which `lower` is in lower case; a tag that is not closed ends it.
fn without_tags(page: &str, lower: &str) -> String {
    let (mut text, mut at) = (String::new(), 0);
    while let Some(length) = page[at..].find('<') {
        text.push_str(&page[at..at + length]);
        text.push(' ');
        at += length + 1;
        let hidden = NO_TEXT.iter().find(|(begin, _)| lower[at..].starts_with(begin));
        // What is hidden ends in the middle of a tag, as every tag begins.
        if let Some((begin, end)) = hidden {
            at += begin.len();
            let Some(length) = lower[at..].find(end) else { return text };
            at += length;
        }
        let Some(length) = page[at..].find('>') else { return text };
        at += length + 1;
    }
    text + &page[at..]
}

/// The characters that have a name in pages of every kind.
const NAMED: [(&str, char); 6] =
    [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\''), ("nbsp", '\u{a0}')];
/// Longest name or number of a character, in bytes.
const LONGEST_NAME: usize = 8;

/// The text of a page with the usual character references undone, each once (WHATWG HTML, section 13.5); others are
/// left as they are.
fn with_characters(text: &str) -> String {
    let (mut done, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('&') {
        done.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let end = rest.bytes().take(LONGEST_NAME + 1).position(|byte| byte == b';');
        match end.and_then(|end| Some((character(&rest[..end])?, end))) {
            Some((character, end)) => {
                done.push(character);
                rest = &rest[end + 1..];
            }
            None => done.push('&'),
        }
    }
    done + rest
}

/// The character that a reference names, or says the number of.
fn character(name: &str) -> Option<char> {
    let Some(number) = name.strip_prefix('#') else {
        return NAMED.iter().find(|(known, _)| *known == name).map(|(_, character)| *character);
    };
    let (digits, radix) = number.strip_prefix(['x', 'X']).map_or((number, 10), |digits| (digits, 16));
    // `from_str_radix` takes a sign, too.
    let is_number = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_number.then(|| u32::from_str_radix(digits, radix).ok()).flatten().and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: impl AsRef<[u8]>, expected: impl Into<Option<&'static str>>) {
        assert_eq!(quote(body.as_ref()).as_deref(), expected.into());
    }

    #[test]
    fn pages_are_quoted_by_their_title_or_words_and_text_by_its_beginning() {
        check("<HTML><head><Title>\n Log in </title>..", "Log in");
        check(" upstream\n gone ", "upstream gone");
        let page = "<html><body><h1>429 Too Many</h1>\nYou <b>asked</b> often.\n</body></html>\n<cut";
        check(page, "429 Too Many You asked often.");
        let page = "<STYLE>h1 > b { }</style><!-- <p> a > b --><h1>Gone</h1><script>if (a < b) { }</script> for now";
        check(page, "Gone for now");
        check("<p>É</p><script>É", "É");
        check("\x1b[31mred\x07\0 alert", "[31mred alert");
        check("1 < 2 <b>", "1 < 2 <b>");
        check(" <p></p>", None);
        check(" \n", None);
        assert_eq!(quote("ü".repeat(400).as_bytes()).map(|quote| quote.chars().count()), Some(QUOTE + 1));
        check("<title>İstanbul</title>", "İstanbul");
    }

    #[test]
    fn character_references_of_pages_are_undone_once() {
        check("<title>Can&#39;t log&nbsp;in &amp; out</title>", "Can't log in & out");
        check("<p>&lt;b&gt; &quot;&apos;&quot; &#xFC;&#X2014;&#x10ffff;", "<b> \"'\" ü—\u{10ffff}");
        check("<p>&amp;lt; a&amp;b &amp;#39;", "&lt; a&b &#39;");
        // What is none, nobody knows, or stands for nothing.
        let page = "<p>a & b; &; &#; &#x; &#+39; &#xD800; &#x110000; &#000000039; &eacute; &amp &#39";
        check(page, &page["<p>".len()..]);
        // What a terminal would obey is none the less not shown.
        check("<p>red&#27;[31m &#x7;alert", "red [31m alert");
        // Of other text nothing is known.
        check("a &amp; b", "a &amp; b");
    }
}
