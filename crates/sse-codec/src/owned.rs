use alloc::{borrow::Cow, sync::Arc};
use core::{ops::Range, str::Utf8Error};

use bytes::Bytes;

use crate::{
    decoder::{Decoder, Origin},
    error::DecodeError,
    event::Event,
    name::Name,
    scanner::{Found, Interest},
};

/// From this length on a joined event takes the decoder's buffer along instead of a copy.
const HAND_OVER_FROM: usize = 4 << 10;

/// One dispatched event that owns its parts. Cheap to clone and to send.
///
/// Data that lay whole in a chunk is a slice of that chunk and keeps all of it in memory; see
/// [`into_detached`](Self::into_detached).
#[derive(Debug, Clone, PartialEq, Eq)]
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
    pub fn decode_bytes(&mut self, input: &mut Bytes) -> Result<Option<OwnedEvent>, DecodeError> {
        let (consumed, origin, found) = self.find(input, Interest::Events)?;
        let event = self.own(origin, found, input, |span| input.slice(span));
        if consumed == input.len() {
            // An empty slice would keep the chunk in memory.
            *input = Bytes::new();
        } else {
            bytes::Buf::advance(input, consumed);
        }
        Ok(event)
    }

    /// Makes what was found independent of the input, of which `slice` shares a part.
    pub(crate) fn own(
        &mut self,
        origin: Origin,
        found: Found,
        input: &[u8],
        slice: impl FnOnce(Range<usize>) -> Bytes,
    ) -> Option<OwnedEvent> {
        let Found::Event { data, name } = found else {
            return None;
        };
        let name = match (origin, name) {
            (_, None) => Name::new(self.scanner.name()),
            (Origin::Input, Some(span)) => Name::new(&input[span.range()]),
            (Origin::Unread(from), Some(span)) => Name::new(&self.unread[from..][span.range()]),
        };
        let data = match (origin, data) {
            (_, None) => self.own_buffer(),
            (Origin::Input, Some(span)) => slice(span.range()),
            (Origin::Unread(from), Some(span)) => Bytes::copy_from_slice(&self.unread[from..][span.range()]),
        };
        Some(OwnedEvent { data, name, last_event_id: self.share_id() })
    }

    fn own_buffer(&mut self) -> Bytes {
        if self.scanner.data().len() < HAND_OVER_FROM {
            return Bytes::copy_from_slice(self.scanner.data());
        }
        Bytes::from(self.scanner.take_data())
    }

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
