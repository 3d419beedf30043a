//! `cargo xtask bench [--quick] [NAME]`: measures, and prints one report.

use std::fmt::Display;
use std::process::ExitCode;

use peer_bench::benches::BENCHES;
use peer_bench::measure::Effort;
use peer_bench::report::Report;
use peer_bench::server;

fn main() -> ExitCode {
    if let Some(served) = server::serve_if_asked() {
        return served.map_or_else(fail, |()| ExitCode::SUCCESS);
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let effort = if words.iter().any(|word| word == "--quick") { Effort::Quick } else { Effort::Full };
    let names: Vec<&String> = words.iter().filter(|word| *word != "--quick").collect();
    if let Some(unknown) = names.iter().find(|name| !BENCHES.iter().any(|bench| bench.name == name.as_str())) {
        let known: Vec<&str> = BENCHES.iter().map(|bench| bench.name).collect();
        eprintln!("error: no bench `{unknown}`; there are {}, idle and memory", known.join(", "));
        return ExitCode::from(2);
    }
    let mut report = Report::default();
    for bench in BENCHES.iter().filter(|bench| names.is_empty() || names.iter().any(|name| *name == bench.name)) {
        if let Err(error) = (bench.run)(effort, &mut report) {
            return fail(error);
        }
    }
    print!("{report}");
    ExitCode::SUCCESS
}

fn fail(error: impl Display) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::FAILURE
}
