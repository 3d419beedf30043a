//! What the events of a Responses stream mean, one after the other.

use std::{mem, ops::ControlFlow, sync::Arc};

use serde_json::Value;

use super::{
    kind::{DeltaKind, Kind, Terminal, interned},
    known::{KnownItem, KnownItems},
    late::{FinishedItem, FinishedResponse, LateFilter},
    listed::Listed,
    matching::find_all,
    payload::Payload,
};
use crate::{
    ApiError, Completed, Created, Delta, Incomplete, Item, ItemEvent, OtherEvent, Outcome, RateLimits, RawJson,
    TransportKind, TurnEvent, Usage,
    bare_error::{Place, bare_error},
    collected::{MAX_ITEMS, json_len},
    error_layers::is_error_value,
    half_characters::mended,
    interpreter::Output,
    json::{Text, salvage_type},
    secret::Secret,
    values::{Unread, for_each_value},
};

/// The state of one Responses stream.
#[derive(Debug, Default)]
pub(crate) struct ResponsesStream {
    /// The item of the latest event, for events that do not say theirs.
    current_index: u32,
    /// One above the highest index seen.
    next_index: u32,
    items: KnownItems,
    item_id: Option<Arc<str>>,
    transport: TransportKind,
    late: LateFilter,
}

impl ResponsesStream {
    pub(crate) fn new(transport: TransportKind) -> Self {
        Self { transport, ..Self::default() }
    }

    /// Events of a response that was finished on the same connection may still arrive; they are nobody's.
    pub(crate) fn expect_late(&mut self, finished: FinishedResponse) {
        self.late.expect(finished);
    }

    /// What this response is known by, for the one that follows it on the connection.
    pub(crate) fn finished(&self, out: &Output) -> FinishedResponse {
        FinishedResponse {
            id: out.ledger.response_id.clone(),
            last_sequence: out.ledger.last_sequence(),
            items: (self.items.iter())
                .filter_map(|item| Some(FinishedItem { id: item.id.clone()?, is_done: item.is_done }))
                .collect(),
        }
    }

    pub(crate) fn handle(&mut self, name: Option<&str>, data: &[u8], out: &mut Output) {
        for_each_value(data, out, Payload::read, |data, value, out| {
            match value {
                Ok(payload) => self.handle_payload(name, payload, data, out),
                Err(Unread::Undecodable(error)) => self.handle_undecodable(name, &error, data, out),
                Err(Unread::TooMany) => out.malformed(None, Unread::TOO_MANY, data),
            }
            // What follows the end is counted, each by its type.
            ControlFlow::Continue(())
        });
    }

    /// Whether data is one whole object that ends a stream.
    pub(crate) fn is_terminal(name: Option<&str>, data: &[u8]) -> bool {
        let Some(payload) = Payload::read(data).ok().filter(|_| data.starts_with(b"{")) else { return false };
        match payload.event_type.as_deref() {
            Some(event_type) => matches!(kind_of(event_type, name, &payload), Kind::Terminal(_)),
            None => is_untyped_error(name, &payload),
        }
    }

    /// `[DONE]` belongs to the other wire; here it says only that nothing more will come.
    pub(crate) fn handle_sentinel(out: &mut Output) {
        let message = "the stream ended with a [DONE] sentinel before a terminal event".to_owned();
        out.settle(Outcome::Truncated { message });
    }

    pub(crate) fn handle_end(out: &mut Output) {
        let message = "the stream ended before a terminal event".to_owned();
        out.settle(Outcome::Truncated { message });
    }

