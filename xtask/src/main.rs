//! The project's own task runner: `cargo xtask help` lists what it does.
//!
//! It needs no tool beyond cargo, rustfmt and clippy (`conformance` and `compare` need Python, too, `e2e` its peers,
//! `fuzz` and `miri` a nightly toolchain), and only `snap` changes files of the checkout.

mod bench;
mod cargo;
mod compare;
mod conformance;
mod deps;
mod e2e;
mod fuzz;
mod gates;
mod miri;
mod nightly;
mod no_std;
mod peer_bench;
mod python;
mod snap;
mod test;
mod tidy;
mod workspace;

use std::fmt;
use std::process::ExitCode;

use workspace::Workspace;

/// What a task hands back.
type TaskResult = Result<(), Failure>;

/// Why a task failed.
#[derive(Debug, PartialEq, Eq)]
enum Failure {
    /// A message that still has to be shown.
    Message(String),
    /// The task has said everything itself.
    Shown,
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Message(message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(message) => f.write_str(message),
            Self::Shown => f.write_str("failed, as shown above"),
        }
    }
}

/// One line of `cargo xtask help`.
struct Task {
    name: &'static str,
    about: &'static str,
    /// Behind a space, what stands for the value that an option wants: the word after it.
    options: &'static [&'static str],
    /// What the one word that is no option stands for, if there may be one; any number of them, if it ends in dots.
    operand: Option<&'static str>,
    run: fn(&Workspace, &[String]) -> TaskResult,
}

const TASKS: &[Task] = &[
    Task {
        name: "test",
        about: "everything a change must pass; --quick leaves out build, doctests and gates",
        options: &["--quick"],
        operand: None,
        run: |workspace, options| test::run(workspace, test::Extent::from_options(options)),
    },
    Task {
        name: "tidy",
        about: "layer arrows, file sizes, manifests, snapshots, leftovers, machine paths",
        options: &[],
        operand: None,
        run: |workspace, _| tidy::run(workspace),
    },
    Task {
        name: "snap",
        about: "shows the snapshots that wait for a review, with cargo-insta if it is there; --accept takes them all",
        options: &["--accept"],
        operand: None,
        run: |workspace, options| snap::run(workspace, snap::Decision::from_options(options)),
    },
    Task {
        name: "deps",
        about: "the weight budget: how many crates each published crate brings along, or the --size of a program",
        options: &["--size"],
        operand: None,
        run: |workspace, options| if options.is_empty() { deps::run(workspace) } else { deps::size(workspace) },
    },
    Task {
        name: "no-std",
        about: "the crates that need no standard library build without it",
        options: &[],
        operand: None,
        run: |workspace, _| no_std::run(workspace),
    },
    Task {
        name: "msrv",
        about: "the libraries build with the oldest compiler promised; --quick looks only at what dependencies declare",
        options: &["--quick"],
        operand: None,
        run: gates::msrv,
    },
    Task {
        name: "features",
        about: "the libraries build with every set of their features; --quick takes none, each alone, all",
        options: &["--quick"],
        operand: None,
        run: gates::features,
    },
    Task {
        name: "package",
        about: "what each crate would publish: files, sizes, manifests; packs them all, except with --quick",
        options: &["--quick"],
        operand: None,
        run: gates::package,
    },
    Task {
        name: "pages",
        about: "the programs of README and docs run with the dependencies that their page prints; --quick: the recipes",
        options: &["--quick"],
        operand: None,
        run: gates::pages,
    },
    Task {
        name: "external-types",
        about: "public items name types of those crates only that are allowed; needs a nightly rustdoc",
        options: &[],
        operand: None,
        run: |workspace, _| gates::external_types(workspace),
    },
    Task {
        name: "deny",
        about: "licences, bans, sources, advisories; needs cargo-deny",
        options: &[],
        operand: None,
        run: |workspace, _| gates::deny(workspace),
    },
    Task {
        name: "semver",
        about: "nothing breaks users of the last release; needs cargo-semver-checks",
        options: &[],
        operand: None,
        run: |workspace, _| gates::semver(workspace),
    },
    Task {
        name: "release-check",
        about: "all gates of a release and a table of their results; skips those that need a missing tool",
        options: &[],
        operand: None,
        run: |workspace, _| gates::release_check(workspace),
    },
    Task {
        name: "bench",
        about: "CPU time and memory against peers: all, or one of sse, sse-shape, sse-decode, corpus, ws, ws-decode, client, drain, idle, memory",
        options: &["--quick"],
        operand: Some("NAME"),
        run: bench::run,
    },
    Task {
        name: "conformance",
        about: "the Autobahn WebSocket cases against ws-codec; needs Python 3.10",
        options: &[],
        operand: None,
        run: |workspace, _| conformance::run(workspace),
    },
    Task {
        name: "compare",
        about: "what clients do with the same streams, codex-api and others; needs Python 3.10",
        options: &[],
        operand: Some("SCENARIO"),
        run: compare::run,
    },
    Task {
        name: "e2e",
        about: "whole turns with nginx, haproxy and aimock, and pages in a browser; says how to install them",
        options: &["--only nginx|haproxy|aimock|browser", "--install", "--allow-missing"],
        operand: None,
        run: e2e::run,
    },
    Task {
        name: "fuzz",
        about: "looks for inputs that break a property of tests/fuzz, 60 s for each target; needs nightly and cargo-fuzz",
        options: &["--seconds N"],
        operand: Some("TARGET..."),
        run: fuzz::run,
    },
    Task {
        name: "miri",
        about: "tests of sse-codec under Miri; needs nightly with miri",
        options: &["--if-present"],
        operand: None,
        run: miri::run,
    },
    Task {
        name: "help",
        about: "this list",
        options: &[],
        operand: None,
        run: |_, _| {
            print!("{}", usage());
            Ok(())
        },
    },
];

