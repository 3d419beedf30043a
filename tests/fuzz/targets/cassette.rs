//! See `codex_fuzz::cassette`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| codex_fuzz::cassette(data));
