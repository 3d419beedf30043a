//! See `codex_fuzz::chat_interpreter`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| codex_fuzz::chat_interpreter(data));
