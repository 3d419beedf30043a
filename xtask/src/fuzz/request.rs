//! What is asked for: which targets, and for how long.

/// The words of the command line, understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// For each target.
    pub(super) seconds: u32,
    pub(super) targets: Vec<String>,
}

const DEFAULT_SECONDS: u32 = 60;

impl Request {
    /// Without names, all targets are meant.
    pub(super) fn from_words(words: &[String], known: &[String]) -> Result<Self, String> {
        let mut request = Self { seconds: DEFAULT_SECONDS, targets: Vec::new() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--seconds" {
                let value = words.next().map_or("", String::as_str);
                request.seconds = seconds(value)?;
            } else if known.contains(word) {
                request.targets.push(word.clone());
            } else {
                return Err(format!("there is no fuzz target `{word}`, but {}", known.join(", ")));
            }
        }
        if request.targets.is_empty() {
            request.targets = known.to_vec();
        }
        Ok(request)
    }
}

/// Zero would be no limit to libFuzzer.
fn seconds(value: &str) -> Result<u32, String> {
    let seconds = value.parse().ok().filter(|seconds| *seconds > 0);
    seconds.ok_or_else(|| format!("`--seconds` needs a whole number from 1, not `{value}`"))
}

#[cfg(test)]
mod tests {
    use super::Request;

    fn check(words: &[&str], expected: Result<(u32, &[&str]), &str>) {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let request = Request::from_words(&owned(words), &owned(&["hints", "sse_decoder"]));
        let expected = expected.map(|(seconds, targets)| Request { seconds, targets: owned(targets) });
        assert_eq!(request, expected.map_err(str::to_owned), "{words:?}");
    }

    #[test]
    fn targets_and_seconds_are_read_in_any_order() {
        check(&[], Ok((60, &["hints", "sse_decoder"])));
        check(&["--seconds", "5"], Ok((5, &["hints", "sse_decoder"])));
        check(&["hints"], Ok((60, &["hints"])));
        check(&["sse_decoder", "--seconds", "7", "hints"], Ok((7, &["sse_decoder", "hints"])));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        check(&["hint"], Err("there is no fuzz target `hint`, but hints, sse_decoder"));
        check(&["--seconds", "0"], Err("`--seconds` needs a whole number from 1, not `0`"));
        check(&["--seconds", "soon"], Err("`--seconds` needs a whole number from 1, not `soon`"));
    }
}
