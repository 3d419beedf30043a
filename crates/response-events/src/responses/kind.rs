//! Event types of the Responses API, as data.

/// What an event type means to the interpreter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Created,
    /// `queued`, `in_progress`: they say more of the response, and are passed on.
    Lifecycle,
    ItemAdded,
    ItemDone,
    Delta(DeltaKind),
    RateLimits,
    Metadata,
    /// Passed on; it says only that the connection is alive.
    KeepAlive,
    /// Known, and passed on as it came.
    Other,
    Terminal(Terminal),
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DeltaKind {
    Text,
    Refusal,
    Reasoning,
    ReasoningSummary,
    ToolInput,
}

/// An event that ends the stream as soon as its type is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Terminal {
    Completed,
    Incomplete,
    Failed,
    Cancelled,
    Error,
}

impl Terminal {
    /// What a finished response is by its `status`; one that says nothing of an end leaves it completed.
    pub(super) fn of_status(status: Option<&str>) -> Self {
        match status {
            Some("incomplete") => Self::Incomplete,
            Some("failed") => Self::Failed,
            Some("cancelled") => Self::Cancelled,
            _ => Self::Completed,
        }
    }
}

/// The types that come often.
static FREQUENT: [&str; 7] = [
    "response.output_text.delta",
    "response.function_call_arguments.delta",
    "response.custom_tool_call_input.delta",
    "response.mcp_call_arguments.delta",
    "response.reasoning_text.delta",
    "response.reasoning_summary_text.delta",
    "response.refusal.delta",
];

/// The one name that stands for all of the same words, if the type is among those that come often.
pub(super) fn interned(event_type: &str) -> Option<&'static str> {
    FREQUENT.iter().copied().find(|known| *known == event_type)
}

impl Kind {
    /// Sources: the API's streaming-event reference, and event types seen in recorded streams.
    pub(super) fn of(event_type: &str) -> Self {
        match event_type {
            "response.output_text.delta" => Self::Delta(DeltaKind::Text),
            "response.function_call_arguments.delta"
            | "response.custom_tool_call_input.delta"
            | "response.mcp_call_arguments.delta" => Self::Delta(DeltaKind::ToolInput),
            "response.reasoning_text.delta" => Self::Delta(DeltaKind::Reasoning),
            "response.reasoning_summary_text.delta" => Self::Delta(DeltaKind::ReasoningSummary),
            "response.refusal.delta" => Self::Delta(DeltaKind::Refusal),
            "response.created" => Self::Created,
            "response.queued" | "response.in_progress" => Self::Lifecycle,
            "response.output_item.added" => Self::ItemAdded,
            "response.output_item.done" => Self::ItemDone,
            "response.completed" => Self::Terminal(Terminal::Completed),
            "response.incomplete" => Self::Terminal(Terminal::Incomplete),
            "response.failed" => Self::Terminal(Terminal::Failed),
            "response.cancelled" => Self::Terminal(Terminal::Cancelled),
            "error" => Self::Terminal(Terminal::Error),
            "codex.rate_limits" => Self::RateLimits,
            "response.metadata" | "codex.response.metadata" => Self::Metadata,
            "keepalive" => Self::KeepAlive,
            other if is_known(other) => Self::Other,
            _ => Self::Unknown,
        }
    }
}

/// Known types without a variant of their own.
const KNOWN: &[&str] = &[
    "response.apply_patch_call_operation_diff.delta",
    "response.apply_patch_call_operation_diff.done",
    "response.audio.delta",
    "response.audio.done",
    "response.audio.transcript.delta",
    "response.audio.transcript.done",
    "response.code_interpreter_call.completed",
    "response.code_interpreter_call.in_progress",
    "response.code_interpreter_call.interpreting",
    "response.code_interpreter_call_code.delta",
    "response.code_interpreter_call_code.done",
    "response.compaction.compacting",
    "response.content_part.added",
    "response.content_part.done",
    "response.custom_tool_call_input.done",
    "response.file_search_call.completed",
    "response.file_search_call.in_progress",
    "response.file_search_call.searching",
    "response.function_call_arguments.done",
    "response.image_generation_call.completed",
    "response.image_generation_call.generating",
    "response.image_generation_call.in_progress",
    "response.image_generation_call.partial_image",
    "response.mcp_call.completed",
    "response.mcp_call.failed",
    "response.mcp_call.in_progress",
    "response.mcp_call_arguments.done",
    "response.mcp_list_tools.completed",
    "response.mcp_list_tools.failed",
    "response.mcp_list_tools.in_progress",
    "response.output_text.annotation.added",
    "response.output_text.done",
    "response.reasoning_part.added",
    "response.reasoning_part.done",
    "response.reasoning_summary_part.added",
    "response.reasoning_summary_part.done",
    "response.reasoning_summary_text.done",
    "response.reasoning_text.done",
    "response.refusal.done",
    "response.shell_call_command.added",
    "response.shell_call_command.delta",
    "response.shell_call_command.done",
    "response.shell_call_output_content.delta",
    "response.shell_call_output_content.done",
    "response.steer.accepted",
    "response.steer.failed",
    "response.steer.pending",
    "response.web_search_call.completed",
    "response.web_search_call.in_progress",
    "response.web_search_call.searching",
    "responsesapi.websocket_timing",
];

fn is_known(event_type: &str) -> bool {
    KNOWN.binary_search(&event_type).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_known_types_can_be_searched() {
        assert!(KNOWN.is_sorted_by(|a, b| a < b));
        assert_eq!(Kind::of("response.brand_new.delta"), Kind::Unknown);
    }
}