    fn handle_payload(&mut self, name: Option<&str>, payload: Payload<'_>, data: &[u8], out: &mut Output) {
        if self.late.is_late(&payload) {
            out.ledger.late += 1;
            return out.account();
        }
        let Some(event_type) = payload.event_type.as_deref() else {
            if !is_untyped_error(name, &payload) {
                out.malformed(None, "the event has no `type`", data);
            } else if out.is_settled() {
                out.account();
            } else {
                self.settle_terminal(Terminal::Error, payload, data, out);
            }
            return;
        };
        let kind = kind_of(event_type, name, &payload);
        out.ledger.event_types.add(event_type, interned(event_type));
        out.ledger.note_sequence(payload.sequence_number.0);
        if let Kind::Terminal(Terminal::Completed | Terminal::Incomplete | Terminal::Failed) = kind {
            out.ledger.terminal_events += 1;
        }
        if out.is_settled() {
            if kind == Kind::ItemDone {
                note_done_type(&payload, out);
            }
            return out.account();
        }
        match kind {
            Kind::Delta(kind) => self.handle_delta(kind, payload, data, out),
            Kind::Created => {
                note_response(&payload, out);
                let (response_id, model) = (out.ledger.response_id.clone(), out.ledger.model.clone());
                let created = Created { response_id, model, raw: payload.response().kept.to_raw() };
                out.emit(TurnEvent::Created(created));
            }
            Kind::Lifecycle => {
                note_response(&payload, out);
                out.emit(TurnEvent::Other(other(event_type, data)));
            }
            Kind::ItemAdded => self.handle_item(kind, payload, data, out),
            Kind::ItemDone => {
                note_done_type(&payload, out);
                self.handle_item(kind, payload, data, out);
            }
            Kind::RateLimits => {
                let limits = serde_json::from_slice(data).ok().and_then(|value: Value| RateLimits::from_event(&value));
                out.emit(
                    limits
                        .map(Box::new)
                        .map_or_else(|| TurnEvent::Other(other(event_type, data)), TurnEvent::RateLimits),
                );
            }
            Kind::Metadata => {
                if let Some(value) = turn_state(data) {
                    out.turn_state.get_or_insert(Secret::new(value));
                }
                out.emit(TurnEvent::Other(other(event_type, data)));
            }
            Kind::KeepAlive => {
                out.ledger.note_keep_alive();
                out.emit(TurnEvent::Other(other(event_type, data)));
            }
            Kind::Other => out.emit(TurnEvent::Other(other(event_type, data))),
            Kind::Unknown => {
                out.ledger.unknown += 1;
                out.emit(TurnEvent::Unknown(other(event_type, data)));
            }
            // The turn goes on in another response on the same socket.
            Kind::Terminal(Terminal::Incomplete)
                if self.transport == TransportKind::WebSocket && incomplete_reason(&payload) == Some("steered") =>
            {
                out.emit(TurnEvent::Other(other(event_type, data)));
            }
            Kind::Terminal(terminal) => {
                out.ledger.terminal_event = Some(event_type.to_owned());
                self.settle_terminal(terminal, payload, data, out);
            }
        }
    }

    fn handle_delta(&mut self, kind: DeltaKind, payload: Payload<'_>, data: &[u8], out: &mut Output) {
        let Some(text) = payload.delta.0 else {
            out.malformed(payload.event_type.as_deref(), "`delta` is missing or not a string", data);
            return;
        };
        if text.is_empty() {
            return out.silent();
        }
        let stated = payload.output_index.index().or_else(|| self.index_of_id(&payload.item_id));
        let delta = Delta {
            output_index: self.index_of(stated.or_else(|| self.index_behind_done())),
            item_id: self.item_id(&payload.item_id),
            content_index: payload.content_index.index(),
            summary_index: payload.summary_index.index(),
            choice_index: 0,
            sequence_number: payload.sequence_number.0,
            text: text.into_owned(),
        };
        out.emit(match kind {
            DeltaKind::Text => TurnEvent::TextDelta(delta),
            DeltaKind::Refusal => TurnEvent::RefusalDelta(delta),
            DeltaKind::Reasoning => TurnEvent::ReasoningDelta(delta),
            DeltaKind::ReasoningSummary => TurnEvent::ReasoningSummaryDelta(delta),
            DeltaKind::ToolInput => TurnEvent::ToolInputDelta(delta),
        });
    }

