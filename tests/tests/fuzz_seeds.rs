//! The properties of the fuzz targets hold for their stored seeds, and for the beginnings of these.

use std::path::{Path, PathBuf};

/// What fuzzing found is reproduced here: put the file into the folder of its target.
#[allow(unreachable_pub)] // the fuzz targets are crates of their own
#[path = "../fuzz/src/lib.rs"]
mod fuzz;

/// Beginnings of a seed that are tried, the whole one aside.
const BEGINNINGS: usize = 16;

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(target)
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().expect("names are ASCII")).collect();
    names.sort();
    names
}

#[test]
fn every_property_has_a_target_and_seeds() {
    let properties: Vec<&str> = fuzz::TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names(&folder("seeds")), properties);
    let targets: Vec<String> = properties.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(names(&folder("targets")), targets);
}

#[test]
fn the_properties_hold_for_the_stored_seeds() {
    for (target, property) in fuzz::TARGETS {
        let folder = folder("seeds").join(target);
        let seeds = names(&folder);
        assert!(seeds.len() >= 5, "{target} has {} seeds", seeds.len());
        for seed in seeds {
            let data = std::fs::read(folder.join(&seed)).unwrap();
            for step in 0..=BEGINNINGS {
                let end = data.len() * step / BEGINNINGS;
                // What a property says when it fails does not name the seed.
                println!("seeds/{target}/{seed}, {end} of {} bytes", data.len());
                property(&data[..end]);
            }
        }
    }
}
