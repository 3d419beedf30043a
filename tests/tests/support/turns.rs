//! What the suites of whole turns share.

use codex_api::{Client, ClientBuilder, Request, RetryPolicy, TurnEvent, TurnStream, Wire};

use super::impatient;

pub(crate) const HELLO: &str = concat!(
    "event: response.created\n",
    "data: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\"model\":\"gpt-5\"}}\n\n",
    "data: {\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"type\":\"message\",\"id\":\"m\"}}\n\n",
    "data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"Hello\"}\n\n",
    "data: {\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\"type\":\"message\",\"id\":\"m\",",
    "\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"Hello\"}]}}\n\n",
    "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\",",
    "\"usage\":{\"input_tokens\":3,\"output_tokens\":1,\"total_tokens\":4}}}\n\n",
);

/// A client that tries once: what a first failure means is the matter here.
pub(crate) fn client(base_url: &str, wire: Wire) -> Client {
    builder(base_url).wire(wire).build().unwrap()
}

pub(crate) fn builder(base_url: &str) -> ClientBuilder {
    impatient(base_url).retry(RetryPolicy::new().with_max_attempts(1))
}

pub(crate) fn ask(base_url: &str, wire: Wire) -> TurnStream {
    client(base_url, wire).session().begin_turn().stream(Request::new("gpt-5").user("Hi"))
}

pub(crate) fn terminal_events(events: &[TurnEvent]) -> usize {
    events.iter().filter(|event| event.is_terminal()).count()
}
