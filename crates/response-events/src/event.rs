//! The vocabulary of a streamed turn, the same for every wire and transport.

mod new;
mod shown;

use std::{sync::Arc, time::Duration};

use serde::Serialize;

use crate::{FailureKind, Item, RateLimits, RawJson, ResponseHeaders, TransportKind, TurnStateMark, Usage};

/// One event of a streamed request.
///
/// Every request ends with exactly one of [`Completed`](Self::Completed), [`Incomplete`](Self::Incomplete) or an
/// error; nothing follows it. Serialises as one line of the command line's JSON output.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TurnEvent {
    /// An attempt goes out.
    Request(RequestStarted),
    /// The service answered with its head.
    Opened(Opened),
    /// The service accepted the request and named the response.
    Created(Created),
    /// An item of the answer begins.
    ItemAdded(ItemEvent),
    /// An item of the answer is whole (or as whole as it gets, see its status).
    ItemDone(ItemEvent),
    /// A piece of the answer's text.
    TextDelta(Delta),
    /// A piece of a refusal.
    RefusalDelta(Delta),
    /// A piece of the reasoning itself.
    ReasoningDelta(Delta),
    /// A piece of the reasoning's summary.
    ReasoningSummaryDelta(Delta),
    /// A piece of a tool call's input.
    ToolInputDelta(Delta),
    /// The service said how much of the limits is used.
    RateLimits(Box<RateLimits>),
    /// An event whose type this library does not know.
    Unknown(OtherEvent),
    /// A payload that could not be decoded.
    Malformed(Malformed),
    /// A known event that has no variant of its own.
    ///
    /// On the Chat wire a chunk that says something for which no type here has a field (`annotations`, `audio`,
    /// `citations`, `logprobs`), behind the events of what it says besides; [`OtherEvent::event`] is then `members`
    /// with their names (`members annotations, citations`), the first 16 of them and of each the first 64 characters.
    /// Members of a chunk or a choice that come again unchanged are not told again, those of a delta are. Passed over
    /// are `null` and what is empty, and what says nothing of the answer: the wrapping of the chunk (`object`,
    /// `created`, `system_fingerprint`, `service_tier`), padding (`obfuscation`, `p`), what stands beside each piece
    /// of text (`text`, `token_id`, `channel`), and a `message` beside a delta.
    Other(OtherEvent),
    /// The attempt failed and another one follows.
    Retry(Retry),
    /// The session changes to another transport.
    Fallback(Fallback),
    /// The answer is whole: the last item of a good stream.
    Completed(Completed),
    /// The answer ends early for a stated reason: the last item of its stream.
    Incomplete(Incomplete),
}

impl TurnEvent {
    /// The name of this event's kind: the `type` of its JSON form, and what a gateway that passes events on gives as
    /// the `event:` field of a server-sent event.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Request(_) => "request",
            Self::Opened(_) => "opened",
            Self::Created(_) => "created",
            Self::ItemAdded(_) => "item_added",
            Self::ItemDone(_) => "item_done",
            Self::TextDelta(_) => "text_delta",
            Self::RefusalDelta(_) => "refusal_delta",
            Self::ReasoningDelta(_) => "reasoning_delta",
            Self::ReasoningSummaryDelta(_) => "reasoning_summary_delta",
            Self::ToolInputDelta(_) => "tool_input_delta",
            Self::RateLimits(_) => "rate_limits",
            Self::Unknown(_) => "unknown",
            Self::Malformed(_) => "malformed",
            Self::Other(_) => "other",
            Self::Retry(_) => "retry",
            Self::Fallback(_) => "fallback",
            Self::Completed(_) => "completed",
            Self::Incomplete(_) => "incomplete",
        }
    }

    /// Whether nothing follows this event.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Completed(_) | Self::Incomplete(_))
    }

    /// Whether this event belongs to what an attempt brings, so that a failed attempt makes it void: everything that
    /// comes behind `Created`, but for the limits, which hold whatever becomes of the attempt. See
    /// [`is_content`](Self::is_content) for what of it is the answer itself.
    pub fn is_output(&self) -> bool {
        !matches!(
            self,
            Self::Request(_)
                | Self::Opened(_)
                | Self::Created(_)
                | Self::RateLimits(_)
                | Self::Retry(_)
                | Self::Fallback(_)
        )
    }

    /// Whether this event is a part of the answer that a caller may have shown or acted on: an item, or a piece of
    /// one. Of what there is besides ([`Other`](Self::Other), [`Unknown`](Self::Unknown)) much says only that the
    /// service is at work, and the rest comes behind the item that it belongs to.
    pub fn is_content(&self) -> bool {
        matches!(
            self,
            Self::ItemAdded(_)
                | Self::ItemDone(_)
                | Self::TextDelta(_)
                | Self::RefusalDelta(_)
                | Self::ReasoningDelta(_)
                | Self::ReasoningSummaryDelta(_)
                | Self::ToolInputDelta(_)
        )
    }
}