    fn handle_item(&mut self, kind: Kind, payload: Payload<'_>, data: &[u8], out: &mut Output) {
        let Some(item) = payload.item.and_then(|item| Item::from_json(item).ok()) else {
            let reason = "`item` is missing or no object with a `type`";
            out.malformed(payload.event_type.as_deref(), reason, data);
            return;
        };
        let stated = payload.output_index.index();
        let is_done = kind == Kind::ItemDone;
        let place = if is_done { self.place_of_done(stated, &item) } else { self.place_of_added(stated, &item) };
        let Some(output_index) = place else {
            // The item was told of before.
            let event_type = payload.event_type.as_deref().unwrap_or_default();
            return out.emit(TurnEvent::Other(other(event_type, data)));
        };
        self.index_of(Some(output_index));
        let noted = if is_done { KnownItem::done } else { KnownItem::open };
        self.items.note(noted(output_index, &item), out);
        if is_done {
            out.collected.add_bytes(data.len());
        }
        let sequence_number = payload.sequence_number.0;
        let event = ItemEvent { output_index, item, choice_index: 0, call_index: None, sequence_number };
        out.emit(if is_done { TurnEvent::ItemDone(event) } else { TurnEvent::ItemAdded(event) });
    }

    fn settle_terminal(&mut self, terminal: Terminal, mut payload: Payload<'_>, data: &[u8], out: &mut Output) {
        let response = payload.response.as_mut();
        let (usage, output) =
            response.map(|response| (response.usage.take(), mem::take(&mut response.output))).unwrap_or_default();
        let payload = &payload;
        note_response(payload, out);
        if let Some(status) = payload.response().status.as_deref() {
            out.ledger.status = Some(status.to_owned());
        }
        if let Some(usage) = usage.and_then(Usage::from_json) {
            out.ledger.usage = Some(usage);
        }
        if matches!(terminal.stated_by(payload), Terminal::Completed | Terminal::Incomplete) {
            self.emit_undone_items(output, out);
        }
        settle(terminal, Some(payload), data, out);
    }

    /// Items that only the terminal event tells of. Its list is often empty, and mostly repeats what was done.
    fn emit_undone_items(&mut self, list: Listed, out: &mut Output) {
        if list.is_cut {
            return out.collected.add_items(MAX_ITEMS + 1);
        }
        let items = (0..).zip(list.items).filter_map(|(place, item)| Some((place, Item::from_json(item).ok()?)));
        let listed: Vec<(u32, Item)> = items.collect();
        let known = find_all(&self.items, &listed).into_iter();
        let known: Vec<_> = known.map(|known| known.map(|known| (known.output_index, known.is_done))).collect();
        for ((place, item), known) in listed.into_iter().zip(known) {
            let output_index = match known {
                Some((_, true)) => continue,
                Some((output_index, false)) => output_index,
                // Its place, unless that is another's.
                None if self.items.at(place).is_none() => place,
                None => self.next_index,
            };
            self.index_of(Some(output_index));
            self.items.note(KnownItem::done(output_index, &item), out);
            out.collected.add_bytes(json_len(&item));
            out.emit(TurnEvent::ItemDone(ItemEvent::new(output_index, item)));
        }
    }

    /// A payload that is no JSON object as a whole.
    #[cold]
    fn handle_undecodable(&mut self, name: Option<&str>, error: &str, data: &[u8], out: &mut Output) {
        let event_type = salvage_type(data);
        let is_plain_error = name == Some("error") && !data.starts_with(b"{");
        if !is_plain_error {
            out.malformed(event_type.as_deref(), error, data);
        }
        if out.is_settled() {
            return out.account();
        }
        // A terminal type ends the stream, whatever became of the rest of it.
        let terminal = match event_type.as_deref().map(Kind::of) {
            Some(Kind::Terminal(terminal)) => terminal,
            _ if name == Some("error") => Terminal::Error,
            _ => return,
        };
        out.ledger.terminal_event = event_type;
        // Half a character somewhere in it must not hide how the answer ended, and why.
        let text = mended(data);
        match serde_json::from_str(&text) {
            Ok(payload) => self.settle_terminal(terminal, payload, text.as_bytes(), out),
            // What is no JSON at all is plain text.
            Err(_) => settle(terminal, None, data, out),
        }
    }

