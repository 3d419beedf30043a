//! `cargo xtask bench [--quick] [NAME]`: measures, and prints one report.

use std::process::ExitCode;

use peer_bench::benches::BENCHES;
use peer_bench::measure::Effort;
use peer_bench::report::Report;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let effort = if words.iter().any(|word| word == "--quick") { Effort::Quick } else { Effort::Full };
    let names: Vec<&String> = words.iter().filter(|word| *word != "--quick").collect();
    if let Some(unknown) = names.iter().find(|name| !BENCHES.iter().any(|bench| bench.name == name.as_str())) {
        let known: Vec<&str> = BENCHES.iter().map(|bench| bench.name).collect();
        eprintln!("error: no bench `{unknown}`; there are {}, and memory", known.join(", "));
        return ExitCode::from(2);
    }
    let mut report = Report::default();
    for bench in BENCHES.iter().filter(|bench| names.is_empty() || names.iter().any(|name| *name == bench.name)) {
        for mut scenario in (bench.scenarios)(effort) {
            eprintln!("measuring {}", scenario.name());
            let costs = scenario.measure(effort);
            report.add(&scenario, &costs);
        }
    }
    print!("{report}");
    ExitCode::SUCCESS
}
