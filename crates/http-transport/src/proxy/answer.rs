//! What a proxy said when it said no.

use std::error::Error as StdError;
use std::fmt;

use crate::head::Head;

/// A proxy's refusal.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProxyAnswer {
    /// Status and headers; for a 407, `proxy-authenticate` lists what it would accept. Credentials that the proxy
    /// repeats are masked, here and below.
    pub head: Head,
    /// The reason phrase, or the usual one of the status.
    pub reason: String,
    /// The body, as far as it came: at most 64 KiB within 5 s.
    pub text: String,
}

/// Characters of a body in an error.
const EXCERPT: usize = 200;

impl ProxyAnswer {
    /// What the body says to a person: the title of a page, or the beginning of a text.
    fn excerpt(&self) -> Option<String> {
        let lower = self.text.to_ascii_lowercase();
        let title = lower.find("<title").and_then(|at| {
            let from = at + lower[at..].find('>')? + 1;
            Some(&self.text[from..from + lower[from..].find("</title")?])
        });
        let text = match title {
            Some(title) => title,
            None if lower.trim_start().starts_with('<') => return None,
            None => &self.text,
        };
        let words: Vec<_> = text.split(|char: char| char.is_whitespace() || char.is_control()).collect();
        let line = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        Some(line.chars().take(EXCERPT).collect()).filter(|line: &String| !line.is_empty())
    }

    /// The excerpt as the cause of an error.
    pub(super) fn said(&self) -> Option<Said> {
        self.excerpt().map(Said)
    }
}

/// The proxy's own words.
#[derive(Debug)]
pub(super) struct Said(String);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the proxy said {:?}", self.0)
    }
}

impl StdError for Said {}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode, Version};

    use super::ProxyAnswer;
    use crate::head::Head;

    fn check(text: &str, excerpt: Option<&str>) {
        let head = Head { status: StatusCode::BAD_GATEWAY, headers: HeaderMap::new(), version: Version::HTTP_11 };
        let answer = ProxyAnswer { head, reason: String::new(), text: text.to_owned() };
        assert_eq!(answer.excerpt().as_deref(), excerpt, "{text}");
    }

    #[test]
    fn an_excerpt_is_one_line_for_people() {
        check("", None);
        check(" \r\n ", None);
        check("no route\r\n to\x07 host\n", Some("no route to host"));
        check("<html><head><TITLE lang=en>Access\n denied</TITLE></head>", Some("Access denied"));
        check("<html><body>no title</body></html>", None);
        check("<html><title>no end", None);
        check("<html><title", None);
        check("\u{130}<title>\u{130}x</title>", Some("\u{130}x"));
        check(&"x".repeat(1000), Some(&"x".repeat(200)));
    }
}
