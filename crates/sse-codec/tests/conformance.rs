//! The event stream format of the HTML standard, case by case, each in every chunking and by every way in.

mod support;

#[path = "conformance/cases.rs"]
mod cases;

use cases::{CASES, Case};
use sse_codec::Limits;
use support::{Outcome, WAYS, chunkings, reference, run};

fn expected(case: &Case) -> Outcome {
    let events: Vec<_> =
        case.events.iter().map(|&(event, data, id)| (event.to_owned(), data.to_owned(), id.to_owned())).collect();
    let newest = case.events.last().map_or("", |event| event.2);
    Outcome {
        events,
        last_event_id: case.last_event_id.unwrap_or(newest).to_owned(),
        retry: case.retry,
        comments: case.comments,
        cut: case.cut,
        ..Outcome::default()
    }
}

#[test]
fn every_case_in_every_chunking() {
    for case in CASES {
        let expected = expected(case);
        for &way in WAYS {
            for (chunking, chunks) in chunkings(case.input) {
                let outcome = run(way, Limits::new(), chunks);
                assert_eq!(outcome, expected, "{}: {way:?}, {chunking}", case.name);
            }
        }
    }
}

#[test]
fn the_cases_agree_with_the_reference_decoder() {
    for case in CASES {
        assert_eq!(reference::decode(case.input), expected(case), "{}", case.name);
    }
}

#[test]
fn the_cases_are_many_and_have_a_name_each() {
    let mut names: Vec<_> = CASES.iter().map(|case| case.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), CASES.len());
    assert!(CASES.len() >= 100, "{} cases", CASES.len());
}
