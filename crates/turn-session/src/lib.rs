//! One streamed request of a model turn as a state machine: what to send next, what to tell the caller, when to stop.
//!
//! No sockets, no sleeping, no clock: heads, payloads and instants go in; actions, events and deadlines come out.
//!
//! [`TurnEngine`] is the machine. Its inputs are `handle_*`, each with the present instant; its outputs are
//! `poll_action`, `poll_event` and `poll_timeout`, which are asked after every input until they have nothing left.
#![doc = include_str!("../README.md")]

mod action;
mod attempt;
mod engine;
mod head;
mod refusal;
mod timeouts;
mod timers;

pub use action::{Action, ErrorBody};
pub use engine::{EngineConfig, TurnEngine};
pub use head::ResponseHead;
pub use timeouts::Timeouts;
