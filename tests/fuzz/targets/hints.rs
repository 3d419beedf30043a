//! See `codex_fuzz::hints`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| codex_fuzz::hints(data));
