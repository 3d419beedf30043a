//! What a caller asks of the model, for both wires.

mod chat;
mod create;
mod history;
mod overrides;
mod responses;

use std::{error::Error, fmt};

pub use create::Continuation;
pub use history::ChatHistory;

use serde_json::{Map, Value};

use crate::{InterpreterOptions, Item, Wire};

/// One request for an answer.
///
/// Encodes for both wires. Fields that this type does not know go in with [`set`](Self::set), which has the last
/// word over everything else.
///
/// What it says on its own: on the Responses wire `stream: true`, `store: false` and `include:
/// ["reasoning.encrypted_content"]`, by which reasoning comes in a form that can be sent back. A model that does not
/// support encrypted content refuses that with a 400; `set("include", Value::Null)` leaves it out. On the Chat wire
/// `stream: true` and `stream_options: {"include_usage": true}`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Request {
    /// The model's name.
    pub model: String,
    /// Instructions that stand before the input (in Chat the system message).
    pub instructions: Option<String>,
    /// The conversation so far, in the item format of the Responses API on both wires.
    pub input: Vec<Item>,
    /// Tool definitions, in the format of the wire's API; they are passed on as they are. In Chat's a function stands
    /// under `function`, a custom tool under `custom`.
    pub tools: Vec<Value>,
    /// How hard the model should think: `minimal`, `low`, `medium`, `high`, and whatever the service knows.
    pub reasoning_effort: Option<String>,
    /// What of earlier answers goes back on the Chat wire beside their text and their calls.
    pub chat_history: ChatHistory,
    overrides: Vec<(String, Value)>,
}

/// Why a request cannot be encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// A path given to [`Request::set`] has an empty part, or leads through a value that is no object.
    Path(String),
    /// An input item that the Chat wire has no form for; the string is its type.
    Item(String),
}

impl Request {
    /// An empty request to a model.
    pub fn new(model: impl Into<String>) -> Self {
        Self {
            model: model.into(),
            instructions: None,
            input: Vec::new(),
            tools: Vec::new(),
            reasoning_effort: None,
            chat_history: ChatHistory::default(),
            overrides: Vec::new(),
        }
    }

    /// Adds a message of the user.
    pub fn user(self, text: impl Into<String>) -> Self {
        self.item(Item::user(text))
    }

    /// Adds an item: a finished one of an earlier answer, a tool's output, anything.
    pub fn item(mut self, item: Item) -> Self {
        self.input.push(item);
        self
    }

    /// Adds items.
    pub fn items(mut self, items: impl IntoIterator<Item = Item>) -> Self {
        self.input.extend(items);
        self
    }

    /// Sets the instructions.
    pub fn instructions(mut self, text: impl Into<String>) -> Self {
        self.instructions = Some(text.into());
        self
    }

    /// Adds a tool definition, in the format of the wire's API.
    pub fn tool(mut self, definition: Value) -> Self {
        self.tools.push(definition);
        self
    }

    /// Sets the reasoning effort.
    pub fn reasoning_effort(mut self, effort: impl Into<String>) -> Self {
        self.reasoning_effort = Some(effort.into());
        self
    }

    /// Sets what of earlier answers goes back on the Chat wire.
    pub fn chat_history(mut self, history: ChatHistory) -> Self {
        self.chat_history = history;
        self
    }

    /// Sets any field of the body, after everything else. `path` is dotted keys (`reasoning.summary`); objects on
    /// the way are made as needed; the value `null` removes the field.
    pub fn set(mut self, path: impl Into<String>, value: impl Into<Value>) -> Self {
        self.overrides.push((path.into(), value.into()));
        self
    }

    /// The JSON body for a wire's HTTP endpoint.
    pub fn encode(&self, wire: Wire) -> Result<Vec<u8>, EncodeError> {
        match wire {
            Wire::Responses => Ok(responses::write(self, &self.frame()?, 0)),
            Wire::Chat => {
                let mut body = chat::body(self)?;
                self.apply_overrides(&mut body)?;
                // A map of JSON values is always JSON.
                Ok(serde_json::to_vec(&body).unwrap_or_default())
            }
        }
    }

    /// The JSON body for `POST /responses/compact`: model, instructions and input; overrides apply.
    pub fn encode_compact(&self) -> Result<Vec<u8>, EncodeError> {
        let mut frame = responses::frame(self);
        frame.retain(|key, _| matches!(key.as_str(), "model" | "instructions" | "input"));
        self.apply_overrides(&mut frame)?;
        Ok(responses::write(self, &frame, 0))
    }

    /// The body of the Responses wire without its lists, with what the caller has set.
    fn frame(&self) -> Result<Map<String, Value>, EncodeError> {
        let mut frame = responses::frame(self);
        self.apply_overrides(&mut frame)?;
        Ok(frame)
    }

    fn apply_overrides(&self, body: &mut Map<String, Value>) -> Result<(), EncodeError> {
        self.overrides.iter().try_for_each(|(path, value)| overrides::apply(body, path, value.clone()))
    }

    /// Whether the caller has set this field of the body.
    fn sets(&self, field: &str) -> bool {
        self.overrides.iter().any(|(path, _)| path.split('.').next() == Some(field))
    }

    /// What the interpreter of the answer has to know of the request.
    pub fn interpreter_options(&self) -> InterpreterOptions {
        let mut options = InterpreterOptions::default();
        let n = self.overrides.iter().rev().find(|(path, _)| path == "n").and_then(|(_, n)| n.as_u64());
        if let Some(n) = n.and_then(|n| u32::try_from(n).ok()) {
            options.choices = n.max(1);
        }
        options
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => {
                write!(f, "cannot set {path:?}: the path has an empty part or leads through a value that is no object")
            }
            Self::Item(item_type) => write!(f, "the chat wire has no form for an input item of type {item_type:?}"),
        }
    }
}

impl Error for EncodeError {}
