//! What the suite's report says.

use std::fmt;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// All cases but those of compression.
const CASES: usize = 301;
/// Most cases that may be right but later than the suite would like.
const MAX_NON_STRICT: usize = 2;

pub(super) const REQUIREMENT: &str = "301 cases, none failed, at most 2 non-strict";

/// The results of one agent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    ok: usize,
    informational: usize,
    non_strict: usize,
    failed: usize,
    /// Everything that is not OK or informational, with what was expected.
    remarks: Vec<Remark>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Remark {
    /// The numbers of the case, so that 9.1.10 stands behind 9.1.9.
    order: Vec<u32>,
    text: String,
}

impl Verdict {
    /// Reads the reports that the suite wrote into `folder`.
    pub(super) fn read(folder: &Path, agent: &str) -> Result<Self, String> {
        let index = read_json(&folder.join("index.json"))?;
        let cases = index.get(agent).and_then(Value::as_object).ok_or_else(|| format!("no report on `{agent}`"))?;
        let mut verdict = Self::default();
        for (id, entry) in cases {
            let details = || read_json(&folder.join(text(entry, "reportfile"))).unwrap_or_default();
            verdict.add(id, text(entry, "behavior"), text(entry, "behaviorClose"), details);
        }
        verdict.remarks.sort();
        Ok(verdict)
    }

    fn add(&mut self, id: &str, behavior: &str, close: &str, details: impl FnOnce() -> Value) {
        match (behavior, close) {
            ("OK", "OK" | "INFORMATIONAL") => self.ok += 1,
            ("INFORMATIONAL", "OK" | "INFORMATIONAL") => self.informational += 1,
            (behavior, close) => {
                let is_non_strict = behavior == "NON-STRICT" && matches!(close, "OK" | "INFORMATIONAL");
                *if is_non_strict { &mut self.non_strict } else { &mut self.failed } += 1;
                let details = details();
                let mut lines = vec![format!("{id}: {behavior}, close {close}")];
                for (name, key) in DETAILS {
                    lines.extend(details.get(*key).map(|value| format!("    {name}: {}", shown(value))));
                }
                let order = id.split('.').map(|part| part.parse().unwrap_or(u32::MAX)).collect();
                self.remarks.push(Remark { order, text: lines.join("\n") });
            }
        }
    }

    fn cases(&self) -> usize {
        self.ok + self.informational + self.non_strict + self.failed
    }

    /// Whether the requirement is met. Fewer cases mean that the run was cut short.
    pub(super) fn is_met(&self) -> bool {
        self.cases() == CASES && self.failed == 0 && self.non_strict <= MAX_NON_STRICT
    }
}

/// What is shown of a case that is not OK, and its name in the report.
const DETAILS: &[(&str, &str)] = &[
    ("case", "description"),
    ("rule", "expectation"),
    ("expected", "expected"),
    ("seen", "received"),
    ("result", "result"),
    ("close", "resultClose"),
];

/// Most characters of a detail: messages of the suite have up to 16 MiB.
const MAX_SHOWN: usize = 300;

fn shown(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text,
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for remark in &self.remarks {
            writeln!(f, "{}", remark.text)?;
        }
        writeln!(
            f,
            "{} cases: {} OK, {} informational, {} non-strict, {} failed",
            self.cases(),
            self.ok,
            self.informational,
            self.non_strict,
            self.failed
        )
    }
}

fn read_json(path: &Path) -> Result<Value, String> {
    let shown = path.display();
    let bytes = fs::read(path).map_err(|error| format!("{shown}: {error}"))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("{shown}: {error}"))
}

fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    entry.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Verdict;

    /// A report of 301 cases, of which the last ones are as given and the others OK.
    fn check(others: &[(&str, &str)], expected: &str, met: bool) {
        let mut verdict = Verdict::default();
        for number in others.len()..301 {
            verdict.add(&format!("1.{number}"), "OK", "OK", Value::default);
        }
        for (number, (behavior, close)) in others.iter().enumerate() {
            verdict.add(&format!("2.{number}"), behavior, close, Value::default);
        }
        assert_eq!(verdict.to_string().lines().last(), Some(expected));
        assert_eq!(verdict.is_met(), met, "{expected}");
    }

    #[test]
    fn the_requirement_allows_two_late_answers_and_no_wrong_one() {
        let non_strict = ("NON-STRICT", "OK");
        check(&[], "301 cases: 301 OK, 0 informational, 0 non-strict, 0 failed", true);
        check(
            &[("INFORMATIONAL", "INFORMATIONAL")],
            "301 cases: 300 OK, 1 informational, 0 non-strict, 0 failed",
            true,
        );
        check(&[non_strict; 2], "301 cases: 299 OK, 0 informational, 2 non-strict, 0 failed", true);
        check(&[non_strict; 3], "301 cases: 298 OK, 0 informational, 3 non-strict, 0 failed", false);
        for wrong in [("FAILED", "OK"), ("OK", "WRONG CODE"), ("OK", "UNCLEAN"), ("NON-STRICT", "FAILED"), ("", "")] {
            check(&[wrong], "301 cases: 300 OK, 0 informational, 0 non-strict, 1 failed", false);
        }
    }

    #[test]
    fn a_run_that_was_cut_short_does_not_pass() {
        let mut verdict = Verdict::default();
        verdict.add("1.1.1", "OK", "OK", Value::default);
        assert!(!verdict.is_met());
    }

    #[test]
    fn a_remark_says_what_was_expected_and_what_was_seen() {
        let mut verdict = Verdict::default();
        let details = || json!({"description": "Send ping.", "expected": {"OK": [["pong"]]}, "received": []});
        verdict.add("2.10", "FAILED", "OK", details);
        let text = "2.10: FAILED, close OK\n    case: Send ping.\n    expected: {\"OK\":[[\"pong\"]]}\n    seen: []";
        assert_eq!(verdict.remarks[0].text, text);
    }
}
