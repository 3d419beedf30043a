//! What a socket remembers of the response that was finished on it.

use response_events::{Continuation, FinishedResponse, Item, Request};
use serde_json::Value;

/// A socket's memory: it goes where the socket goes, and ends with it.
#[derive(Clone, Debug, Default)]
pub struct SocketMemory {
    /// What the response is known by, should events of it arrive late.
    pub finished: FinishedResponse,
    chain: Option<Chain>,
}

/// A response from which a later request can go on.
#[derive(Clone, Debug)]
struct Chain {
    response_id: String,
    fields: Value,
    /// The input of its request and the items of its answer.
    covered: Vec<Item>,
}

impl SocketMemory {
    /// The memory of a response that answered `request` with `output`. Only a completed one can be continued;
    /// `response_id` is `None` for every other.
    pub(crate) fn new(
        finished: FinishedResponse,
        request: &Request,
        response_id: Option<String>,
        output: Vec<Item>,
    ) -> Self {
        let chain = response_id.zip(request.conversation_fields()).map(|(response_id, fields)| {
            let covered = request.input.iter().cloned().chain(output).collect();
            Chain { response_id, fields, covered }
        });
        Self { finished, chain }
    }

    /// How `request` goes on from the response, if it extends the conversation and changes nothing else.
    pub fn continuation(&self, request: &Request) -> Option<Continuation<'_>> {
        let chain = self.chain.as_ref()?;
        let covered = chain.covered.len();
        // Nothing new is something, too: the request that a warm-up prepared.
        let extends = request.input.get(..covered) == Some(&chain.covered[..]);
        (extends && request.conversation_fields().as_ref() == Some(&chain.fields))
            .then_some(Continuation { previous_response_id: &chain.response_id, covered })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Item {
        Item::developer("stands for any item")
    }

    #[test]
    fn only_an_extension_of_the_same_conversation_continues() {
        let first = Request::new("m").user("a");
        let memory = SocketMemory::new(FinishedResponse::default(), &first, Some("r".into()), vec![answer()]);
        let next = first.clone().item(answer()).user("b");
        let continuation = Continuation { previous_response_id: "r", covered: 2 };
        assert_eq!(memory.continuation(&next), Some(continuation));
        assert_eq!(memory.continuation(&first.clone().item(answer())), Some(continuation));
        let others = [
            first.clone(),
            Request::new("m").user("other").item(answer()).user("b"),
            next.clone().instructions("else"),
            next.clone().set("previous_response_id", "own"),
        ];
        for other in others {
            assert_eq!(memory.continuation(&other), None, "{other:?}");
        }
        let incomplete = SocketMemory::new(FinishedResponse::default(), &first, None, vec![answer()]);
        assert_eq!(incomplete.continuation(&next), None);
    }
}
