use alloc::{string::String, vec::Vec};
use core::time::Duration;

use crate::{
    buffer::KEEP,
    counters::Counters,
    end::End,
    error::DecodeError,
    event::{Event, Item},
    feed::Feed,
    limits::Limits,
    scanner::{Found, Interest, Scanner, Span},
};

/// Turns the bytes of a `text/event-stream` body into events (WHATWG HTML 9.2.5 and 9.2.6), without I/O.
///
/// Bytes may come in chunks of any size; the events are the same for every chunking. [`feed`](Self::feed) is the
/// comfortable way in, [`decode`](Self::decode) the primitive beneath it. An event is available as soon as the first
/// byte of its blank line is: a CR is never held back to see whether an LF follows.
///
/// A stream has no end mark. [`finish`](Self::finish) discards an unfinished event and tells that there was one.
#[derive(Debug, Clone)]
pub struct Decoder {
    pub(crate) scanner: Scanner,
    /// The rest of feeds that were dropped half read, from `unread_from` on.
    pub(crate) unread: Vec<u8>,
    pub(crate) unread_from: usize,
    failed: Option<DecodeError>,
    /// The last event id as owned events share it.
    #[cfg(feature = "bytes")]
    pub(crate) shared_id: Option<alloc::sync::Arc<str>>,
}

/// What one call of [`Decoder::decode`] did.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Decoded<'a> {
    /// Bytes of the input that are done with; give the rest to the next call. Can be 0 together with an event, when
    /// a rest kept from an earlier [`Feed`] is read first.
    pub consumed: usize,
    /// The next event. `None` means that the whole input is consumed.
    pub event: Option<Event<'a>>,
}

/// What one call of [`Decoder::decode_item`] did.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct DecodedItem<'a> {
    /// Bytes of the input that are done with, as in [`Decoded::consumed`].
    pub consumed: usize,
    /// The next item. `None` means that the whole input is consumed.
    pub item: Option<Item<'a>>,
}

/// Where a finding was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Input,
    /// In `unread`, which began at this offset.
    Unread(usize),
}

impl Decoder {
    /// A decoder at the beginning of a stream, with the default [`Limits`]. Allocates nothing.
    pub fn new() -> Self {
        Self::with_limits(Limits::new())
    }

    /// A decoder with limits of its own.
    pub fn with_limits(limits: Limits) -> Self {
        Self {
            scanner: Scanner::new(limits),
            unread: Vec::new(),
            unread_from: 0,
            failed: None,
            #[cfg(feature = "bytes")]
            shared_id: None,
        }
    }

    /// Sets the id that events have before the first `id` field, for a stream that is resumed.
    pub fn with_last_event_id(mut self, id: impl Into<String>) -> Self {
        self.scanner.set_last_event_id(id.into());
        self
    }

    /// Takes a chunk and lets its events be read one by one.
    pub fn feed<'a>(&'a mut self, chunk: &'a [u8]) -> Feed<'a> {
        Feed::new(self, chunk)
    }

    /// Reads up to the next event. Call again with `&input[consumed..]` until there is none.
    ///
    /// ```
    /// let input = b"data: a\n\ndata: b\n\ndata: c";
    /// let mut decoder = sse_codec::Decoder::new();
    /// let mut from = 0;
    /// let mut seen = Vec::new();
    /// loop {
    ///     let decoded = decoder.decode(&input[from..])?;
    ///     from += decoded.consumed;
    ///     let Some(event) = decoded.event else { break };
    ///     seen.push(event.data().to_vec());
    /// }
    /// assert_eq!(seen, [b"a", b"b"]);
    /// assert_eq!(from, input.len()); // the unfinished event is in the decoder now
    /// # Ok::<(), sse_codec::DecodeError>(())
    /// ```
    ///
    /// Fails when a limit is passed, and from then on with the same error until [`reset`](Self::reset).
    #[inline]
    pub fn decode<'a>(&'a mut self, input: &'a [u8]) -> Result<Decoded<'a>, DecodeError> {
        let from = self.take_cut_data(input);
        if from > 0 && from == input.len() {
            return Ok(Decoded { consumed: from, event: None });
        }
        self.decode_from(input, from)
    }

    #[inline(never)]
    fn decode_from<'a>(&'a mut self, input: &'a [u8], from: usize) -> Result<Decoded<'a>, DecodeError> {
        let (consumed, origin, found) = self.find(input, from, Interest::Events)?;
        Ok(Decoded { consumed, event: self.lend_event(input, origin, found) })
    }

