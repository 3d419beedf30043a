//! Many events as a number of columns that does not grow with them.

use std::time::Duration;

use super::{Attempt, Axis, EventClass, scale::Scale};

/// Columns of all figures of a page, which bounds its size.
const COLUMNS_OF_PAGE: usize = 280;
/// Most columns of a figure.
const MOST_COLUMNS: usize = 160;
/// Fewest columns of a figure with enough events.
const FEWEST_COLUMNS: usize = 18;

/// What lies in one column of a lane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bin<'a> {
    /// Which column, from the left.
    pub(super) column: usize,
    pub(super) count: u64,
    /// Characters of pieces, or bytes.
    pub(super) size: u64,
    /// The first and the last moment.
    pub(super) at: (Duration, Duration),
    /// The numbers of the first and the last event, from 0.
    pub(super) numbers: (usize, usize),
    /// What the first is in words.
    pub(super) label: &'a str,
}

/// How many columns the figure of an attempt has.
pub(super) fn columns(scale: &Scale, attempt: &Attempt, figures: usize) -> usize {
    let most = (COLUMNS_OF_PAGE / figures.max(1)).clamp(FEWEST_COLUMNS, MOST_COLUMNS);
    match scale.axis() {
        Axis::Time => most,
        Axis::Order => attempt.marks.len().clamp(1, most),
    }
}

/// The columns of a lane that are not empty.
pub(super) fn of_class<'a>(attempt: &'a Attempt, class: EventClass, scale: &Scale, columns: usize) -> Vec<Bin<'a>> {
    let marks = attempt.marks.iter().enumerate().filter(|(_, mark)| mark.class == class);
    collect(marks.map(|(number, mark)| Bin {
        column: column(scale.share(mark.at, number), columns),
        count: 1,
        size: u64::from(mark.chars),
        at: (mark.at, mark.at),
        numbers: (number, number),
        label: &mark.label,
    }))
}

/// The columns of the bytes that are not empty.
pub(super) fn of_bytes<'a>(attempt: &Attempt, scale: &Scale, columns: usize) -> Vec<Bin<'a>> {
    collect(attempt.bytes.iter().enumerate().map(|(number, bytes)| Bin {
        column: column(scale.share(bytes.at, number), columns),
        count: 1,
        size: bytes.count,
        at: (bytes.at, bytes.at),
        numbers: (number, number),
        label: "",
    }))
}

#[expect(clippy::cast_sign_loss, reason = "a share is at least 0")]
fn column(share: f64, columns: usize) -> usize {
    ((share * columns as f64) as usize).min(columns - 1)
}

/// Joins neighbours of one column; times only go forward.
fn collect<'a>(single: impl Iterator<Item = Bin<'a>>) -> Vec<Bin<'a>> {
    let mut bins: Vec<Bin<'a>> = Vec::new();
    for bin in single {
        match bins.last_mut() {
            Some(last) if last.column == bin.column => {
                last.count += bin.count;
                last.size += bin.size;
                last.at.1 = bin.at.1;
                last.numbers.1 = bin.numbers.1;
            }
            _ => bins.push(bin),
        }
    }
    bins
}
