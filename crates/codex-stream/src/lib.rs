//! The command line of codex-api: run a streamed turn, look inside a recorded one, replay it.
