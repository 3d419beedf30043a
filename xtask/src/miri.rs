//! `cargo xtask miri`: tests of the codec under an interpreter that sees undefined behaviour in what it depends on.

use crate::{TaskResult, nightly, workspace::Workspace};

/// The suites whose work an interpreter, a thousand times slower, can do. The others count allocations or measure work,
/// or try thousands of inputs.
const ARGS: &[&str] = &[
    "miri",
    "test",
    "-p",
    "sse-codec",
    "--all-features",
    "--test",
    "encode",
    "--test",
    "lifecycle",
    "--test",
    "limits",
];

const INSTALL: &str = "rustup component add miri --toolchain nightly";

/// Fails where there is no Miri, unless the words have `--if-present`: then it says that it is skipped.
pub(crate) fn run(workspace: &Workspace, words: &[String]) -> TaskResult {
    let may_be_missing = words.iter().any(|word| word == "--if-present");
    if let Some(missing) = nightly::missing(&workspace.root, "miri", INSTALL) {
        return absent(missing, may_be_missing);
    }
    let mut command = nightly::cargo(&workspace.root, ARGS);
    command.arg("--target-dir").arg(workspace.target_folder()?.join("miri"));
    // Property tests read the clock for a seed, and are slow.
    command.env("MIRIFLAGS", "-Zmiri-disable-isolation").env("PROPTEST_CASES", "8");
    let status = command.status().map_err(|error| format!("rustup did not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("the tests failed under Miri: {status}").into()) }
}

fn absent(missing: String, may_be_missing: bool) -> TaskResult {
    if may_be_missing {
        println!("miri skipped: {missing}");
        return Ok(());
    }
    Err(missing.into())
}

#[cfg(test)]
mod tests {
    use super::absent;
    use crate::Failure;

    #[test]
    fn a_missing_miri_fails_the_task_unless_it_may_be_missing() {
        let message = "the nightly toolchain has no `cargo miri`".to_owned();
        assert_eq!(absent(message.clone(), true), Ok(()));
        assert_eq!(absent(message.clone(), false), Err(Failure::Message(message)));
    }
}
