//! The meaning of model streams: requests, items, events, errors, and the interpreters of the Responses and Chat Completions wires.
