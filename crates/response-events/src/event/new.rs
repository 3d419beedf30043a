//! Events made by hand: by the layer above, and by the tests of whoever shows them. What is not asked for is set
//! afterwards, field by field, so that events can grow.

use std::time::Duration;

use super::{Delta, Fallback, ItemEvent, Opened, RequestStarted, Retry};
use crate::{FailureKind, Item, ResponseHeaders, TransportKind};

impl RequestStarted {
    /// An attempt without a turn state.
    pub fn new(attempt: u32, transport: TransportKind, url: impl Into<String>) -> Self {
        Self { attempt, transport, url: url.into(), turn_state: false, turn_state_mark: None }
    }
}

impl Opened {
    /// A head that brings nothing but its status.
    pub fn new(status: u16) -> Self {
        Self { status, request_id: None, turn_state: false, headers: ResponseHeaders::default(), turn_state_mark: None }
    }
}

impl ItemEvent {
    /// An item of the first choice.
    pub fn new(output_index: u32, item: Item) -> Self {
        Self { output_index, item, choice_index: 0, call_index: None, sequence_number: None }
    }
}

impl Delta {
    /// A piece of an item of the first choice.
    pub fn new(output_index: u32, text: impl Into<String>) -> Self {
        Self {
            output_index,
            item_id: None,
            content_index: None,
            summary_index: None,
            choice_index: 0,
            sequence_number: None,
            text: text.into(),
        }
    }
}

impl Retry {
    /// A retry at once that takes nothing back.
    pub fn new(attempt: u32, max_attempts: u32, reason: FailureKind, message: impl Into<String>) -> Self {
        Self {
            attempt,
            max_attempts,
            delay: Duration::ZERO,
            reason,
            code: None,
            message: message.into(),
            request_id: None,
            discarded: false,
        }
    }
}

impl Fallback {
    /// A change from one transport to another.
    pub fn new(from: TransportKind, to: TransportKind, reason: impl Into<String>) -> Self {
        Self { from, to, reason: reason.into() }
    }
}
