//! The summary of a Chat stream.

use std::num::NonZero;

use response_events::{ChoiceSummary, ItemCall, Summary};
use serde::Serialize;

use super::{OwnFailure, ServiceError, digest::sha256_hex};

#[derive(Serialize)]
pub(super) struct ChatSummary<'a> {
    wire_api: &'static str,
    outcome: &'static str,
    sse_events: u64,
    done_sentinels: u64,
    unknown: u64,
    malformed: u64,
    id: Option<&'a str>,
    model: Option<&'a str>,
    choices: Vec<Choice<'a>>,
    usage: Option<Tokens>,
    final_status: Option<&'a str>,
    error: Option<ServiceError<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<OwnFailure<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out_bytes: Option<NonZero<u64>>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    finish_reason: Option<&'a str>,
    text_sha256: String,
    text_bytes: usize,
    reasoning_sha256: String,
    reasoning_bytes: usize,
    refusal_sha256: String,
    refusal_bytes: usize,
    tool_calls: Vec<ToolCall<'a>>,
}

#[derive(Serialize)]
struct ToolCall<'a> {
    index: u32,
    id: Option<&'a str>,
    name: Option<&'a str>,
    arguments_sha256: String,
    arguments_bytes: usize,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the keys")]
struct Tokens {
    prompt_tokens: Option<u64>,
    cached_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    reasoning_tokens: Option<u64>,
    total_tokens: Option<u64>,
}

impl<'a> ChatSummary<'a> {
    pub(super) fn of(summary: &'a Summary) -> Self {
        let ledger = &summary.ledger;
        Self {
            wire_api: summary.wire.as_str(),
            outcome: summary.outcome,
            sse_events: ledger.events,
            done_sentinels: ledger.done_sentinels,
            unknown: ledger.unknown,
            malformed: ledger.malformed,
            id: ledger.response_id.as_deref(),
            model: ledger.model.as_deref(),
            choices: summary.choices.iter().map(Choice::of).collect(),
            usage: ledger.usage.as_ref().map(|usage| Tokens {
                prompt_tokens: usage.input_tokens(),
                cached_tokens: usage.cached_tokens(),
                completion_tokens: usage.output_tokens(),
                reasoning_tokens: usage.reasoning_tokens(),
                total_tokens: usage.total_tokens(),
            }),
            final_status: summary.choices.first().and_then(|choice| choice.finish_reason.as_deref()),
            error: ServiceError::of(summary),
            failure: OwnFailure::of(summary.failure.as_ref()),
            left_out_bytes: NonZero::new(summary.left_out_bytes),
        }
    }
}

impl<'a> Choice<'a> {
    fn of(choice: &'a ChoiceSummary) -> Self {
        let mut tool_calls: Vec<_> = choice.calls.iter().map(ToolCall::of).collect();
        tool_calls.sort_by_key(|call| call.index);
        Self {
            index: choice.index,
            finish_reason: choice.finish_reason.as_deref(),
            text_sha256: sha256_hex(&choice.text),
            text_bytes: choice.text.len(),
            reasoning_sha256: sha256_hex(&choice.reasoning),
            reasoning_bytes: choice.reasoning.len(),
            refusal_sha256: sha256_hex(&choice.refusal),
            refusal_bytes: choice.refusal.len(),
            tool_calls,
        }
    }
}

impl<'a> ToolCall<'a> {
    fn of(call: &'a ItemCall) -> Self {
        let function = call.call();
        let arguments = function.map_or("", |function| function.arguments);
        Self {
            index: call.index,
            id: function.map(|function| function.call_id).filter(|id| !id.is_empty()),
            name: function.map(|function| function.name).filter(|name| !name.is_empty()),
            arguments_sha256: sha256_hex(arguments),
            arguments_bytes: arguments.len(),
        }
    }
}
