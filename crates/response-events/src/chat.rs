//! The Chat Completions wire.

mod absent;
mod arguments;
mod assembler;
mod calls;
mod chunk;
mod members;
mod plain_chunk;
mod said;
mod slot;
mod stream;

pub(crate) use stream::ChatStream;