    fn index_of(&mut self, stated: Option<u32>) -> u32 {
        let index = stated.unwrap_or(self.current_index);
        self.current_index = index;
        self.next_index = self.next_index.max(index.saturating_add(1));
        index
    }

    /// Where a piece belongs that does not say it: behind the latest item, if nothing follows in that any more.
    fn index_behind_done(&self) -> Option<u32> {
        self.items.at(self.current_index).filter(|latest| latest.is_done).map(|_| self.next_index)
    }

    /// The id, shared with the event before where it is the same.
    fn item_id(&mut self, id: &Text<'_>) -> Option<Arc<str>> {
        let id = id.non_empty()?;
        match &self.item_id {
            Some(last) if **last == *id => {}
            _ => self.item_id = Some(id.into()),
        }
        self.item_id.clone()
    }

    fn index_of_id(&self, id: &Text<'_>) -> Option<u32> {
        let id = id.non_empty()?;
        self.items.iter().rev().find(|known| known.id.as_deref() == Some(id)).map(|known| known.output_index)
    }

    /// Where an item belongs that opens; `None` where it has opened before. Without an index its ids decide.
    fn place_of_added(&self, stated: Option<u32>, item: &Item) -> Option<u32> {
        let known = match stated {
            Some(index) => self.items.at(index).filter(|known| known.is(item)),
            None => self.known_by_name(item),
        };
        if known.is_some() { None } else { Some(stated.unwrap_or(self.next_index)) }
    }

    fn known_by_name(&self, item: &Item) -> Option<&KnownItem> {
        self.items.iter().rev().find(|known| known.is(item))
    }

    /// Where a finished item belongs; `None` where it was handed out before. Without an index its ids decide, then
    /// the latest item that is still open. Another item on an index that is taken gets one of its own.
    fn place_of_done(&self, stated: Option<u32>, item: &Item) -> Option<u32> {
        let by_name = if stated.is_none() { self.known_by_name(item) } else { None };
        if let Some(known) = by_name {
            return (!known.is_done).then_some(known.output_index);
        }
        let index = stated.unwrap_or(self.current_index);
        let taken = self.items.at(index).filter(|known| known.is_done);
        match taken {
            None => Some(index),
            Some(taken) if stated.is_some() && (taken.is(item) || taken.id.is_none() && item.id().is_none()) => None,
            Some(_) => {
                let open = self.items.iter().find(|known| !known.is_done && stated.is_none());
                Some(open.map_or(self.next_index, |open| open.output_index))
            }
        }
    }
}

impl Terminal {
    /// The same end, as the response tells it: a completion may be one only by the type of its event.
    fn stated_by(self, payload: &Payload<'_>) -> Self {
        if self == Self::Completed { Self::of_status(payload.response().status.as_deref()) } else { self }
    }
}

/// The kind of an event by its type. A type that is not known may be that of an error, and not of an event: where the
/// event is called an error, or has one. A new event (`response.new_tool.failed`) may have one, too, and is none.
pub(super) fn kind_of(event_type: &str, name: Option<&str>, payload: &Payload<'_>) -> Kind {
    match Kind::of(event_type) {
        Kind::Unknown if name == Some("error") || !event_type.contains('.') && is_untyped_error(name, payload) => {
            Kind::Terminal(Terminal::Error)
        }
        kind => kind,
    }
}

/// Whether an event without a type is an error.
fn is_untyped_error(name: Option<&str>, payload: &Payload<'_>) -> bool {
    payload.error.as_ref().is_some_and(is_error_value) || name == Some("error")
}

fn other(event_type: &str, data: &[u8]) -> OtherEvent {
    OtherEvent { event: event_type.to_owned(), raw: RawJson::from_payload(data) }
}

