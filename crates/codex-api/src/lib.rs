//! Streams model turns from OpenAI-style services: Responses and Chat Completions.