/// The words of the command line, understood.
struct Invocation<'a> {
    task: &'static Task,
    /// Options, and the operand.
    words: &'a [String],
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let invocation = match parse(&words) {
        Ok(invocation) => invocation,
        Err(message) => {
            eprintln!("error: {message}\n\n{}", usage());
            return ExitCode::from(2);
        }
    };
    match run(&invocation) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Shown) => ExitCode::FAILURE,
        Err(Failure::Message(message)) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(invocation: &Invocation<'_>) -> TaskResult {
    let workspace = Workspace::locate()?;
    (invocation.task.run)(&workspace, invocation.words)
}

fn parse(words: &[String]) -> Result<Invocation<'_>, String> {
    let Some((first, words)) = words.split_first() else {
        return Err("no task given".to_owned());
    };
    let name = match first.as_str() {
        "--help" | "-h" => "help",
        name => name,
    };
    let task = TASKS.iter().find(|task| task.name == name).ok_or_else(|| format!("unknown task `{name}`"))?;
    let mut operands = match task.operand {
        None => 0,
        Some(operand) if operand.ends_with("...") => usize::MAX,
        Some(_) => 1,
    };
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if let Some((option, value)) = option(task, word) {
            if value.is_some() && rest.next().is_none_or(|value| value.starts_with('-')) {
                return Err(format!("`{option}` needs a value"));
            }
        } else if word.starts_with('-') || operands == 0 {
            return Err(format!("`{name}` does not know `{word}`"));
        } else {
            operands -= 1;
        }
    }
    Ok(Invocation { task, words })
}

/// The option that `word` is, and what stands for its value if it has one.
fn option(task: &Task, word: &str) -> Option<(&'static str, Option<&'static str>)> {
    let split = |option: &&'static str| match option.split_once(' ') {
        Some((option, value)) => (option, Some(value)),
        None => (*option, None),
    };
    task.options.iter().map(split).find(|(option, _)| *option == word)
}

fn usage() -> String {
    let lines = TASKS.iter().map(|task| {
        let options = task.options.iter().map(|option| format!(" [{option}]"));
        let operand = task.operand.iter().map(|operand| format!(" [{operand}]"));
        let call: String = std::iter::once(task.name.to_owned()).chain(options).chain(operand).collect();
        format!("  {call:<23} {}\n", task.about)
    });
    format!("usage: cargo xtask TASK\n\n{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::{parse, usage};

    fn check(words: &[&str], expected: Result<(&str, usize), &str>) {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let parsed = parse(&words);
        match (parsed, expected) {
            (Ok(invocation), Ok((name, options))) => {
                assert_eq!(invocation.task.name, name, "{words:?}");
                assert_eq!(invocation.words.len(), options, "{words:?}");
            }
            (Err(message), Err(expected)) => assert_eq!(message, expected, "{words:?}"),
            (Ok(_), Err(expected)) => panic!("{words:?} should fail: {expected}"),
            (Err(message), Ok(_)) => panic!("{words:?} failed: {message}"),
        }
    }

    #[test]
    fn known_words_are_understood_and_others_refused() {
        check(&["test"], Ok(("test", 0)));
        check(&["test", "--quick"], Ok(("test", 1)));
        check(&["--help"], Ok(("help", 0)));
        check(&["deps"], Ok(("deps", 0)));
        check(&["snap", "--accept"], Ok(("snap", 1)));
        check(&["deps", "--size"], Ok(("deps", 1)));
        check(&["msrv", "--quick"], Ok(("msrv", 1)));
        check(&["deny", "--quick"], Err("`deny` does not know `--quick`"));
        check(&[], Err("no task given"));
        check(&["tset"], Err("unknown task `tset`"));
        check(&["tidy", "--quick"], Err("`tidy` does not know `--quick`"));
        check(&["test", "x"], Err("`test` does not know `x`"));
        check(&["bench", "ws", "--quick"], Ok(("bench", 2)));
        check(&["bench", "ws", "sse"], Err("`bench` does not know `sse`"));
        check(&["e2e", "--only", "nginx", "--install"], Ok(("e2e", 3)));
        check(&["e2e", "--only"], Err("`--only` needs a value"));
        check(&["e2e", "--only", "--install"], Err("`--only` needs a value"));
        check(&["e2e", "nginx"], Err("`e2e` does not know `nginx`"));
        check(&["fuzz", "hints", "--seconds", "5", "ws_frames"], Ok(("fuzz", 4)));
        check(&["bench", "--slow"], Err("`bench` does not know `--slow`"));
    }

    #[test]
    fn usage_has_one_line_for_each_task() {
        let text = usage();
        for task in super::TASKS {
            let lines = text.lines().filter(|line| line.trim_start().starts_with(task.name));
            assert_eq!(lines.count(), 1, "{}", task.name);
        }
    }

    /// The benches are a workspace of their own, so only their source can be asked.
    #[test]
    fn usage_names_every_bench() {
        let benches = include_str!("../../tests/peer-bench/src/benches/mod.rs");
        let names: Vec<&str> = benches
            .split("Bench { name: \"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .chain(["idle", "memory"])
            .collect();
        assert!(names.len() > 2);
        let text = usage();
        assert!(text.contains(&format!("all, or one of {}\n", names.join(", "))), "{names:?}");
    }
}