    /// Like [`decode`](Self::decode), but also stops at comments and reconnection times.
    ///
    /// A comment that began in a chunk read for events only is not reported. Fails as [`decode`](Self::decode) does,
    /// and when a comment passes [`Limits::max_field_bytes`].
    pub fn decode_item<'a>(&'a mut self, input: &'a [u8]) -> Result<DecodedItem<'a>, DecodeError> {
        let (consumed, origin, found) = self.find(input, 0, Interest::Items)?;
        let source = self.source(input, origin);
        let item = match found {
            Found::Nothing => None,
            Found::Event { .. } => self.lend_event(input, origin, found).map(Item::Event),
            Found::Comment(text) => {
                Some(Item::Comment(text.map_or(self.scanner.comment(), |text| &source[text.range()])))
            }
            Found::Retry(retry) => Some(Item::Retry(retry)),
        };
        Ok(DecodedItem { consumed, item })
    }

    /// What the spans of a finding are parts of.
    #[inline]
    pub(crate) fn source<'a>(&'a self, input: &'a [u8], origin: Origin) -> &'a [u8] {
        match origin {
            Origin::Input => input,
            Origin::Unread(from) => &self.unread[from..],
        }
    }

    /// Borrows the event that was found.
    #[inline]
    pub(crate) fn lend_event<'a>(&'a self, input: &'a [u8], origin: Origin, found: Found) -> Option<Event<'a>> {
        let Found::Event { data, name } = found else {
            return None;
        };
        let source = self.source(input, origin);
        let place = |span: Option<Span>, buffer| span.map_or(buffer, |span| &source[span.range()]);
        Some(Event {
            data: place(data, self.scanner.data()),
            name: place(name, self.scanner.name()),
            last_event_id: self.scanner.last_event_id(),
        })
    }

    /// Reads what `input` has of a cut `data` line. Answers how many bytes are done with; the rest, and all if there
    /// are none, is for [`find`](Self::find).
    #[inline]
    pub(crate) fn take_cut_data(&mut self, input: &[u8]) -> usize {
        // A decoder that has failed is not inside of a line.
        if self.unread.is_empty() { self.scanner.take_cut_data(input) } else { 0 }
    }

