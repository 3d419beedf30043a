//! One streamed request of a model turn as a state machine: what to send next, what to tell the caller, when to stop.
//!
//! No sockets, no sleeping, no clock: heads, payloads and instants go in; actions, events and deadlines come out.
//!
//! [`TurnEngine`] is the machine. Its inputs are `handle_*`, each with the present instant; its outputs are
//! `poll_action`, `poll_event` and `poll_timeout`, which are asked after every input until they have nothing left.
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod action;
mod attempt;
mod chain;
mod classes;
mod coded;
mod config;
mod engine;
mod head;
mod hints;
mod other_wire;
mod preview;
mod quote;
mod refusal;
mod retrying;
mod target;
mod timeouts;
mod timers;
mod transport;
mod turn_state;

pub use action::{Action, CredentialNeed, InputForm, SocketNeed, WantedBody};
pub use chain::SocketMemory;
pub use config::{CredentialSource, EngineConfig, OnCut};
pub use engine::TurnEngine;
pub use head::ResponseHead;
pub use other_wire::other_wire;
pub use target::Target;
pub use timeouts::Timeouts;
pub use transport::{SessionMemory, Transport};
pub use turn_state::{Capture, TURN_STATE_HEADER, TurnState};