fn note_response(payload: &Payload<'_>, out: &mut Output) {
    if let Some(id) = payload.response().id.non_empty() {
        out.ledger.response_id = Some(id.to_owned());
    }
    if let Some(model) = payload.response().model.non_empty() {
        out.ledger.model = Some(model.to_owned());
    }
}

fn note_done_type(payload: &Payload<'_>, out: &mut Output) {
    if let Some(item_type) = payload.item.as_ref().and_then(|item| item.get("type")?.as_str()) {
        out.ledger.note_done_type(payload.output_index.index(), item_type);
    }
}

fn incomplete_reason<'p>(payload: &'p Payload<'_>) -> Option<&'p str> {
    payload.response().incomplete_details.as_ref()?.get("reason")?.as_str()
}

/// Settles the outcome by a terminal event; without a payload only its type could be read.
fn settle(terminal: Terminal, payload: Option<&Payload<'_>>, data: &[u8], out: &mut Output) {
    let failed = if terminal == Terminal::Completed { Outcome::CompletedWithError } else { Outcome::Failed };
    let outcome = match payload.map_or(terminal, |payload| terminal.stated_by(payload)) {
        Terminal::Completed => Outcome::Completed(completed(out, payload)),
        Terminal::Incomplete => {
            let reason = payload.and_then(incomplete_reason).unwrap_or("unknown").to_owned();
            Outcome::Incomplete(Incomplete { reason, response: completed(out, payload) })
        }
        Terminal::Failed | Terminal::Error => {
            let error = payload.map_or_else(|| ApiError::undecodable(data), |payload| api_error(payload, data));
            for limits in RateLimits::from_error(&error) {
                out.emit(TurnEvent::RateLimits(Box::new(limits)));
            }
            failed(error)
        }
        Terminal::Cancelled => {
            failed(ApiError { code: Some("cancelled".into()), ..ApiError::new("the response was cancelled") })
        }
    };
    out.settle(outcome);
}

fn completed(out: &Output, payload: Option<&Payload<'_>>) -> Completed {
    Completed {
        response_id: out.ledger.response_id.clone(),
        model: out.ledger.model.clone(),
        usage: out.ledger.usage.clone(),
        finish_reason: None,
        raw: payload.and_then(|payload| payload.response().kept.to_raw()),
    }
}

/// The error of a `response.failed` or `error` event: in the response, nested, or flat beside the type.
fn api_error(payload: &Payload<'_>, data: &[u8]) -> ApiError {
    let envelope: Value = serde_json::from_slice(data).unwrap_or_default();
    let nested = [&payload.response().error, &payload.error].into_iter().flatten().find(|error| is_error_value(error));
    // What stands beside the type may be unreadable, although the type is not.
    let bare = || if envelope.is_null() { bare_error(data, Place::Flat) } else { None };
    let read = || ApiError::from_value(nested.unwrap_or(&envelope), &envelope);
    let mut error = if nested.is_none() { bare().unwrap_or_else(read) } else { read() };
    if nested.is_none() {
        error.error_type.take_if(|error_type| Some(&**error_type) == payload.event_type.as_deref());
    }
    // The `type` beside it is that of the event, unless it is none that an event has.
    let beside = payload.event_type.as_deref().filter(|event_type| Kind::of(event_type) == Kind::Unknown);
    error.error_type = error.error_type.or_else(|| beside.map(str::to_owned));
    if error.message.is_empty() {
        error.message = match payload.response().id.non_empty() {
            Some(id) => format!("the service gave no reason for the failure of response {id}"),
            None => "the service gave no reason for the failure".to_owned(),
        };
    }
    error
}

/// The turn state in the headers of a metadata event; a list counts by its first element.
fn turn_state(data: &[u8]) -> Option<String> {
    let event: Value = serde_json::from_slice(data).ok()?;
    let mut headers = [Some(&event), event.get("response")].into_iter().flatten().filter_map(|at| at.get("headers"));
    let headers = headers.find_map(Value::as_object)?;
    let (_, value) = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-codex-turn-state"))?;
    let value = value.as_array().map_or(Some(value), |list| list.first())?;
    value.as_str().map(str::to_owned)
}
