//! Text of others as text of the page: it can neither be markup nor steer how the page is read.

use std::fmt::{self, Display, Formatter, Write};

/// Text that is not ours. It is shown with what is invisible in it, and escaped for content and quoted attributes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\n' => f.write_char('↵')?,
                '\t' => f.write_char('⇥')?,
                c if is_steering(c) => write!(f, "[U+{:04X}]", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Whether a character changes how others are shown: controls, and the marks of Unicode's bidirectional algorithm
/// (UAX 9, section 2) with the other invisible ones beside them.
fn is_steering(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// Cuts long text, and says so.
pub(super) fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(Escaped(text).to_string(), expected);
    }

    #[test]
    fn markup_is_text() {
        check("<script>alert(\"1\")</script>", "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;");
        check("' onload='x' ]]> --> &amp;", "&#39; onload=&#39;x&#39; ]]&gt; --&gt; &amp;amp;");
    }

    #[test]
    fn what_steers_the_reading_is_named() {
        check("a\u{202e}b\u{2066}c\u{200f}\0\u{1b}[31m", "a[U+202E]b[U+2066]c[U+200F][U+0000][U+001B][31m");
        check("two\nlines\tשלום é 👍", "two↵lines⇥שלום é 👍");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(cut("ééé", 2), "éé…");
        assert_eq!(cut("ééé", 3), "ééé");
    }
}
