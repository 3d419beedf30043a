use alloc::{borrow::Cow, sync::Arc};
use core::{fmt, mem, str::Utf8Error};

use bytes::{Buf, Bytes};

use crate::{
    decoder::{Decoder, Origin},
    error::DecodeError,
    event::Event,
    name::Name,
    scanner::{Found, Interest, Span},
};

/// From this length on a joined event takes the decoder's buffer along instead of a copy.
const HAND_OVER_FROM: usize = 4 << 10;

/// One dispatched event that owns its parts. Cheap to clone and to send.
///
/// Data that lay whole in a chunk is a slice of that chunk and keeps all of it in memory; see
/// [`into_detached`](Self::into_detached).
#[derive(Clone, PartialEq, Eq)]
pub struct OwnedEvent {
    data: Bytes,
    name: Name,
    last_event_id: Option<Arc<str>>,
}

impl OwnedEvent {
    /// The event as a borrowed one.
    pub fn as_event(&self) -> Event<'_> {
        Event { data: &self.data, name: self.name.as_bytes(), last_event_id: self.last_event_id() }
    }

    /// See [`Event::event`].
    pub fn event(&self) -> Cow<'_, str> {
        self.as_event().event()
    }

    /// See [`Event::event_field`].
    pub fn event_field(&self) -> Option<Cow<'_, str>> {
        self.as_event().event_field()
    }

    /// See [`Event::data`].
    pub const fn data(&self) -> &Bytes {
        &self.data
    }

    /// The data, without a copy.
    pub fn into_data(self) -> Bytes {
        self.data
    }

    /// See [`Event::data_str`].
    pub fn data_str(&self) -> Cow<'_, str> {
        self.as_event().data_str()
    }

    /// See [`Event::try_str`].
    pub fn try_str(&self) -> Result<&str, Utf8Error> {
        self.as_event().try_str()
    }

    /// See [`Event::last_event_id`].
    pub fn last_event_id(&self) -> &str {
        self.last_event_id.as_deref().unwrap_or_default()
    }

    /// Copies the data, so that keeping a small event does not keep a large chunk.
    pub fn into_detached(mut self) -> Self {
        self.data = Bytes::copy_from_slice(&self.data);
        self
    }
}

/// As that of [`Event`].
impl fmt::Debug for OwnedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_event().fmt(f)
    }
}

impl From<Event<'_>> for OwnedEvent {
    fn from(event: Event<'_>) -> Self {
        Self {
            data: Bytes::copy_from_slice(event.data),
            name: Name::new(event.name),
            last_event_id: (!event.last_event_id.is_empty()).then(|| event.last_event_id.into()),
        }
    }
}

impl Decoder {
    /// Reads up to the next event and takes what was read off the front of `input`. `None` means that the input is
    /// used up.
    ///
    /// The data is a slice of `input` if it lies in it whole; otherwise it was joined in a buffer, which is handed
    /// over when it is large. Fails as [`decode`](Self::decode) does.
    #[inline(never)]
    pub fn decode_bytes(&mut self, input: &mut Bytes) -> Result<Option<OwnedEvent>, DecodeError> {
        self.next_owned(input)
    }

    /// [`decode_bytes`](Self::decode_bytes) for a loop of its own: inlined as a whole, since handing an event of this
    /// size over through memory costs half of what finding it does.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub(crate) fn next_owned(&mut self, input: &mut Bytes) -> Result<Option<OwnedEvent>, DecodeError> {
        let from = self.take_cut_data(input);
        if from > 0 && from == input.len() {
            *input = Bytes::new();
            return Ok(None);
        }
        let (consumed, origin, found) = self.find(input, from, Interest::Events)?;
        let Found::Event { data, name } = found else {
            // An empty slice would keep the chunk in memory.
            *input = Bytes::new();
            return Ok(None);
        };
        let name = self.own_name(origin, name, input);
        let data = match (origin, data) {
            (Origin::Input, Some(span)) if consumed < input.len() => input.slice(span.range()),
            // The last event takes the chunk along, which saves counting one more user of it.
            (Origin::Input, Some(span)) => part(mem::take(input), span),
            _ => self.own_copy(origin, data),
        };
        if consumed < input.len() {
            input.advance(consumed);
        } else {
            *input = Bytes::new();
        }
        Ok(Some(self.own(data, name)))
    }

    /// The event with these parts.
    #[inline]
    pub(crate) fn own(&mut self, data: Bytes, name: Name) -> OwnedEvent {
        OwnedEvent { data, name, last_event_id: self.share_id() }
    }

    /// Data that does not lie in the input.
    pub(crate) fn own_copy(&mut self, origin: Origin, data: Option<Span>) -> Bytes {
        match (origin, data) {
            (Origin::Unread(from), Some(span)) => Bytes::copy_from_slice(&self.unread[from..][span.range()]),
            _ => self.own_buffer(),
        }
    }

    #[inline]
    pub(crate) fn own_name(&self, origin: Origin, name: Option<Span>, input: &[u8]) -> Name {
        match (origin, name) {
            (Origin::Input, Some(span)) => Name::at(input, span.range()),
            (Origin::Unread(from), Some(span)) => Name::at(&self.unread[from..], span.range()),
            (_, None) if self.scanner.name().is_empty() => Name::EMPTY,
            (_, None) => Name::new(self.scanner.name()),
        }
    }

    fn own_buffer(&mut self) -> Bytes {
        if self.scanner.data().len() < HAND_OVER_FROM {
            return Bytes::copy_from_slice(self.scanner.data());
        }
        Bytes::from(self.scanner.take_data())
    }

    #[inline]
    fn share_id(&mut self) -> Option<Arc<str>> {
        let id = self.scanner.last_event_id();
        // Most streams have no ids. Asked first, because comparing empty slices is slow: their dangling pointers make
        // a vectorised comparison fault.
        if id.is_empty() {
            return None;
        }
        if self.shared_id.as_deref() != Some(id) {
            self.shared_id = Some(id.into());
        }
        self.shared_id.clone()
    }
}

/// What lies at `span` of a chunk that nobody needs otherwise.
#[inline]
pub(crate) fn part(mut chunk: Bytes, span: Span) -> Bytes {
    if span.len() == 0 {
        // An empty slice would keep the chunk in memory.
        return Bytes::new();
    }
    chunk.truncate(span.end);
    chunk.advance(span.start);
    chunk
}
