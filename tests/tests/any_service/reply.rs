//! What a service may answer to a request, and what that means for the turn.

use std::time::Duration;

use codex_api::Wire;
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};

/// In every message of an error.
pub(crate) const MESSAGE: &str = "as the service puts it";

#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) says: Says,
    /// What comes ahead of each event that matters.
    noise: Vec<Noise>,
    deltas: usize,
    pub(crate) state: Option<State>,
    pub(crate) framing: Framing,
    pub(crate) then: Then,
    pub(crate) dialect: Dialect,
    /// Interim answers ahead of the head.
    pub(crate) interim: usize,
    /// Bytes that are written at a time.
    pub(crate) piece: usize,
    /// Ahead of each event.
    pub(crate) pause: Duration,
}

/// What the reply comes to.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    Answer,
    /// A failure within the stream.
    Failure(&'static str),
    /// The stream ends too soon.
    Cut,
    /// A failure in place of a stream.
    Refusal(u16, &'static str),
    /// Not even a head.
    Nothing,
}

/// How events are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dialect {
    line_end: &'static str,
    has_names: bool,
    /// JSON in many lines.
    is_pretty: bool,
    has_bom: bool,
}

/// The turn state, in the head or in an event.
#[derive(Clone, Debug)]
pub(crate) enum State {
    Head(String),
    Event(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Chunked,
    Length,
    Close,
}

/// What becomes of the connection behind the last event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// The body ends, and the connection takes another request.
    End,
    /// Nothing more comes.
    Hold,
    Drop,
    /// The opposite of what was said, and then nothing more.
    Contradict,
}

#[derive(Clone, Copy, Debug)]
enum Noise {
    Comment,
    Unknown,
    Malformed,
    Fields,
}

/// What a request has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answer(String),
    /// With its code.
    Final(&'static str),
    Again,
}

/// An event as it goes over the wire.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A payload.
    Data(String),
    /// A part of an event stream that is no event: over a WebSocket, a ping.
    Aside(&'static str),
}

const FINAL: [&str; 3] = ["invalid_prompt", "context_length_exceeded", "insufficient_quota"];
const PASSING: [&str; 2] = ["server_is_overloaded", "server_error"];

pub(crate) fn reply() -> impl Strategy<Value = Reply> {
    let refusals = vec![
        (400, "invalid_prompt"),
        (429, "insufficient_quota"),
        (404, "model_not_found"),
        (500, "server_error"),
        (502, "server_error"),
        (503, "server_is_overloaded"),
        (429, "rate_limit_exceeded"),
    ];
    let says = prop_oneof![
        2 => Just(Says::Answer),
        2 => select(&FINAL[..]).prop_map(Says::Failure),
        3 => select(&PASSING[..]).prop_map(Says::Failure),
        3 => Just(Says::Cut),
        3 => select(refusals).prop_map(|(status, code)| Says::Refusal(status, code)),
        1 => Just(Says::Nothing),
    ];
    let noise = vec(select(vec![Noise::Comment, Noise::Unknown, Noise::Malformed, Noise::Fields]), 0..4);
    let token = (any::<bool>(), "[a-z]{4}")
        .prop_map(|(in_head, token)| if in_head { State::Head(token) } else { State::Event(token) });
    let framing = select(vec![Framing::Chunked, Framing::Length, Framing::Close]);
    let then = select(vec![Then::End, Then::Hold, Then::Drop, Then::Contradict]);
    let pace =
        (0..3_usize, select(vec![1, 7, 100, 100_000]), select(vec![0, 30, 4_000]).prop_map(Duration::from_millis));
    let dialect = (select(vec!["\n", "\r\n", "\r"]), any::<bool>(), any::<bool>(), any::<bool>())
        .prop_map(|(line_end, has_names, is_pretty, has_bom)| Dialect { line_end, has_names, is_pretty, has_bom });
    let parts = (says, noise, 0..4_usize, option::of(token), framing, then, dialect, pace);
    parts.prop_map(|(says, noise, deltas, state, framing, then, dialect, (interim, piece, pause))| Reply {
        says,
        noise,
        deltas,
        state,
        framing,
        then,
        dialect,
        interim,
        piece,
        pause,
    })
}

impl Reply {
    /// What a service answers that has nothing else to say.
    pub(crate) fn plain() -> Self {
        Self {
            says: Says::Answer,
            noise: Vec::new(),
            deltas: 1,
            state: None,
            framing: Framing::Chunked,
            then: Then::End,
            dialect: Dialect { line_end: "\n", has_names: false, is_pretty: false, has_bom: false },
            interim: 0,
            piece: usize::MAX,
            pause: Duration::ZERO,
        }
    }

    pub(crate) fn outcome(&self) -> Outcome {
        match self.says {
            Says::Answer => Outcome::Answer(self.texts().collect()),
            Says::Failure(code) if FINAL.contains(&code) => Outcome::Final(code),
            Says::Refusal(status, code) if status < 429 || FINAL.contains(&code) => Outcome::Final(code),
            _ => Outcome::Again,
        }
    }

    fn texts(&self) -> impl Iterator<Item = String> {
        (0..self.deltas).map(|number| format!("{number} is “{number}”\n"))
    }

