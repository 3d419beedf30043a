//! `docs/faults.md` has every row, and the tests that it names are there.

use std::{collections::BTreeSet, fs, path::Path};

#[test]
fn every_fault_has_its_row_and_every_named_test_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let table = fs::read_to_string(root.join("docs/faults.md")).unwrap();
    let mut numbers = BTreeSet::new();
    for row in table.lines() {
        let Some(Ok(number)) = row.strip_prefix("| ").and_then(|row| row.split(' ').next()).map(str::parse::<u32>)
        else {
            continue;
        };
        assert!(numbers.insert(number), "row {number} is there twice");
        let mut tests = row.split('`').filter_map(|quoted| quoted.split_once(".rs::")).peekable();
        assert!(tests.peek().is_some(), "row {number} names no test");
        for (file, test) in tests {
            let source = fs::read_to_string(root.join(file).with_extension("rs"))
                .unwrap_or_else(|error| panic!("row {number}: {file}.rs: {error}"));
            let (before, _) = source
                .split_once(&format!("fn {test}("))
                .unwrap_or_else(|| panic!("row {number}: {file}.rs has no {test}"));
            let attributes = before.rsplit("\n\n").next().unwrap();
            assert!(
                ["#[test]", "#[tokio::test"].iter().any(|mark| attributes.contains(mark)),
                "row {number}: {test} in {file}.rs is no test"
            );
        }
    }
    assert_eq!(numbers, (1..=93).collect());
}
