use alloc::borrow::Cow;
use core::{fmt, str::Utf8Error, time::Duration};

use crate::text;

/// The type of an event without an `event` field (WHATWG HTML 9.2.6).
pub(crate) const DEFAULT_EVENT: &str = "message";

/// One dispatched event, borrowed from the decoder and the chunk.
///
/// Text is validated when it is asked for; [`data`](Self::data) is free.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    pub(crate) data: &'a [u8],
    pub(crate) name: &'a [u8],
    pub(crate) last_event_id: &'a str,
}

impl<'a> Event<'a> {
    /// The event type: the `event` field, or `message` without one. Invalid UTF-8 is replaced by U+FFFD.
    pub fn event(&self) -> Cow<'a, str> {
        self.event_field().unwrap_or(Cow::Borrowed(DEFAULT_EVENT))
    }

    /// The `event` field, if there was one and it was not empty. Invalid UTF-8 is replaced by U+FFFD.
    pub fn event_field(&self) -> Option<Cow<'a, str>> {
        (!self.name.is_empty()).then(|| text::lossy(self.name))
    }

    /// The `data` lines joined by line feeds, as they came. Not validated: a JSON parser checks for itself.
    pub const fn data(&self) -> &'a [u8] {
        self.data
    }

    /// The data as text. Invalid UTF-8 is replaced by U+FFFD, as the standard wants it.
    pub fn data_str(&self) -> Cow<'a, str> {
        text::lossy(self.data)
    }

    /// The data as text, or where it stops being UTF-8.
    pub fn try_str(&self) -> Result<&'a str, Utf8Error> {
        text::check(self.data)
    }

    /// The last event id at this event: its own `id` field or the newest one before it; empty if there is none.
    pub const fn last_event_id(&self) -> &'a str {
        self.last_event_id
    }
}

/// As text, for whoever prints events to see what comes. Invalid UTF-8 is replaced by U+FFFD.
impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("event", &self.event())
            .field("data", &self.data_str())
            .field("last_event_id", &self.last_event_id)
            .finish()
    }
}

/// An event, or one of the parts of a stream that dispatch nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Item<'a> {
    /// A dispatched event.
    Event(Event<'a>),
    /// The text of a comment line after its colon and one space, as it came.
    Comment(&'a [u8]),
    /// A new reconnection time; [`Decoder::retry`](crate::Decoder::retry) has it too. Saturates at `u64::MAX` ms.
    Retry(Duration),
}

/// As text, like the one of [`Event`].
impl fmt::Debug for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(event) => event.fmt(f),
            Self::Comment(text) => f.debug_tuple("Comment").field(&text::lossy(text)).finish(),
            Self::Retry(time) => f.debug_tuple("Retry").field(time).finish(),
        }
    }
}
