//! Answers of the other API than the one that was asked.

use response_events::{Failure, FailureKind, Interpreter, InterpreterOptions, Wire, whole_answer};

/// Events of which the first one that is understood may show it. What goes on for longer is something else.
const LOOKED_AT: u64 = 8;

/// The failure that a stream is whose `payload`, which was just handed to the interpreter, shows it to be one of the
/// other wire: so far the wire that was asked has understood nothing, and the other one understands this. `None` for
/// everything else, text and unknown events among it.
///
/// It is not retryable: the same request gets the same answer. The message names the wire to try.
pub fn other_wire(asked: Wire, stream: &Interpreter, payload: &[u8]) -> Option<Failure> {
    let ledger = stream.ledger();
    let strange = ledger.unknown + ledger.malformed;
    let is_strange = strange > 0 && strange == ledger.progress() && ledger.events <= LOOKED_AT;
    let shows_it = is_strange && stream.outcome().is_none() && understands(other(asked), payload);
    shows_it.then(|| failure(asked))
}

/// The same of an answer in one document, which is none of the wire that was asked.
pub(crate) fn other_document(asked: Wire, document: &[u8]) -> Option<Failure> {
    whole_answer(other(asked), document).map(|_| failure(asked))
}

fn understands(wire: Wire, payload: &[u8]) -> bool {
    let mut reader = Interpreter::new(wire, InterpreterOptions::default());
    reader.handle_event(None, payload);
    let ledger = reader.ledger();
    // Chat makes something of nearly every object.
    let says_something = wire != Wire::Chat || !ledger.choices.is_empty();
    ledger.progress() > 0 && ledger.unknown + ledger.malformed == 0 && says_something
}

fn other(wire: Wire) -> Wire {
    if wire == Wire::Chat { Wire::Responses } else { Wire::Chat }
}

fn failure(asked: Wire) -> Failure {
    let name = |wire| if wire == Wire::Chat { "Chat Completions" } else { "the Responses API" };
    let other = other(asked);
    let message = format!("the answer is one of {}, not of {}: try the wire `{other}`", name(other), name(asked));
    let mut failure = Failure::new(FailureKind::Protocol, message);
    failure.retryable = false;
    failure
}