    /// Scans the unread rest, then the input from `from` on. Answers how much of the input is done with.
    #[allow(clippy::inline_always)]
    #[inline(always)] // as `Scanner::scan`
    pub(crate) fn find(
        &mut self,
        input: &[u8],
        from: usize,
        interest: Interest,
    ) -> Result<(usize, Origin, Found), DecodeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if !self.unread.is_empty() {
            if let Some((from, found)) = self.find_unread(interest)? {
                return Ok((0, Origin::Unread(from), found));
            }
        }
        match self.scanner.scan(input, from, interest) {
            Ok(scan) => Ok((scan.consumed, Origin::Input, scan.found)),
            Err(error) => Err(self.fail(error)),
        }
    }

    #[cold]
    fn find_unread(&mut self, interest: Interest) -> Result<Option<(usize, Found)>, DecodeError> {
        let from = self.unread_from;
        match self.scanner.scan(&self.unread[from..], 0, interest) {
            Ok(scan) if scan.found == Found::Nothing => {
                self.forget_unread();
                Ok(None)
            }
            Ok(scan) => {
                self.unread_from += scan.consumed;
                Ok(Some((from, scan.found)))
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    #[cold]
    fn fail(&mut self, error: DecodeError) -> DecodeError {
        self.scanner.restart();
        self.forget_unread();
        self.failed = Some(error);
        error
    }

    fn forget_unread(&mut self) {
        self.unread_from = 0;
        self.unread.clear();
        if self.unread.capacity() > KEEP {
            self.unread = Vec::new();
        }
    }

    /// Keeps what a dropped feed left. One chunk is always taken; more of them only within the limit of an event.
    #[cold]
    pub(crate) fn keep_unread(&mut self, rest: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        self.unread.drain(..self.unread_from);
        self.unread_from = 0;
        let limit = self.scanner.limits().event;
        if !self.unread.is_empty() && self.unread.len().saturating_add(rest.len()) > limit {
            self.fail(DecodeError::UnreadTooLarge { limit });
            return;
        }
        self.unread.reserve_exact(rest.len());
        self.unread.extend_from_slice(rest);
    }

    /// The data of the block that is being read, as its blank line would dispatch it if it came next. `None` where the
    /// block has no data, and inside a line of data, or in one of which that cannot be said yet.
    ///
    /// More lines may follow, so this is no event. It is for streams whose data can say that they end: some servers
    /// never send the blank line behind such a sentinel, and keep the connection open.
    ///
    /// ```
    /// let mut decoder = sse_codec::Decoder::new();
    /// assert!(decoder.decode(b"data: [DONE]\n")?.event.is_none());
    /// assert_eq!(decoder.pending_data(), Some(&b"[DONE]"[..]));
    /// # Ok::<(), sse_codec::DecodeError>(())
    /// ```
    pub fn pending_data(&self) -> Option<&[u8]> {
        // The rest of a dropped feed goes on with the block, or ends it.
        if self.unread.is_empty() { self.scanner.pending_data() } else { None }
    }

    /// The data of the block that is being read, up to the byte that came last, which is inside a line of data, or of
    /// what may become one. `None` everywhere else: behind such a line there is [`pending_data`](Self::pending_data).
    ///
    /// Any byte may follow. It is for sentinels that can be told by how they begin.
    ///
    /// ```
    /// let mut decoder = sse_codec::Decoder::new();
    /// assert!(decoder.decode(b"data: [DONE]")?.event.is_none());
    /// assert_eq!(decoder.partial_data(), Some(&b"[DONE]"[..]));
    /// # Ok::<(), sse_codec::DecodeError>(())
    /// ```
    pub fn partial_data(&self) -> Option<&[u8]> {
        if self.unread.is_empty() { self.scanner.partial_data() } else { None }
    }

    /// Dispatches a block that the end of the stream cut off before its blank line. Call until there is none.
    ///
    /// The standard discards it, and so does [`finish`](Self::finish). Use this for servers known to close right
    /// after their last line. Whether the event is whole cannot be told. Fails as [`decode`](Self::decode) does, since
    /// what was left to be read may pass a limit.
    pub fn flush(&mut self) -> Result<Option<Event<'_>>, DecodeError> {
        let (_, mut origin, mut found) = self.find(&[], 0, Interest::Events)?;
        if found == Found::Nothing {
            origin = Origin::Input;
            found = self.scanner.flush().map_err(|error| self.fail(error))?;
        }
        Ok(self.lend_event(&[], origin, found))
    }

    /// Ends the stream: discards an unfinished event, tells whether there was one, and stands as after
    /// [`reset`](Self::reset).
    ///
    /// Events of dropped feeds that were never read are discarded too; `feed(&[])` reads them.
    pub fn finish(&mut self) -> End {
        let unread = self.unread.len() - self.unread_from;
        let end = match self.scanner.end() {
            _ if self.failed.is_some() => End::Truncated { had_data: true, buffered: 0 },
            End::Clean if unread == 0 => End::Clean,
            End::Clean => End::Truncated { had_data: true, buffered: unread },
            End::Truncated { had_data, buffered } => {
                End::Truncated { had_data: had_data || unread > 0, buffered: buffered + unread }
            }
        };
        self.reset();
        end
    }

    /// Makes ready for the body of a new connection. Keeps the last event id, the reconnection time and the counters;
    /// forgets an unfinished event, an error, and the unread rest of dropped feeds.
    pub fn reset(&mut self) {
        self.failed = None;
        self.forget_unread();
        self.scanner.restart();
    }

    /// What has gone through so far.
    pub fn counters(&self) -> Counters {
        let mut counters = self.scanner.counters();
        counters.buffered += self.unread.len() - self.unread_from;
        counters
    }

    /// The id to send as `Last-Event-ID` when reconnecting; empty if there is none. Changes at blank lines only.
    pub fn last_event_id(&self) -> &str {
        self.scanner.last_event_id()
    }

    /// The newest reconnection time that the server asked for. Untrusted and unbounded; saturates at `u64::MAX` ms.
    pub fn retry(&self) -> Option<Duration> {
        self.scanner.retry()
    }

    /// The limits given at creation.
    pub fn limits(&self) -> &Limits {
        self.scanner.limits()
    }

    /// Bytes of memory reserved by the buffers now.
    pub fn capacity(&self) -> usize {
        self.scanner.capacity() + self.unread.capacity()
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}
