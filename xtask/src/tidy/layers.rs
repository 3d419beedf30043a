//! Arrows between crates point down, as drawn in the architecture.

use super::manifest::Manifest;
use super::{Finding, Tree};
use crate::workspace::{Arrow, ArrowKind, Package};

/// On which crates of the workspace a crate may build.
enum Reach {
    /// Test suites may use everything.
    Anything,
    /// The named crates. Dev-dependencies may also use the crates below those, and [`TEST_SERVER`].
    Below(&'static [&'static str]),
    /// No crate of the workspace, in tests neither.
    Nothing,
}

/// Every crate has a row, from the leaves up to the command line; there is no default.
const LAYERS: &[(&str, Reach)] = &[
    ("sse-codec", Reach::Below(&[])),
    ("ws-codec", Reach::Below(&[])),
    ("response-events", Reach::Below(&[])),
    ("retry-policy", Reach::Below(&[])),
    ("http-transport", Reach::Below(&[])),
    ("turn-session", Reach::Below(&["response-events", "retry-policy"])),
    ("stream-replay", Reach::Below(&["sse-codec", "ws-codec", "http-transport"])),
    (
        "codex-api",
        Reach::Below(&["http-transport", "sse-codec", "ws-codec", "turn-session", "response-events", "retry-policy"]),
    ),
    ("codex-stream", Reach::Below(&["codex-api", "stream-replay", "response-events", "sse-codec"])),
    ("codex-tests", Reach::Anything),
    ("xtask", Reach::Nothing),
];

/// The loopback server that any crate's tests may start.
const TEST_SERVER: &str = "stream-replay";

pub(super) fn check(packages: &[Package], tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        let path = format!("{}/Cargo.toml", package.folder);
        let manifest = Manifest::parse(tree.text(&path).unwrap_or_default());
        let Some(reach) = reach(&package.name) else {
            let message = format!("crate `{}` has no row in xtask's layer table", package.name);
            findings.push(Finding::new(path, 1, message));
            continue;
        };
        for arrow in &package.arrows {
            if !reach.allows(arrow) {
                let (kind, sections) = match arrow.kind {
                    ArrowKind::Normal => ("depend", &["dependencies", "build-dependencies"][..]),
                    ArrowKind::Dev => ("dev-depend", &["dev-dependencies"][..]),
                };
                let message = format!("layer `{}` must not {kind} on `{}`", package.name, arrow.target);
                let line = manifest.dependency_line(sections, &arrow.target);
                findings.push(Finding::new(path.clone(), line.unwrap_or(1), message));
            }
        }
    }
    findings
}

impl Reach {
    fn allows(&self, arrow: &Arrow) -> bool {
        let target = arrow.target.as_str();
        match (self, arrow.kind) {
            (Self::Anything, _) => true,
            (Self::Nothing, _) => false,
            (Self::Below(named), ArrowKind::Normal) => named.contains(&target),
            (Self::Below(named), ArrowKind::Dev) => target == TEST_SERVER || is_below(named, target),
        }
    }
}

fn reach(name: &str) -> Option<&'static Reach> {
    let row = LAYERS.iter().find(|(layer, _)| *layer == name)?;
    Some(&row.1)
}

/// Whether `target` is one of `named` or can be reached from them.
fn is_below(named: &[&str], target: &str) -> bool {
    named
        .iter()
        .any(|name| *name == target || matches!(reach(name), Some(Reach::Below(next)) if is_below(next, target)))
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::{Arrow, ArrowKind, LAYERS, Reach};
    use ArrowKind::{Dev, Normal};

    fn check(name: &str, kind: ArrowKind, target: &str, expected: &[&str]) {
        let mut packages = check::packages(&[(name, "crates/x")]);
        packages[0].arrows.push(Arrow { target: target.to_owned(), kind });
        let manifest = format!("[dependencies]\n{target} = \"1\"\n[dev-dependencies]\n{target} = \"1\"\n");
        let files = [("crates/x/Cargo.toml", manifest.as_str())];
        check::rule(super::check, &packages, &files, expected);
    }

    #[test]
    fn arrows_down_are_allowed() {
        check("turn-session", Normal, "retry-policy", &[]);
        check("codex-api", Normal, "response-events", &[]);
        check("stream-replay", Normal, "ws-codec", &[]);
        check("codex-stream", Normal, "sse-codec", &[]);
        check("codex-tests", Normal, "turn-session", &[]);
    }

    #[test]
    fn arrows_up_or_sideways_are_found() {
        let found = |name: &str, target: &str| {
            let expected = format!("crates/x/Cargo.toml:2: layer `{name}` must not depend on `{target}`");
            check(name, Normal, target, &[&expected]);
        };
        found("sse-codec", "ws-codec");
        found("response-events", "turn-session");
        found("turn-session", "http-transport");
        found("stream-replay", "codex-api");
        found("codex-api", "stream-replay");
        found("codex-stream", "turn-session");
        found("sse-codec", "codex-tests");
        found("xtask", "sse-codec");
    }

    #[test]
    fn tests_reach_lower_crates_and_the_test_server_but_not_up() {
        check("codex-api", Dev, "stream-replay", &[]);
        check("http-transport", Dev, "stream-replay", &[]);
        check("codex-stream", Dev, "retry-policy", &[]);
        let line = "crates/x/Cargo.toml:4: layer";
        let up = format!("{line} `turn-session` must not dev-depend on `codex-api`");
        check("turn-session", Dev, "codex-api", &[&up]);
        let aside = format!("{line} `xtask` must not dev-depend on `stream-replay`");
        check("xtask", Dev, "stream-replay", &[&aside]);
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        let expected = "crates/x/Cargo.toml:1: crate `newcomer` has no row in xtask's layer table";
        check("newcomer", Normal, "sse-codec", &[expected]);
    }

    #[test]
    fn rows_name_only_crates_of_earlier_rows() {
        for (index, (name, reach)) in LAYERS.iter().enumerate() {
            if let Reach::Below(named) = reach {
                for target in *named {
                    let earlier = LAYERS[..index].iter().any(|(layer, _)| layer == target);
                    assert!(earlier, "{name} -> {target}");
                }
            }
        }
    }
}
