//! What the chunks of a Chat stream mean, one after the other.

use std::ops::ControlFlow;

use serde_json::Value;

use super::{
    assembler::{Assembler, Ending},
    calls::CallKey,
    chunk::{Choice, Chunk, Content, Delta, Part, ToolCall},
    members::{Member, listed},
    said::Said,
    slot::{PartKind, ReasoningField},
};
use crate::{
    ApiError, Completed, Created, Incomplete, InterpreterOptions, OtherEvent, Outcome, RawJson, TurnEvent, Usage,
    bare_error::{Place, bare_error},
    error_layers::is_error_value,
    half_characters::mended,
    interpreter::Output,
    values::{Unread, for_each_value},
};

/// Choices of an answer: whether all have ended is asked for every payload.
const MAX_CHOICES: usize = 1024;

/// The state of one Chat stream.
#[derive(Debug)]
pub(crate) struct ChatStream {
    items: Assembler,
    requested_choices: usize,
    created: bool,
    /// Whether it was told already that there is something in the payload at hand that nobody knows. Once is enough:
    /// it may be there a hundred thousand times.
    told_unknown: bool,
    said: Said,
}

impl ChatStream {
    pub(crate) fn new(options: InterpreterOptions) -> Self {
        Self {
            items: Assembler::new(options.call_seed),
            requested_choices: options.choices.max(1) as usize,
            created: false,
            told_unknown: false,
            said: Said::default(),
        }
    }

