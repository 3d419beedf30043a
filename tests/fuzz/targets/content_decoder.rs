//! See `codex_fuzz::content_decoder`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| codex_fuzz::content_decoder(data));
