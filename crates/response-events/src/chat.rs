//! The Chat Completions wire.

mod assembler;
mod calls;
mod chunk;
mod slot;
mod stream;

pub(crate) use stream::ChatStream;