    pub(crate) fn handle(&mut self, name: Option<&str>, data: &[u8], out: &mut Output) {
        // What follows the end is counted, and nothing else.
        if out.is_settled() {
            return;
        }
        for_each_value(data, out, Chunk::read, |data, value, out| {
            match value {
                Ok(chunk) => self.handle_chunk(name, chunk, data, out),
                Err(Unread::Undecodable(error)) => self.handle_undecodable(name, &error, data, out),
                Err(Unread::TooMany) => self.report_malformed(Unread::TOO_MANY, data, out),
            }
            if out.is_settled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    }

    /// The sentinel always completes, before any choice, too.
    pub(crate) fn handle_sentinel(&mut self, out: &mut Output) {
        self.complete(out);
    }

    pub(crate) fn handle_end(&mut self, out: &mut Output) {
        if self.is_finished(out) {
            self.complete(out);
            return;
        }
        self.finish_items(Ending::Broken, out);
        let has_one = out.ledger.choices.values().any(|choice| choice.finish_reason.is_some());
        let before = if has_one { "every choice had its" } else { "a" };
        let message = format!("the stream ended before {before} finish_reason and without a [DONE] sentinel");
        out.settle(Outcome::Truncated { message });
    }

    /// More came than is kept.
    pub(crate) fn handle_excess(&mut self, message: String, out: &mut Output) {
        self.finish_items(Ending::Broken, out);
        out.settle(Outcome::TooLarge { message });
    }

    /// Whether every choice, of as many as were asked for, has its finish reason.
    pub(crate) fn is_finished(&self, out: &Output) -> bool {
        all_choices_ended(out, self.requested_choices)
    }

    /// Whether data is one whole object that ends any stream.
    pub(crate) fn is_terminal(name: Option<&str>, data: &[u8]) -> bool {
        let Some(chunk) = Chunk::read(data).ok().filter(|_| data.starts_with(b"{")) else { return false };
        error_of(name, &chunk, data).is_some()
    }

    /// A payload that is no JSON object as a whole.
    #[cold]
    fn handle_undecodable(&mut self, name: Option<&str>, error: &str, data: &[u8], out: &mut Output) {
        if name != Some("error") || data.starts_with(b"{") {
            self.report_malformed(error, data, out);
        }
        // Half a character somewhere in it must not hide an error's code.
        let text = mended(data);
        let reported = serde_json::from_str::<Chunk<'_>>(&text)
            .ok()
            .filter(|_| text.starts_with('{'))
            .and_then(|chunk| error_of(name, &chunk, text.as_bytes()))
            .or_else(|| bare_error(data, Place::Nested))
            .or_else(|| (name == Some("error")).then(|| ApiError::undecodable(data)));
        if let (Some(reported), false) = (reported, out.is_settled()) {
            self.fail(reported, out);
        }
    }

    /// Reports what cannot be read; the payload that makes the stream unreadable ends its items, too.
    fn report_malformed(&mut self, error: &str, data: &[u8], out: &mut Output) {
        out.malformed(None, error, data);
        if out.is_settled() {
            self.finish_items(Ending::Broken, out);
        }
    }

    fn handle_chunk(&mut self, name: Option<&str>, chunk: Chunk<'_>, data: &[u8], out: &mut Output) {
        self.told_unknown = false;
        let error = error_of(name, &chunk, data);
        if error.is_none() && !chunk.says_something() {
            return self.handle_other(&chunk, data, out);
        }
        out.decoded();
        if !chunk.brings_output() {
            out.silent();
        }
        self.note_response(&chunk, out);
        // What stands beside an error alone belongs to the error.
        let members = if error.is_none() || chunk.has_choices() { chunk.members } else { Vec::new() };
        for choice in chunk.choices.into_iter().flatten() {
            self.handle_choice(choice, data, out);
            if out.collected.is_excessive() {
                break;
            }
        }
        // Stated more than once, it is a running total: the last one counts.
        if let Some(usage) =
            [chunk.x_groq.usage, chunk.usage].into_iter().flatten().filter_map(Usage::from_json).next_back()
        {
            out.ledger.usage = Some(usage);
        }
        self.tell_members(&members, data, out);
        // What came beside the error stays available.
        if let Some(error) = error {
            self.fail(error, out);
        }
    }

    /// An object that is no chunk.
    #[cold]
    fn handle_other(&mut self, chunk: &Chunk<'_>, data: &[u8], out: &mut Output) {
        if let Some(event_type) = chunk.event_type.as_deref() {
            out.ledger.unknown += 1;
            let event = OtherEvent { event: event_type.to_owned(), raw: RawJson::from_payload(data) };
            out.emit(TurnEvent::Unknown(event));
        } else {
            self.report_malformed("the chunk has no `choices`, no `usage` and no `error`", data, out);
        }
    }

    fn handle_choice(&mut self, choice: Choice<'_>, data: &[u8], out: &mut Output) {
        let index = choice.index.index().unwrap_or_default();
        if out.ledger.choices.len() >= MAX_CHOICES && !out.ledger.choices.contains_key(&index) {
            if !std::mem::replace(&mut self.told_unknown, true) {
                out.malformed(None, &format!("the answer has more than {MAX_CHOICES} choices"), data);
            }
            return;
        }
        out.ledger.choices.entry(index).or_default();
        match (choice.delta, choice.message) {
            (Some(delta), _) => self.handle_delta(index, delta, data, out),
            (None, Some(message)) => self.handle_message(index, *message, data, out),
            (None, None) => {
                let text = choice.text.into_string().unwrap_or_default();
                self.items.add_text(index, PartKind::Text, text, out);
            }
        }
        if let Some(reason) = choice.finish_reason.non_empty() {
            let known = &mut out.ledger.choices.entry(index).or_default().finish_reason;
            // What was said to be cut or broken stays so.
            if !known.as_deref().is_some_and(|known| known == reason || is_cut(known) || known == "error") {
                out.collected.add_bytes(reason.len());
                *known = Some(reason.to_owned());
            }
        }
    }

    /// A message in place of a delta. Behind deltas it is all that they said, and nothing new; a choice that begins
    /// with a message comes in messages.
    fn handle_message(&mut self, choice: u32, mut message: Delta<'_>, data: &[u8], out: &mut Output) {
        let before = self.items.in_deltas(choice);
        if before.text {
            (message.content, message.refusal) = (Content::None, Content::None);
        }
        if before.reasoning {
            (message.reasoning_content, message.reasoning) = (Content::None, Content::None);
            message.reasoning_details = None;
        }
        self.handle_delta(choice, message, data, out);
    }

    fn handle_delta(&mut self, choice: u32, mut delta: Delta<'_>, data: &[u8], out: &mut Output) {
        let (is_encrypted, signature, details) = (delta.is_encrypted(), delta.take_signature(), delta.take_details());
        // Some servers send the same reasoning in both fields.
        let (field, reasoning) = match delta.reasoning_content.into_text() {
            text if text.is_empty() => (ReasoningField::Reasoning, delta.reasoning.into_text()),
            text => (ReasoningField::ReasoningContent, text),
        };
        if is_encrypted {
            self.items.add_encrypted(choice, field, &reasoning, out);
        } else {
            self.items.add_reasoning(choice, field, reasoning, out);
        }
        self.items.add_details(choice, details, out);
        match delta.content {
            Content::None => {}
            Content::Text(text) => self.items.add_text(choice, PartKind::Text, text.into_owned(), out),
            Content::Parts(parts) => self.handle_parts(choice, &parts, data, out),
        }
        self.items.add_text(choice, PartKind::Refusal, delta.refusal.into_text(), out);
        if let Some(signature) = signature {
            self.items.add_extra(choice, signature, out);
        }
        for call in delta.tool_calls {
            self.items.add_call(choice, CallKey::of(&call), out);
            if out.collected.is_excessive() {
                return;
            }
        }
        if let Some(function) = delta.function_call {
            let call = ToolCall { function: Some(*function), ..ToolCall::default() };
            self.items.add_call(choice, CallKey::of(&call), out);
        }
    }

    /// Texts of one kind in a row make one delta, however finely they are cut.
    fn handle_parts(&mut self, choice: u32, parts: &[Value], data: &[u8], out: &mut Output) {
        let mut texts: Option<(TextKind, String)> = None;
        for part in parts {
            let (kind, text) = match Part::of(part) {
                Part::Text(text) => (TextKind::Part(PartKind::Text), text),
                Part::Refusal(text) => (TextKind::Part(PartKind::Refusal), text),
                Part::Thinking(text) => (TextKind::Thinking, text),
                Part::Unknown => {
                    self.tell_unknown_part(part, data, out);
                    continue;
                }
            };
            match &mut texts {
                Some((of, texts)) if *of == kind => texts.push_str(&text),
                _ => {
                    self.add_texts(choice, texts.replace((kind, text)), out);
                    if out.collected.is_excessive() {
                        return;
                    }
                }
            }
        }
        self.add_texts(choice, texts, out);
    }

    fn add_texts(&mut self, choice: u32, texts: Option<(TextKind, String)>, out: &mut Output) {
        match texts {
            Some((TextKind::Part(kind), text)) => self.items.add_text(choice, kind, text, out),
            Some((TextKind::Thinking, text)) => {
                self.items.add_reasoning(choice, ReasoningField::ContentPart, text, out);
            }
            None => {}
        }
    }

    #[cold]
    fn tell_unknown_part(&mut self, part: &Value, data: &[u8], out: &mut Output) {
        if std::mem::replace(&mut self.told_unknown, true) {
            return;
        }
        out.ledger.unknown += 1;
        let part_type = part.get("type").and_then(Value::as_str).unwrap_or("?");
        let event = OtherEvent { event: format!("content part {part_type}"), raw: RawJson::from_payload(data) };
        out.emit(TurnEvent::Unknown(event));
    }

    /// Hands out the chunk for what in it has no field of its own and is new.
    fn tell_members(&mut self, members: &[Member<'_>], data: &[u8], out: &mut Output) {
        if members.is_empty() {
            return;
        }
        let news = self.said.news(members);
        if !news.is_empty() {
            let event = format!("members {}", listed(&news));
            let event = OtherEvent { event, raw: RawJson::from_payload(data) };
            out.emit(TurnEvent::Other(event));
        }
    }

    /// Takes the id (the first that is not empty) and the model (the last that is not), and announces the response.
    fn note_response(&mut self, chunk: &Chunk<'_>, out: &mut Output) {
        let ledger = &mut out.ledger;
        if let Some(id) = chunk.id.as_deref() {
            if ledger.response_id.as_deref().is_none_or(str::is_empty) {
                ledger.response_id = Some(id.to_owned());
            }
        }
        // Every chunk says it again.
        if let Some(model) = chunk.model.non_empty().filter(|model| ledger.model.as_deref() != Some(*model)) {
            ledger.model = Some(model.to_owned());
        }
        // A first chunk of filter results has empty names; the next one tells them.
        if !self.created && (chunk.id.non_empty().is_some() || chunk.has_choices()) {
            self.created = true;
            let created = Created { response_id: response_id(out), model: out.ledger.model.clone(), raw: None };
            out.emit(TurnEvent::Created(created));
        }
    }

    fn fail(&mut self, error: ApiError, out: &mut Output) {
        self.finish_items(Ending::Broken, out);
        out.settle(Outcome::Failed(error));
    }

    fn complete(&mut self, out: &mut Output) {
        self.finish_items(Ending::Whole, out);
        let mut reasons = out.ledger.choices.values().map(|choice| choice.finish_reason.clone());
        let first = reasons.next().flatten();
        // One choice that was cut is enough for an answer that is not whole.
        let cut = first.iter().cloned().chain(reasons.flatten()).find(|reason| is_cut(reason));
        let finish_reason = cut.clone().or(first);
        let response = Completed {
            response_id: response_id(out),
            model: out.ledger.model.clone(),
            usage: out.ledger.usage.clone(),
            finish_reason,
            raw: None,
        };
        out.settle(match cut {
            Some(reason) => Outcome::Incomplete(Incomplete { reason, response }),
            None => Outcome::Completed(response),
        });
    }

    /// Hands out what is open; `unended` says how choices without a finish reason end.
    fn finish_items(&mut self, unended: Ending, out: &mut Output) {
        let choices = out.ledger.choices.clone();
        let ending = |choice: u32| match choices.get(&choice).and_then(|choice| choice.finish_reason.as_deref()) {
            Some(reason) if is_cut(reason) => Ending::CutByService,
            Some("error") => Ending::Broken,
            Some(_) => Ending::Whole,
            None => unended,
        };
        let id = response_id(out);
        self.items.finish(ending, id.as_deref(), out);
    }
}

/// What the text of a content part is added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TextKind {
    Part(PartKind),
    Thinking,
}

/// The error that an object reports: its own, that of a choice, or itself. An event is an error by its name; a bare
/// error object, which some servers send, by its type, or by what it calls itself in `object`, unless it has choices.
fn error_of(name: Option<&str>, chunk: &Chunk<'_>, data: &[u8]) -> Option<ApiError> {
    let of_choices = chunk.choices.iter().flatten().map(|choice| &choice.error);
    let mut errors = std::iter::once(&chunk.error).chain(of_choices).flatten();
    if let Some(error) = errors.find(|error| is_error_value(error)) {
        return Some(api_error(error, data));
    }
    let (is_named, event_type) = (name == Some("error"), chunk.event_type.as_deref());
    let is_error = if chunk.has_choices() {
        is_named && event_type.is_none()
    } else {
        is_named || event_type == Some("error") || chunk.object.as_deref() == Some("error")
    };
    is_error.then(|| api_error(&value_of(data), data))
}

fn all_choices_ended(out: &Output, at_least: usize) -> bool {
    let choices = &out.ledger.choices;
    choices.len() >= at_least && choices.values().all(|choice| choice.finish_reason.is_some())
}

/// Whether a finish reason says that the answer is not whole.
fn is_cut(finish_reason: &str) -> bool {
    matches!(finish_reason, "length" | "content_filter")
}

fn response_id(out: &Output) -> Option<String> {
    out.ledger.response_id.clone().filter(|id| !id.is_empty())
}

/// A payload that was read already, as a whole: half a character in what was not read must not hide the rest.
fn value_of(data: &[u8]) -> Value {
    serde_json::from_str(&String::from_utf8_lossy(data)).unwrap_or_default()
}

fn api_error(error: &Value, data: &[u8]) -> ApiError {
    let envelope = value_of(data);
    // A chunk's own fields (`message`, `code`) say nothing of an error object inside it.
    let around = if envelope.get("choices").is_some() { &Value::Null } else { &envelope };
    let mut error = ApiError::from_value(error, around);
    if error.message.is_empty() {
        "the service gave no error message".clone_into(&mut error.message);
    }
    error
}
