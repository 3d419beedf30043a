//! What services say about trying again.

use std::time::Duration;

use retry_policy::{Hint, HintReader};

/// A year with one day more: what is longer is no hint.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Sun, 06 Nov 1994 08:49:37 GMT.
const NOW: Duration = Duration::from_secs(784_111_777);

/// The places outside of headers.
const PLACES: &[&str] =
    &["json.retry_after", "json.retry_after_ms", "json.resets_in_seconds", "json.resets_at", "message"];

/// Lines `name: value`; a name of [`PLACES`] is such a place, any other a header.
struct Lines<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Lines<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// No text makes a hint that is zero or longer than a year, and of several hints the most trusted one counts.
pub fn hints(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines = Lines(text.lines().filter_map(|line| line.split_once(": ")).collect());
    let all = PLACES
        .iter()
        .fold(HintReader::at(NOW).headers(|name| lines.get(name)), |reader, place| read(reader, place, &lines));
    let hint = all.finish();
    check(hint);

    // Headers are asked for once, and each place says the same whether it is read alone or not.
    let headers = HintReader::at(NOW).headers(|name| lines.get(name)).finish();
    let alone = PLACES.iter().map(|place| {
        let dated = HintReader::at(NOW).headers(|name| lines.get(name).filter(|_| name == "date"));
        read(dated, place, &lines).finish()
    });
    let best = alone.chain([headers]).inspect(|hint| check(*hint)).filter(|hint| hint.wait.is_some());
    let best = best.min_by_key(|hint| hint.source).unwrap_or(Hint::NONE);
    assert_eq!((hint.wait, hint.source), (best.wait, best.source));
    assert_eq!(hint.should_retry, headers.should_retry);

    for (_, value) in &lines.0 {
        check_whole_seconds(value);
    }
}

fn read(reader: HintReader, place: &str, lines: &Lines<'_>) -> HintReader {
    let Some(value) = lines.get(place) else { return reader };
    match place {
        "json.retry_after" => reader.retry_after(value),
        "json.retry_after_ms" => reader.retry_after_ms(value),
        "json.resets_in_seconds" => reader.resets_in_seconds(value),
        "json.resets_at" => reader.resets_at(value),
        _ => reader.message(value),
    }
}

fn check(hint: Hint) {
    assert_eq!(hint.wait.is_some(), hint.source.is_some(), "{hint:?}");
    assert!(hint.wait.is_none_or(|wait| wait > Duration::ZERO && wait <= LONGEST), "{hint:?}");
}

/// Plain numbers are read to the second, by a reader of nobody's.
fn check_whole_seconds(value: &str) {
    if value.is_empty() || value.len() > 9 || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return;
    }
    let seconds = Duration::from_secs(value.parse().expect("nine digits"));
    let expected = Some(seconds).filter(|wait| *wait > Duration::ZERO && *wait <= LONGEST);
    let by_header = HintReader::new().headers(|name| (name == "retry-after").then_some(value)).finish();
    assert_eq!(by_header.wait, expected, "{value}");
    assert_eq!(HintReader::new().retry_after(value).finish().wait, expected, "{value}");
    let by_message = HintReader::new().message(&format!("Try again in {value}s.")).finish();
    assert_eq!(by_message.wait, expected, "{value}");
}
