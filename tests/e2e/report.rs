//! One line a check, and the sum.

use std::panic;
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Longer than any check takes, by far.
const LIMIT: Duration = Duration::from_secs(60);

/// What the panics of the running check said; `None` between two checks. They run one after another.
static SAID: Mutex<Option<Vec<String>>> = Mutex::new(None);

/// Keeps what a panic says for the line of its check, instead of printing it.
pub(crate) fn keep_panics() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let Some(said) = &mut *said() else { return print(panic) };
        let payload = panic.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("panicked");
        let place = panic.location().map(|place| format!("{}:{}: ", place.file(), place.line())).unwrap_or_default();
        said.push(format!("{place}{text}"));
    }));
}

fn said() -> MutexGuard<'static, Option<Vec<String>>> {
    SAID.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The results so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    passed: usize,
    failed: usize,
}

impl Report {
    /// Runs a check to its end and prints its line. A check fails by panicking, or by not ending.
    pub(crate) async fn run(&mut self, peer: &str, name: &str, check: impl Future<Output = ()> + Send + 'static) {
        *said() = Some(Vec::new());
        let start = Instant::now();
        // A task of its own, so that a panic ends the check and nothing else; dropped, it ends too.
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(check);
        let error = match tokio::time::timeout(LIMIT, tasks.join_next()).await {
            Ok(Some(Err(error))) => Some(error.to_string()),
            Ok(_) => None,
            Err(_) => Some(format!("not done after {} s", LIMIT.as_secs())),
        };
        tasks.shutdown().await;
        let said = said().take().unwrap_or_default().join("\n");
        let seconds = start.elapsed().as_secs_f64();
        match error {
            None => {
                self.passed += 1;
                println!("ok      {peer:<8} {name} ({seconds:.1} s)");
            }
            Some(error) => {
                self.failed += 1;
                println!("FAILED  {peer:<8} {name} ({seconds:.1} s)");
                let error = if said.is_empty() { error } else { said };
                for line in error.lines() {
                    println!("            {line}");
                }
            }
        }
    }

    /// Prints the sum. Nothing checked is nothing passed.
    pub(crate) fn finish(self) -> ExitCode {
        println!("{} passed, {} failed", self.passed, self.failed);
        if self.failed == 0 && self.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
