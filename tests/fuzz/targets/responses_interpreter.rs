//! See `codex_fuzz::responses_interpreter`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| codex_fuzz::responses_interpreter(data));
