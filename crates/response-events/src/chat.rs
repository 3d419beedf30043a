//! The Chat Completions wire.

mod assembler;
mod calls;
mod chunk;
mod plain_chunk;
mod slot;
mod stream;

pub(crate) use stream::ChatStream;
