//! `response.create`: a request as a message over a WebSocket.

use serde_json::{Map, Value, json};

use super::{EncodeError, Request, responses};

/// Where a request goes on from a response that the connection still knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Continuation<'a> {
    /// The response that it follows.
    pub previous_response_id: &'a str,
    /// How many items of the input that response covers: they are not sent again. Where [`Request::set`] has replaced
    /// the input, that is sent as it is.
    pub covered: usize,
}

/// Fields that belong to a single request, not to what a conversation has in common.
const OF_ONE_REQUEST: [&str; 4] = ["input", "previous_response_id", "client_metadata", "generate"];

impl Request {
    /// The message that asks for this answer over a WebSocket: the body's fields beside its type, without those that
    /// belong to HTTP. `turn_state` is sent in `client_metadata`.
    pub fn encode_create(
        &self,
        continuation: Option<Continuation<'_>>,
        turn_state: Option<&str>,
    ) -> Result<Vec<u8>, EncodeError> {
        let mut body = self.create_frame()?;
        if let Some(continuation) = continuation {
            body.insert("previous_response_id".into(), json!(continuation.previous_response_id));
        }
        if let Some(turn_state) = turn_state {
            let metadata = body.entry("client_metadata").or_insert_with(|| json!({}));
            // Metadata that the caller set to something else cannot be added to.
            if let Value::Object(metadata) = metadata {
                metadata.insert("x-codex-turn-state".into(), json!(turn_state));
            }
        }
        body.insert("type".into(), json!("response.create"));
        Ok(responses::write(self, &body, continuation.map_or(0, |continuation| continuation.covered)))
    }

    /// Errors as [`encode_create`](Self::encode_create) would, without the work: to be asked before a connection is
    /// opened for it.
    pub fn check(&self) -> Result<(), EncodeError> {
        self.frame().map(drop)
    }

    /// What must be the same in two requests for one to go on from the other: everything but the input, and what
    /// belongs to a single request. `None` if the caller has set what chaining would set, so that it is the caller's.
    pub fn conversation_fields(&self) -> Option<Value> {
        if ["input", "previous_response_id", "conversation"].iter().any(|field| self.sets(field)) {
            return None;
        }
        let mut fields = self.create_frame().ok()?;
        fields.retain(|key, _| !OF_ONE_REQUEST.contains(&key.as_str()));
        if let Some(tools) = fields.get_mut("tools").filter(|_| !self.sets("tools")) {
            *tools = json!(self.tools);
        }
        Some(Value::Object(fields))
    }

    /// The message without its lists.
    fn create_frame(&self) -> Result<Map<String, Value>, EncodeError> {
        let mut frame = self.frame()?;
        // A socket streams anyway, and has no background.
        frame.retain(|key, _| !matches!(key.as_str(), "stream" | "background"));
        Ok(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(request: &Request, continuation: Option<Continuation<'_>>, turn_state: Option<&str>) -> Value {
        serde_json::from_slice(&request.encode_create(continuation, turn_state).unwrap()).unwrap()
    }

    #[test]
    fn a_continuation_sends_only_what_is_new() {
        let request = Request::new("m").user("a").user("b").set("client_metadata.k", "v").set("stream", true);
        let whole = message(&request, None, None);
        assert_eq!((&whole["type"], whole["input"].as_array().map(Vec::len)), (&json!("response.create"), Some(2)));
        assert_eq!((whole.get("stream"), whole.get("previous_response_id")), (None, None));
        let next = message(&request, Some(Continuation { previous_response_id: "r", covered: 1 }), Some("ts"));
        assert_eq!(
            next["input"],
            json!([{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "b"}]}])
        );
        assert_eq!(next["previous_response_id"], "r");
        assert_eq!(next["client_metadata"], json!({"k": "v", "x-codex-turn-state": "ts"}));
    }

    #[test]
    fn a_check_finds_what_encoding_would_find() {
        let whole = Request::new("m").user("a").instructions("i").tool(json!({"type": "x"})).reasoning_effort("low");
        let paths = [
            "",
            "a..b",
            "model.x",
            "input.x",
            "tools.x",
            "instructions.x",
            "stream.x",
            "include.x",
            "reasoning.effort.x",
        ];
        let fine = ["model", "input", "tools", "reasoning.summary", "new.x", "client_metadata.k"];
        for (path, is_fine) in paths.map(|path| (path, false)).into_iter().chain(fine.map(|path| (path, true))) {
            for value in [json!(1), json!(null), json!({})] {
                let request = whole.clone().set(path, value);
                let encoded = request.encode_create(None, None).map(drop);
                assert_eq!((request.check(), encoded.is_ok()), (encoded, is_fine), "{path}");
            }
        }
        // An earlier path makes way for a later one, or stands in it.
        assert_eq!(whole.clone().set("input", json!({})).set("input.x", 1).check(), Ok(()));
        assert_eq!(whole.set("new", 1).set("new.x", 1).check(), Err(EncodeError::Path("new.x".into())));
    }

    #[test]
    fn what_the_caller_chains_is_the_callers() {
        let request = Request::new("m").user("a");
        let common = request.conversation_fields().unwrap();
        assert_eq!(request.clone().user("b").set("generate", false).conversation_fields().as_ref(), Some(&common));
        assert_ne!(request.clone().instructions("x").conversation_fields(), Some(common));
        assert_eq!(request.set("previous_response_id", "r").conversation_fields(), None);
    }
}
