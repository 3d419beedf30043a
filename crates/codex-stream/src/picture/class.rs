//! What events are to the eye.

use response_events::TurnEvent;

/// A class of events: a lane of the figure, with a colour of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EventClass {
    /// The service accepted the request.
    Created,
    /// Pieces of reasoning or of its summary.
    Reasoning,
    /// Pieces of the answer's text, refusals too.
    Text,
    /// Pieces of a tool call's input.
    ToolInput,
    /// Items that begin or are whole.
    Item,
    /// How much of the limits is used.
    RateLimits,
    /// Known events without a meaning of their own.
    Other,
    /// Events of an unknown type.
    Unknown,
    /// Payloads that could not be decoded.
    Malformed,
    /// How the attempt ended.
    End,
}

impl EventClass {
    /// Every class, in the order of the lanes.
    pub const ALL: [Self; 10] = [
        Self::Created,
        Self::Reasoning,
        Self::Text,
        Self::ToolInput,
        Self::Item,
        Self::RateLimits,
        Self::Other,
        Self::Unknown,
        Self::Malformed,
        Self::End,
    ];

    /// The class of an event; `None` for those that are about the attempt and not part of its stream.
    pub fn of(event: &TurnEvent) -> Option<Self> {
        Some(match event {
            TurnEvent::Created(_) => Self::Created,
            TurnEvent::ReasoningDelta(_) | TurnEvent::ReasoningSummaryDelta(_) => Self::Reasoning,
            TurnEvent::TextDelta(_) | TurnEvent::RefusalDelta(_) => Self::Text,
            TurnEvent::ToolInputDelta(_) => Self::ToolInput,
            TurnEvent::ItemAdded(_) | TurnEvent::ItemDone(_) => Self::Item,
            TurnEvent::RateLimits(_) => Self::RateLimits,
            TurnEvent::Unknown(_) => Self::Unknown,
            TurnEvent::Malformed(_) => Self::Malformed,
            TurnEvent::Completed(_) | TurnEvent::Incomplete(_) => Self::End,
            TurnEvent::Request(_) | TurnEvent::Opened(_) | TurnEvent::Retry(_) | TurnEvent::Fallback(_) => return None,
            _ => Self::Other,
        })
    }

    /// Whether its events are pieces of something longer, whose size counts.
    pub fn is_delta(self) -> bool {
        matches!(self, Self::Reasoning | Self::Text | Self::ToolInput)
    }

    /// Its name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Reasoning => "reasoning",
            Self::Text => "text",
            Self::ToolInput => "tool input",
            Self::Item => "items",
            Self::RateLimits => "rate limits",
            Self::Other => "other",
            Self::Unknown => "unknown",
            Self::Malformed => "malformed",
            Self::End => "end",
        }
    }

    /// Its name in the page's style sheet.
    pub(super) fn css(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Reasoning => "reasoning",
            Self::Text => "text",
            Self::ToolInput => "tool",
            Self::Item => "item",
            Self::RateLimits => "limits",
            Self::Other => "other",
            Self::Unknown => "unknown",
            Self::Malformed => "malformed",
            Self::End => "end",
        }
    }
}
