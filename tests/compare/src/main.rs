//! What clients do with the same streams: a scripted server, small client programs, one table.
//!
//! The server is `stream-replay`; every client runs with its default settings. `cargo xtask compare` builds and runs
//! this and prints the table of `docs/compare.md`. Words after the program's name keep only the scenarios whose names
//! hold one of them.

mod clients;
mod report;
mod scenarios;
mod seen;

use clients::Subject;
use report::Report;
use scenarios::Scenario;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let subjects = Subject::all();
    let scenarios: Vec<Scenario> = scenarios::all()
        .into_iter()
        .filter(|scenario| words.is_empty() || words.iter().any(|word| scenario.name.contains(word.as_str())))
        .collect();
    let mut report = Report::new(&subjects);
    for scenario in &scenarios {
        // Side by side: each client has a server of its own, and most of the time everybody waits.
        let cells = futures_util::future::join_all(subjects.iter().map(|subject| scenario.run(subject))).await;
        report.row(scenario.name, cells.into_iter().collect::<Result<_, _>>()?);
    }
    print!("{report}");
    Ok(())
}
