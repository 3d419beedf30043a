//! The summary of a Responses stream.

use std::{collections::BTreeMap, num::NonZero};

use response_events::{Item, ItemKind, Summary};
use serde::Serialize;

use super::{OwnFailure, ServiceError, digest::sha256_hex};

#[derive(Serialize)]
pub(super) struct ResponsesSummary<'a> {
    wire_api: &'static str,
    outcome: &'static str,
    sse_events: u64,
    done_sentinels: u64,
    unknown: u64,
    malformed: u64,
    wire_event_types: BTreeMap<&'a str, u64>,
    response_id: Option<&'a str>,
    model: Option<&'a str>,
    terminal_event: Option<&'a str>,
    terminal_events_seen: u64,
    status: Option<&'a str>,
    incomplete_reason: Option<&'a str>,
    error: Option<ServiceError<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<OwnFailure<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out_bytes: Option<NonZero<u64>>,
    output_item_types: Vec<&'a str>,
    done_item_types: &'a [String],
    output_text_sha256: String,
    output_text_bytes: usize,
    delta_text_sha256: String,
    delta_text_bytes: usize,
    refusal_sha256: String,
    refusal_bytes: usize,
    reasoning_summary_delta_sha256: String,
    reasoning_summary_delta_bytes: usize,
    reasoning_text_delta_sha256: String,
    reasoning_text_delta_bytes: usize,
    tool_calls: Vec<ToolCall<'a>>,
    usage: Option<Tokens>,
    sequence_numbers_contiguous: bool,
}

#[derive(Serialize)]
struct ToolCall<'a> {
    r#type: &'a str,
    id: Option<&'a str>,
    call_id: Option<&'a str>,
    name: Option<&'a str>,
    arguments_sha256: String,
    arguments_bytes: usize,
    status: Option<&'a str>,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the keys")]
struct Tokens {
    input_tokens: Option<u64>,
    cached_tokens: Option<u64>,
    output_tokens: Option<u64>,
    reasoning_tokens: Option<u64>,
    total_tokens: Option<u64>,
}

impl<'a> ResponsesSummary<'a> {
    pub(super) fn of(summary: &'a Summary) -> Self {
        let ledger = &summary.ledger;
        let output_text = output_text(&summary.items);
        Self {
            wire_api: summary.wire.as_str(),
            outcome: summary.outcome,
            sse_events: ledger.events,
            done_sentinels: ledger.done_sentinels,
            unknown: ledger.unknown,
            malformed: ledger.malformed,
            wire_event_types: ledger.event_types.iter().collect(),
            response_id: ledger.response_id.as_deref(),
            model: ledger.model.as_deref(),
            terminal_event: ledger.terminal_event.as_deref(),
            terminal_events_seen: ledger.terminal_events,
            status: ledger.status.as_deref(),
            incomplete_reason: ledger.incomplete_reason.as_deref(),
            error: ServiceError::of(summary),
            failure: OwnFailure::of(summary.failure.as_ref()),
            left_out_bytes: NonZero::new(summary.left_out_bytes),
            output_item_types: summary.items.iter().map(Item::item_type).collect(),
            done_item_types: &ledger.done_item_types,
            output_text_sha256: sha256_hex(&output_text),
            output_text_bytes: output_text.len(),
            delta_text_sha256: sha256_hex(&summary.delta_text),
            delta_text_bytes: summary.delta_text.len(),
            refusal_sha256: sha256_hex(&summary.refusal),
            refusal_bytes: summary.refusal.len(),
            reasoning_summary_delta_sha256: sha256_hex(&summary.reasoning_summary),
            reasoning_summary_delta_bytes: summary.reasoning_summary.len(),
            reasoning_text_delta_sha256: sha256_hex(&summary.reasoning_text),
            reasoning_text_delta_bytes: summary.reasoning_text.len(),
            tool_calls: summary.items.iter().filter_map(ToolCall::of).collect(),
            usage: ledger.usage.as_ref().map(|usage| Tokens {
                input_tokens: usage.input_tokens(),
                cached_tokens: usage.cached_tokens(),
                output_tokens: usage.output_tokens(),
                reasoning_tokens: usage.reasoning_tokens(),
                total_tokens: usage.total_tokens(),
            }),
            sequence_numbers_contiguous: ledger.sequence_contiguous,
        }
    }
}

impl<'a> ToolCall<'a> {
    /// Calls that the model made, also those that the service ran itself (`mcp_call`).
    fn of(item: &'a Item) -> Option<Self> {
        let field = |key: &str| item.as_json().get(key)?.as_str();
        let arguments = match item.item_type() {
            "function_call" | "mcp_call" => field("arguments"),
            "custom_tool_call" => field("input"),
            _ => return None,
        }
        .unwrap_or_default();
        Some(Self {
            r#type: item.item_type(),
            id: item.id(),
            call_id: field("call_id"),
            name: field("name"),
            arguments_sha256: sha256_hex(arguments),
            arguments_bytes: arguments.len(),
            status: item.status(),
        })
    }
}

/// The text of all messages, joined.
fn output_text(items: &[Item]) -> String {
    items
        .iter()
        .filter_map(|item| match item.kind() {
            ItemKind::Message(message) => Some(message.text),
            _ => None,
        })
        .collect()
}