    /// The turn state that the head of a stream tells.
    pub(crate) fn state_in_head(&self) -> Option<&str> {
        match &self.state {
            Some(State::Head(token)) if self.is_stream() => Some(token),
            _ => None,
        }
    }

    /// The turn state that an event tells. Chat Completions has no such event.
    pub(crate) fn state_event(&self, wire: Wire) -> Option<&str> {
        match &self.state {
            Some(State::Event(token)) if self.is_stream() && wire != Wire::Chat => Some(token),
            _ => None,
        }
    }

    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.says, Says::Answer | Says::Failure(_) | Says::Cut)
    }

    /// Whether the stream says what has become of the request.
    pub(crate) fn is_decisive(&self) -> bool {
        self.is_stream() && !matches!(self.says, Says::Cut)
    }

    /// The body of an error.
    pub(crate) fn error_body(code: &str) -> Value {
        json!({"error": {"code": code, "type": code, "message": format!("No, {MESSAGE}")}})
    }

    /// The events of the stream, the last of which is decisive.
    pub(crate) fn events(&self, wire: Wire) -> Vec<Event> {
        let state = self
            .state_event(wire)
            .map(|token| json!({"type": "response.metadata", "headers": {"x-codex-turn-state": token}}).to_string());
        let mut told: Vec<_> = match wire {
            Wire::Chat => self.chat(),
            _ => self.responses(),
        };
        told.splice(0..0, state);
        let mut noise = self.noise.iter().map(|noise| noise.event());
        let mut events = Vec::new();
        for data in told {
            events.extend(noise.next());
            events.push(Event::Data(data));
        }
        events
    }

    /// What says the opposite of the reply.
    pub(crate) fn contradiction(&self) -> Self {
        let says = match self.outcome() {
            Outcome::Answer(_) => Says::Failure("invalid_prompt"),
            _ => Says::Answer,
        };
        Self { says, ..Self::plain() }
    }

    /// An event stream of them.
    pub(crate) fn stream(&self, wire: Wire) -> Vec<String> {
        let bom = if self.dialect.has_bom { "\u{feff}" } else { "" };
        let events = self.events(wire);
        let events = events.iter().map(|event| match event {
            Event::Data(data) => self.dialect.event(data),
            Event::Aside(text) => text.replace('\n', self.dialect.line_end),
        });
        [bom.to_owned()].into_iter().filter(|bom| !bom.is_empty()).chain(events).collect()
    }

    fn responses(&self) -> Vec<String> {
        let text: String = self.texts().collect();
        let item = json!({"type": "message", "id": "m", "role": "assistant"});
        let mut events = vec![
            json!({"type": "response.created", "response": {"id": "r"}}),
            json!({"type": "response.output_item.added", "output_index": 0, "item": item}),
        ];
        let delta =
            |text| json!({"type": "response.output_text.delta", "output_index": 0, "item_id": "m", "delta": text});
        events.extend(self.texts().map(delta));
        match self.says {
            Says::Answer => {
                let content = json!([{"type": "output_text", "text": text}]);
                let item = json!({"type": "message", "id": "m", "role": "assistant", "content": content});
                events.push(json!({"type": "response.output_item.done", "output_index": 0, "item": item}));
                events.push(json!({"type": "response.completed", "response": {"id": "r"}}));
            }
            Says::Failure(code) => {
                let error = &Self::error_body(code)["error"];
                events.push(json!({"type": "response.failed", "response": {"id": "r", "error": error}}));
            }
            _ => {}
        }
        events.iter().map(Value::to_string).collect()
    }

    fn chat(&self) -> Vec<String> {
        let chunk = |delta: Value, end: Option<&str>| {
            json!({"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": end}]}).to_string()
        };
        let mut events = vec![chunk(json!({"role": "assistant"}), None)];
        events.extend(self.texts().map(|text| chunk(json!({"content": text}), None)));
        match self.says {
            Says::Answer => {
                events.push(chunk(json!({}), Some("stop")));
                // Without either it is an answer, too, unless an error follows.
                match self.deltas {
                    0 => events.push("[DONE]".to_owned()),
                    1 => events.push("DONE".to_owned()),
                    _ if self.then == Then::Contradict => events.push("DONE".to_owned()),
                    _ => {}
                }
            }
            Says::Failure(code) => events.push(Self::error_body(code).to_string()),
            _ => {}
        }
        events
    }
}

impl Dialect {
    fn event(self, data: &str) -> String {
        let json: Option<Value> = serde_json::from_str(data).ok();
        let name = json.as_ref().and_then(|json| json["type"].as_str()).filter(|_| self.has_names);
        let data = match &json {
            Some(json) if self.is_pretty => format!("{json:#}"),
            _ => data.to_owned(),
        };
        let name = name.map(|name| format!("event: {name}"));
        let lines = name.into_iter().chain(data.lines().map(|line| format!("data: {line}"))).chain([String::new()]);
        lines.map(|line| line + self.line_end).collect()
    }
}

impl Noise {
    fn event(self) -> Event {
        match self {
            Self::Comment => Event::Aside(": ping\n\n"),
            Self::Fields => Event::Aside("id: 5\nretry: 100\nunknown\n\n"),
            Self::Unknown => Event::Data(json!({"type": "x", "of": "something", "choices": []}).to_string()),
            Self::Malformed => Event::Data(r#"{"type": "response.output_text.delta", "#.to_owned()),
        }
    }
}
