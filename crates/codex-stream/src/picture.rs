//! A picture of a turn: what passed, when, and how it ended, as one HTML page.
//!
//! [`TimelineBuilder`] collects a [`Timeline`] from events with times, and [`html_page`] draws it. Neither knows where
//! the events come from.

mod bins;
mod builder;
mod class;
mod escape;
mod figure;
mod gaps;
mod overview;
mod page;
mod scale;
mod table;
mod timeline;
mod words;

pub use builder::TimelineBuilder;
pub use class::EventClass;
pub use gaps::Gap;
pub use page::html_page;
pub use timeline::{Arrival, Attempt, AttemptHead, Axis, Ending, EventMark, EventRun, Timeline, Totals};
