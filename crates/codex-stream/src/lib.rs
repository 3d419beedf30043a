//! The parts of the command line that others can use: renderers for streamed turns, and decoding of recorded ones.
//! It opens no connection and reads no file; that is left to the binary of the same name.
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod decode;
mod exit;
mod inspect;
mod output;
mod picture;
mod summary;

pub use decode::{DecodeOptions, StreamDecoder, summarize};
pub use exit::ExitStatus;
pub use output::{HtmlRenderer, OutputFormat, Place, Render, TextStyle, renderer};
pub use picture::{
    Arrival, Attempt, AttemptHead, Axis, Ending, EventClass, EventMark, EventRun, Gap, Timeline, TimelineBuilder,
    Totals, html_page,
};
pub use summary::summary_json;
