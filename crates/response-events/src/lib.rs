//! The meaning of model streams: requests, items, events, usage, errors, and the two interpreters that turn
//! payloads of the Responses API and of Chat Completions into one vocabulary.
//!
//! No I/O, no clock, no tasks: payload bytes go in, [`TurnEvent`]s and one [`Outcome`] come out.
//!
//! * [`Interpreter`] reads the payloads of one stream. The terminal rule lives in it, once for each wire.
//! * [`TurnEvent`] is the whole vocabulary that a caller meets, [`Failure`] the one way in which a stream fails.
//! * [`Request`] is what a caller asks; it encodes for both wires.
//! * [`ErrorClass`] says of an API error code whether a second try can succeed.
//! * [`Transcript`] and [`Summary`] render a stream for people and for comparisons.
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod api_error;
mod bare_error;
mod chat;
mod class;
mod classifier;
mod close_reason;
mod collected;
mod error_layers;
mod event;
mod failure;
mod half_characters;
mod interpreter;
mod item;
mod json;
mod ledger;
mod outcome;
mod rate_limits;
mod raw_json;
mod request;
mod response_headers;
mod responses;
mod scan;
mod secret;
mod summary;
mod text;
mod transcript;
mod turn_state_mark;
mod unfinished_json;
mod usage;
mod values;
mod whole_answer;
mod wire;

pub use api_error::ApiError;
pub use class::{ErrorClass, classify_code, classify_status, known_codes, known_statuses};
pub use classifier::Classifier;
pub use event::{
    Completed, Created, Delta, Fallback, Incomplete, ItemEvent, Malformed, Opened, OtherEvent, RequestStarted, Retry,
    TurnEvent,
};
pub use failure::{Failure, FailureKind, Phase};
pub use interpreter::{Interpreter, InterpreterOptions};
pub use item::{CallKind, FunctionCall, InvalidItem, Item, ItemKind, Message, Reasoning};
pub use ledger::{ChoiceEnd, EventCounts, Ledger};
pub use outcome::Outcome;
pub use rate_limits::{Credits, RateLimitWindow, RateLimits};
pub use raw_json::RawJson;
pub use request::{ChatHistory, Continuation, EncodeError, Request};
pub use response_headers::ResponseHeaders;
pub use responses::FinishedResponse;
pub use summary::{ChoiceSummary, ItemCall, Summary, SummaryBuilder};
pub use transcript::Transcript;
pub use turn_state_mark::TurnStateMark;
pub use usage::Usage;
pub use whole_answer::whole_answer;
pub use wire::{InvalidWire, TransportKind, Wire};