/// See [`TurnEvent::Request`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RequestStarted {
    /// 1-based within the request.
    pub attempt: u32,
    /// What carries the attempt.
    pub transport: TransportKind,
    /// Where it goes, without user information and query values.
    pub url: String,
    /// Whether a turn state is sent with it.
    pub turn_state: bool,
    /// Which one that is.
    #[serde(skip)]
    pub turn_state_mark: Option<TurnStateMark>,
}

/// See [`TurnEvent::Opened`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Opened {
    /// The HTTP status.
    pub status: u16,
    /// The service's id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Whether a turn state was captured from this head.
    pub turn_state: bool,
    /// All headers of the answer (over a WebSocket, of its handshake): `openai-model`, `x-ratelimit-*`,
    /// `openai-processing-ms` and whatever else a service tells there. Without the turn state, which only the turn
    /// hands out. Not in the JSON form.
    #[serde(skip)]
    pub headers: ResponseHeaders,
    /// The value that the head brought, captured or not.
    #[serde(skip)]
    pub turn_state_mark: Option<TurnStateMark>,
}

/// See [`TurnEvent::Created`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Created {
    /// The response's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_id: Option<String>,
    /// The model that answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Responses: the response as it came, as in [`Completed::raw`]. Not in the JSON form.
    #[serde(skip)]
    pub raw: Option<RawJson>,
}

/// See [`TurnEvent::ItemAdded`] and [`TurnEvent::ItemDone`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ItemEvent {
    /// The item's place in the answer, counted from 0: the key that ties its events together.
    pub output_index: u32,
    /// The item.
    pub item: Item,
    /// Chat: the choice that the item belongs to.
    #[serde(skip_serializing_if = "is_zero")]
    pub choice_index: u32,
    /// Chat: the `index` that the service gave a tool call, where it did.
    #[serde(skip)]
    pub call_index: Option<u32>,
    /// The event's number on the wire.
    #[serde(skip)]
    pub sequence_number: Option<u64>,
}

/// A piece of text; never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Delta {
    /// The item that the piece belongs to.
    pub output_index: u32,
    /// The item's id, where the service gives one. Some services change it from event to event: the key is
    /// `output_index`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_id: Option<Arc<str>>,
    /// The content part within the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_index: Option<u32>,
    /// The part of a reasoning summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary_index: Option<u32>,
    /// Chat: the choice that the piece belongs to.
    #[serde(skip_serializing_if = "is_zero")]
    pub choice_index: u32,
    /// The event's number on the wire.
    #[serde(skip)]
    pub sequence_number: Option<u64>,
    /// The text.
    #[serde(rename = "delta")]
    pub text: String,
}

/// An event that is passed on as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OtherEvent {
    /// The event's type; of a Chat chunk what is told of it.
    pub event: String,
    /// The JSON; a turn-state value in it is replaced.
    pub raw: RawJson,
}

/// A payload that could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Malformed {
    /// The event's type, as far as it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// What was wrong and where.
    pub error: String,
    /// The payload as text.
    pub raw: String,
}

/// See [`TurnEvent::Retry`]. `Display` tells it to people, with the message as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Retry {
    /// The number of the next attempt.
    pub attempt: u32,
    /// How many attempts there are in all.
    pub max_attempts: u32,
    /// How long to wait before it.
    #[serde(rename = "delay_ms", serialize_with = "as_millis")]
    pub delay: Duration,
    /// The kind of the failure behind it.
    pub reason: FailureKind,
    /// The service's error code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The failure's message.
    pub message: String,
    /// The service's id of the request that failed. Not in the JSON form, as `Opened` has it there.
    #[serde(skip)]
    pub request_id: Option<String>,
    /// Whether output had been delivered since the attempt began; all of it is void.
    pub discarded: bool,
}

/// See [`TurnEvent::Fallback`]. `Display` tells it to people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Fallback {
    /// The transport that is given up.
    pub from: TransportKind,
    /// The transport that takes over.
    pub to: TransportKind,
    /// Why.
    pub reason: String,
}

/// See [`TurnEvent::Completed`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Completed {
    /// The response's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_id: Option<String>,
    /// The model that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Token counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Chat: why the choice with the lowest index ended, as the service says it; where any choice was cut, that reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// Responses: the response as it came, with whatever has no field here (`end_turn`, the `service_tier` that
    /// served, `metadata`, `headers`). Without `output`, `instructions` and `tools`, which repeat the answer and the
    /// request, and with a turn-state value replaced. Not in the JSON form.
    #[serde(skip)]
    pub raw: Option<RawJson>,
}

/// See [`TurnEvent::Incomplete`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Incomplete {
    /// Why: `max_output_tokens`, `content_filter`, in Chat `length` or `content_filter`; `unknown` where the service
    /// gives no reason.
    pub reason: String,
    /// What is known of the response.
    #[serde(flatten)]
    pub response: Completed,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn as_millis<S: serde::Serializer>(delay: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(delay.as_millis() as u64)
}
