//! What an input is that turned out to be no event stream.

/// Most bytes of the input that are looked at.
pub(crate) const HEAD_BYTES: usize = 512;
/// Most characters of the input that are quoted.
const QUOTED: usize = 80;

/// The first bytes of what is mistaken for a stream, and what it is.
const SIGNATURES: [(&[u8], &str); 4] = [
    (b"\x1f\x8b", "data compressed by gzip"),
    (b"\x28\xb5\x2f\xfd", "data compressed by zstd"),
    (b"\xff\xfe", "text in UTF-16, where UTF-8 is expected"),
    (b"\xfe\xff", "text in UTF-16, where UTF-8 is expected"),
];

/// Says in one clause what an input without any event looks like, from its first bytes.
pub(crate) fn describe(head: &[u8]) -> String {
    let signature = SIGNATURES.iter().find(|(signature, _)| head.starts_with(signature));
    if let Some((_, name)) = signature.or_else(|| head.contains(&0).then_some(&(b"", "binary data"))) {
        return format!("the input is no event stream but {name}");
    }
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches('\u{feff}').trim();
    let quoted = || {
        let line = text.lines().next().unwrap_or_default();
        match line.char_indices().nth(QUOTED) {
            Some((at, _)) => format!("{:?}…", &line[..at]),
            None => format!("{line:?}"),
        }
    };
    match text.chars().next() {
        None if head.is_empty() => "the input is empty".to_owned(),
        None => "the input is nothing but white space".to_owned(),
        Some('<') => format!("the input is no event stream but HTML or XML: {}", quoted()),
        Some('{' | '[') => format!("the input is no event stream but JSON: {}", quoted()),
        Some(_) if begins_like_a_stream(text) => "the input holds no complete event".to_owned(),
        Some(_) => format!("the input is no event stream; it begins with {}", quoted()),
    }
}

/// Whether the first line is a field or comment of the event-stream format (WHATWG HTML 9.2.5).
fn begins_like_a_stream(text: &str) -> bool {
    let line = text.lines().next().unwrap_or_default();
    let field = line.split(':').next().unwrap_or_default();
    matches!(field, "" | "data" | "event" | "id" | "retry")
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[track_caller]
    fn check(input: impl AsRef<[u8]>, expected: &str) {
        assert_eq!(describe(input.as_ref()), expected);
    }

    #[test]
    fn inputs_that_are_no_stream_are_named() {
        check("", "the input is empty");
        check(" \r\n\n", "the input is nothing but white space");
        check("\u{feff}<!doctype html>\n<p>", "the input is no event stream but HTML or XML: \"<!doctype html>\"");
        check("{\"error\":1}", "the input is no event stream but JSON: \"{\\\"error\\\":1}\"");
        check("Bad gateway", "the input is no event stream; it begins with \"Bad gateway\"");
        check(b"\x1f\x8b\x08\0\0", "the input is no event stream but data compressed by gzip");
        check(b"\x28\xb5\x2f\xfd\x24", "the input is no event stream but data compressed by zstd");
        let wide = "the input is no event stream but text in UTF-16, where UTF-8 is expected";
        check(b"\xff\xfed\0a\0", wide);
        check(b"\xfe\xff\0d\0a", wide);
        check(b"\x7fELF\x02\x01\0\0", "the input is no event stream but binary data");
        let (long, cut) = ("x".repeat(100), "x".repeat(80));
        check(long, &format!("the input is no event stream; it begins with \"{cut}\"…"));
    }

    #[test]
    fn a_stream_without_a_whole_event_is_still_called_a_stream() {
        for input in ["data: {\"type\"", "event: x\n", ": ping\n\n", "data\n"] {
            check(input, "the input holds no complete event");
        }
    }
}
